"""`bnnkit compare` as a user runs it, on the embedded digits and on formula files."""

import csv
import json
import signal
import subprocess
import sys
import time

import pytest

from bnnkit import BinaryNetwork, datasets, solvers, verify
from bnnkit.cli import main
from bnnkit.formula import Formula
from bnnkit.solvers import registry
from bnnkit.solvers.pysat import Minicard

SOLVERS = ["native", "minicard", "cadical:seqcounter"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("model") / "model.npz")
    training = ["--quant-step", "0.5", "--epochs", "4", "--mask-decay", "1e-3", "--out", path]
    assert main(["train", "--architecture", "32", *training]) == 0
    return path


@pytest.fixture
def formulas(tmp_path):
    """Paths of a formula that is satisfiable and of one that is not."""
    paths = []
    for name, bound in (("sat.cnf", 1), ("unsat.cnf.gz", 3)):
        formula = Formula(2)
        formula.add_sum([1, 2], bound)
        formula.save(tmp_path / name)
        paths.append(str(tmp_path / name))
    return paths


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_network(model, tmp_path, capsys):
    rows, plot = tmp_path / "rows.csv", tmp_path / "plot.png"
    command = ["compare", model, "--eps", "0.05", "1/10", "--first", "8", "--no-falsify"]
    command += ["--csv", str(rows), "--plot", str(plot), "--solver", *SOLVERS]
    assert main([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [summary["solver"] for summary in said["solvers"]] == SOLVERS
    assert all(summary["solved"] == summary["questions"] == 16 for summary in said["solvers"])
    assert said["disagreements"] == {}
    test = datasets.load("digits").test
    network = BinaryNetwork.load(model)
    expected = {
        (f"eps {eps} image {i}", solver): verify(network, *question, eps).status
        for eps in (0.05, 0.1)
        for i, question in enumerate(zip(test.images[:8], test.labels[:8], strict=True))
        for solver in SOLVERS
    }
    found = read(rows)
    assert {(row["question"], row["solver"]): row["status"] for row in found} == expected
    assert "falsify" not in {row["stage"] for row in found}
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_formulas(formulas, capsys):
    assert main(["compare", "--formulas", *formulas, "--solver", *SOLVERS]) == 0
    said = capsys.readouterr().out
    assert [line.split()[:5] for line in said.splitlines()[:4]] == [
        ["solver", "questions", "solved", "sat", "unsat"],
        *([solver, "2", "2", "1", "1"] for solver in SOLVERS),
    ]
    assert said.endswith("no disagreement between solvers\n")


class Liar(Minicard):
    """What is satisfiable, it calls unsatisfiable."""

    def _search(self, assumptions):
        status, literals = super()._search(assumptions)
        return ("unsat", ()) if status == "sat" else (status, literals)


def test_a_disagreement_is_exit_code_1(formulas, capsys, monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    solvers.register("liar", Liar)
    command = ["compare", "--formulas", *formulas, "--solver", "minicard", "liar"]
    assert main(command) == 1
    said = capsys.readouterr().out
    assert "DISAGREEMENT between solvers on 1 of the questions" in said
    assert f"{formulas[0]}: minicard says sat, liar says unsat" in said
    assert main([*command, "--json"]) == 1
    answers = {"minicard": "sat", "liar": "unsat"}
    assert json.loads(capsys.readouterr().out)["disagreements"] == {formulas[0]: answers}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name a file of a network, or --formulas"),
        (["MODEL", "--formulas", "x.cnf"], "one of the two"),
        (["MODEL"], "need --eps"),
        (["MODEL", "--eps", "8"], "for grey levels pass 8/255"),
        (["MODEL", "--eps", "0.1", "--solver", "nativ"], "did you mean 'native'"),
        (["--formulas", "nowhere.cnf"], "nowhere.cnf: No such file"),
    ],
)
def test_wrong_use_is_said_before_a_file_is_touched(model, tmp_path, arguments, says, capsys):
    rows = tmp_path / "rows.csv"
    rows.write_text("of an earlier run")
    arguments = [model if each == "MODEL" else each for each in arguments]
    assert main(["compare", *arguments, "--csv", str(rows)]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""
    assert rows.read_text() == "of an earlier run"


def test_a_late_file_that_is_no_formula_leaves_what_is_finished(formulas, tmp_path, capsys):
    wrong = tmp_path / "wrong.cnf"
    wrong.write_text("p cnf 1 1\n1 2 0\n")
    assert main(["compare", "--formulas", *formulas, str(wrong), "--solver", "native"]) == 2
    said = capsys.readouterr()
    assert "wrong.cnf: line 2" in said.err
    assert said.out.splitlines()[1].split()[:3] == ["native", "2", "2"]
    assert main(["compare", "--formulas", str(wrong), "--solver", "native"]) == 2
    assert capsys.readouterr().out == ""


def test_rows_and_plot_need_two_files(formulas, tmp_path, capsys):
    both = str(tmp_path / "file")
    command = ["compare", "--formulas", *formulas, "--csv", both, "--plot", both]
    assert main(command) == 2
    assert "is named twice" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--csv", "--plot"])
def test_a_folder_is_no_file(model, tmp_path, option, capsys):
    assert main(["compare", model, "--eps", "0.1", option, str(tmp_path)]) == 2
    assert "is a folder; name a file in it" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_leaves_what_is_finished(model, tmp_path):
    rows, plot = tmp_path / "rows.csv", tmp_path / "plot.png"
    radii = [f"{i}/1000" for i in range(1, 200)]
    command = ["compare", model, "--eps", *radii, "--first", "355", "--solver", "native"]
    command += ["minicard", "--csv", str(rows), "--plot", str(plot)]
    running = subprocess.Popen(
        [sys.executable, "-m", "bnnkit", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not rows.exists() or len(rows.read_text().splitlines()) < 10:
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "Traceback" not in err
    header, native, minicard = (line.split() for line in out.splitlines()[:3])
    assert header[:2] == ["solver", "questions"]
    shown, on_disk = int(native[1]) + int(minicard[1]), len(read(rows))
    assert 9 <= shown < 2 * 355 * len(radii)
    assert 0 <= on_disk - shown <= 1  # a row is written, then it is counted
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("option", ["--csv", "--plot"])
def test_what_is_asked_about_is_not_overwritten(formulas, option, capsys):
    before = read_bytes(formulas[0])
    assert main(["compare", "--formulas", *formulas, option, formulas[0]]) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert read_bytes(formulas[0]) == before


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()
