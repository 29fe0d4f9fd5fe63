"""Each command as a user runs it, on the embedded digits."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from commands import TRAINING, report

from bnnkit import BinaryNetwork, datasets, verify, verify_all
from bnnkit.cli import main
from bnnkit.robust import Pool


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "model.npz"
    assert main(["train", *TRAINING, "--out", str(path)]) == 0
    return path


def test_train_writes_the_network_that_it_measured(tmp_path, capsys):
    path = tmp_path / "new" / "model.npz"
    code, said = report(capsys, "train", *TRAINING, "--limit", 600, "--out", path)
    test = datasets.load("digits", limit=600).test
    predicted = BinaryNetwork.load(path).predict(test.images)
    assert code == 0
    assert said["accuracy"] == (predicted == test.labels).mean() > 0.5
    assert len(said["epochs"]) == 4


def test_the_same_seed_writes_the_same_file(model, tmp_path, capsys):
    for seed, same in ((0, True), (1, False)):
        path = tmp_path / f"{seed}.npz"
        main(["train", *TRAINING, "--seed", str(seed), "--out", str(path)])
        assert (path.read_bytes() == model.read_bytes()) == same


def test_evaluate(model, capsys):
    code, said = report(capsys, "evaluate", model)
    assert code == 0
    assert 0.5 < said["accuracy"] <= 1
    assert set(said["by_class"]) == set("0123456789")
    assert main(["evaluate", str(model), "--at-least", "0.5"]) == 0
    assert main(["evaluate", str(model), "--at-least", "1"]) == 1


def test_verify_with_several_solvers(model, tmp_path, capsys):
    path = tmp_path / "rows.csv"
    names = ["minicard", "cp-sat", "glucose4"]
    arguments = ["verify", model, "--eps", "0.1", "--first", 20, "--csv", path]
    code, said = report(capsys, *arguments, "--solver", *names)
    test = datasets.load("digits").test
    network = BinaryNetwork.load(model)
    expected = verify_all(network, test.images[:20], test.labels[:20], 0.1)
    assert code == 0
    assert said["disagreements"] == []
    for name in names:
        assert said["solvers"][name]["status"] == expected.status.tolist()
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["solver"] for row in rows] == [name for name in names for _ in range(20)]
    assert [row["status"] for row in rows] == expected.status.tolist() * 3


@pytest.mark.parametrize("suffix", ["cnf", "rcnf.xz", "bnn.gz", "opb.bz2"])
def test_a_question_written_by_verify_is_solved(model, tmp_path, capsys, suffix):
    network, test = BinaryNetwork.load(model), datasets.load("digits").test
    path = tmp_path / f"question.{suffix}"
    codes = set()
    for index in range(6):
        verdict = verify(network, test.images[index], test.labels[index], 0.15)
        asked = ["verify", str(model), "--eps", "0.15", "--index", str(index)]
        assert main([*asked, "--write-formula", str(path)]) == 0
        code = main(["solve", str(path)])
        assert code == {"robust": 20, "falsified": 10}[verdict.status]
        codes.add(code)
    assert codes == {10, 20}


def test_a_question_about_several_models_is_not_written(model, capsys):
    asked = ["verify", str(model), str(model), "--eps", "0.1", "--index", "0"]
    assert main([*asked, "--write-formula", "a.cnf"]) == 2
    assert "about one model, got 2" in capsys.readouterr().err


def test_a_written_question_says_what_it_is(model, tmp_path, capsys):
    path = tmp_path / "question.opb"
    main(["verify", str(model), "--eps", "1/8", "--index", "3", "--write-formula", str(path)])
    text = path.read_text()
    label = datasets.load("digits").test.labels[3]
    assert f"* network {BinaryNetwork.load(model).digest}\n" in text
    assert f"* digits test image 3, label {label}, eps 1/8, real pixels\n" in text
    assert str(path) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--write-formula", "a.cnf"], "name it with --index"),
        (["--index", "0", "--write-formula", "a.smt2"], "must end in .cnf, .rcnf, .bnn, .opb"),
        (["--index", "0", "--write-formula", "."], "is a folder"),
    ],
)
def test_questions_that_cannot_be_written(model, capsys, arguments, says):
    assert main(["verify", str(model), "--eps", "0.1", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_verify_one_image_answers_by_exit_code(model, capsys):
    test = datasets.load("digits").test
    verdicts = verify_all(BinaryNetwork.load(model), test.images[:30], test.labels[:30], 0.1)
    status = verdicts.status.tolist()
    for answer, code in (("robust", 0), ("falsified", 1)):
        index = str(status.index(answer))
        assert main(["verify", str(model), "--eps", "0.1", "--index", index]) == code
        assert answer in capsys.readouterr().out
    assert main(["verify", str(model), "--eps", "0.1", "--index", "355"]) == 2


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    paths = [tmp_path_factory.mktemp("cli") / f"{seed}.npz" for seed in (1, 2)]
    for seed, path in enumerate(paths, 1):
        main(["train", *TRAINING, "--seed", str(seed), "--out", str(path)])
    return paths


@pytest.mark.parametrize("question", ["vote", "joint"])
def test_verify_several_models(model, others, question, capsys):
    models = [model, *others]
    arguments = ["verify", *models, "--eps", "0.05", "--question", question]
    code, said = report(capsys, *arguments, "--first", 15, "--solver", "native", "minicard")
    test = datasets.load("digits").test
    networks = [BinaryNetwork.load(path) for path in models]
    asked = (networks, test.images[:15], test.labels[:15], 0.05)
    expected = verify_all(*asked, question=question)
    assert code == 0
    assert (said["model"], said["question"]) == (list(map(str, models)), question)
    for name in ("native", "minicard"):
        assert said["solvers"][name]["status"] == expected.status.tolist()
    robust = expected.status.tolist().index("robust")
    assert main([*map(str, arguments), "--index", str(robust)]) == 0
    meaning = "everywhere within 0.05" if question == "vote" else "no class fools all models"
    assert meaning in capsys.readouterr().out


def test_verify_at_least(model, capsys):
    arguments = ["verify", str(model), "--eps", "0", "--first", "20", "--at-least"]
    assert main([*arguments, "0.5"]) == 0
    assert main([*arguments, "1"]) == 1
    assert main([*arguments[:-1], "--index", "0", "--at-least", "1"]) == 2


def test_attacks_of_increasing_strength(model, tmp_path, capsys):
    names = ["noise", "fgsm", "pgd", "exact"]
    arguments = ["attack", model, "--eps", "0.1", "--first", 40, "--out", tmp_path]
    code, said = report(capsys, *arguments, "--attack", *names)
    attacks = said["attacks"]
    assert code == 0
    for name in names:
        assert sum(attacks[name][k] for k in ("fooled", "withstood", "undecided")) == 40
        assert attacks[name]["fooled"] <= attacks["exact"]["fooled"]
    with np.load(tmp_path / "exact.npz") as found:
        predicted = BinaryNetwork.load(model).predict(found["images"])
        assert len(predicted) == attacks["exact"]["fooled"]
        assert (predicted != found["labels"]).all()
    pool = Pool.load(tmp_path / "exact.npz")
    originals = datasets.load("digits").test.images[pool.origin] / 255
    assert np.abs(pool.images - originals).max() <= 0.1 + 1e-6
    assert pool.split == "test"
    assert (tmp_path / "exact.png").read_bytes().startswith(b"\x89PNG")


def test_data_lists_what_is_here(capsys, tmp_path):
    code, rows = report(capsys, "data", "--data-home", tmp_path)
    assert code == 0
    assert [row["name"] for row in rows] == list(datasets.names())
    assert [row["where"] is not None for row in rows] == [True, False, False, False]


def test_solvers_are_listed(capsys):
    code, names = report(capsys, "solvers")
    assert code == 0
    assert {"minicard", "cadical", "cp-sat"} <= set(names)


def test_all_classes_are_known_however_few_images(tmp_path, capsys):
    path = str(tmp_path / "few.npz")
    assert main(["train", *TRAINING, "--limit", "20", "--out", path]) == 0
    assert BinaryNetwork.load(path).n_classes == 10
    assert main(["verify", path, "--eps", "0.1", "--first", "50"]) == 0


def test_a_place_that_cannot_be_written_is_named_before_the_work(model, tmp_path, capsys):
    file = tmp_path / "file"
    file.touch()
    for command in (
        ["train", *TRAINING, "--out", str(tmp_path)],
        ["verify", str(model), "--eps", "0.1", "--csv", str(tmp_path)],
        ["harden", *TRAINING, "--eps", "0.1", "--out", str(file)],
        ["attack", str(model), "--eps", "0.1", "--out", str(file)],
        ["demo", "--out", str(file)],
    ):
        assert main(command) == 2
        said = capsys.readouterr()
        assert f"{command[-1]} is a " in said.err
        assert said.out == ""


@pytest.fixture(scope="module")
def slow_model(tmp_path_factory):
    """Wide and dense: many images of it take a solver as long as it may."""
    path = tmp_path_factory.mktemp("slow") / "model.npz"
    training = ["--architecture", "300-300", "--quant-step", "0.1", "--epochs", "1"]
    assert main(["train", *training, "--out", str(path)]) == 0
    return str(path)


def interrupted(*arguments, after):
    """Run a command in a process of its own and press Ctrl-C when `after(process)` returns."""
    running = subprocess.Popen(
        [sys.executable, "-m", "bnnkit", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    after(running)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "Traceback" not in err
    assert "interrupted" in err
    return out


posix = pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")


@posix
def test_ctrl_c_leaves_what_is_finished(slow_model, tmp_path):
    def first_line_of_progress(running):
        line = running.stderr.readline()
        while " 0 of 355" in line:  # on a busy machine compiling alone takes as long
            line = running.stderr.readline()
        assert " of 355" in line

    rows = tmp_path / "rows.csv"
    question = ["verify", slow_model, "--eps", "0.05", "--first", "355", "--timeout", "0.5"]
    out = interrupted(*question, "--csv", rows, after=first_line_of_progress)
    assert out.startswith("solver")
    assert 0 < len(rows.read_text().splitlines()) - 1 < 355


@posix
@pytest.mark.parametrize("output", [[], ["--json"]])
def test_ctrl_c_before_anything_is_finished(slow_model, output):
    index = hard_image(slow_model)
    question = ["verify", slow_model, "--eps", "0.05", "--index", index, "--timeout", "600"]
    interrupted(*question, *output, after=lambda running: time.sleep(4))


def hard_image(model):
    """An image that the solver does not decide in a second."""
    test = datasets.load("digits").test
    network = BinaryNetwork.load(model)
    questions = zip(test.images, test.labels, strict=True)
    for i, question in enumerate(questions):
        if verify(network, *question, 0.05, timeout=1.0).status == "unknown":
            return i
    raise AssertionError("no image is hard")


@posix
def test_ctrl_c_shows_the_attacks_that_are_finished(slow_model):
    question = ["attack", slow_model, "--eps", "0.05", "--first", "300"]
    out = interrupted(*question, "--attack", "fgsm", "exact", after=lambda running: time.sleep(8))
    assert [line.split()[0] for line in out.splitlines()] == ["attack", "fgsm"]


@posix
def test_ctrl_c_keeps_finished_rounds(tmp_path):
    training = ["--architecture", "32", "--quant-step", "0.5", "--epochs", "2"]
    command = ["harden", *training, "--eps", "0.1", "--rounds", "400", "--images-per-round", "3"]
    out = interrupted(*command, "--out", tmp_path, after=lambda running: two_lines(running))
    rounds = json.loads((tmp_path / "history.json").read_text())["rounds"]
    assert len(rounds) >= 2
    assert (tmp_path / f"round-{len(rounds) - 1}.npz").exists()
    assert (tmp_path / "adversarial.npz").exists()
    assert isinstance(out, str)


def two_lines(running):
    """Wait for the header and two rounds."""
    for _ in range(3):
        assert running.stdout.readline()


def test_demo(tmp_path, capsys):
    code, said = report(capsys, "demo", "--out", tmp_path)
    assert code == 0
    assert said["disagreements"] == []
    assert [r["index"] for r in said["rounds"]] == [0, 1, 2, 3]
    for when in ("before", "after"):
        native, cpsat = (said["solvers"][when][name] for name in ("native", "cp-sat"))
        for status in ("robust", "falsified", "unknown"):
            assert native[status] == cpsat[status]
    files = {
        "demo.json",
        "history.json",
        "adversarial.npz",
        "adversarial.png",
        "rounds.png",
        "rounds.csv",
        "rounds.png.csv",
        "adversarial.png.csv",
    }
    assert files | {f"round-{i}.npz" for i in range(4)} == set(os.listdir(tmp_path))


def test_robust_training_goes_on_where_it_was_and_tells_the_best_epoch(tmp_path, capsys):
    folder, path = tmp_path / "run", tmp_path / "robust.npz"
    settings = ["--eps", "0.1", "--steps", "2", "--bound-decay", "1e-4", "--validation", "0.1"]
    settings += ["--architecture", "24-16", "--adaptive", "--patience", "9"]
    settings += ["--interval-loss", "0.1"]
    arguments = ["train", *TRAINING, *settings, "--folder", str(folder), "--out", str(path)]
    assert main(arguments) == 0
    said, first = capsys.readouterr().out, path.read_bytes()
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    best = max(log[1:], key=lambda record: (record["validation"]["monitor"], record["epoch"]))
    assert f"epoch {best['epoch']} is the best" in said
    assert [record["eps"] for record in log] == [0.05, 0.1, 0.1, 0.1]
    assert main(arguments) == 0  # nothing is left to train
    assert path.read_bytes() == first
    arguments[arguments.index("2")] = "3"
    capsys.readouterr()
    assert main(arguments) == 2
    assert "another training run" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--steps", "3"], ["--adaptive"], ["--interval-loss", "1"]])
def test_an_attack_in_training_needs_its_radius(option, tmp_path, capsys):
    assert main(["train", *TRAINING, "--out", str(tmp_path / "a.npz"), *option]) == 2
    assert f"{option[0]} is about the balls of --eps" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--validation", "1.5", "not a share"),
        ("--validation", "-1", "below 0"),
        ("--validation", "some", "not a number"),
        ("--eps", "2", "eps must be in"),
        ("--bound-decay", "-1", "coefficient must be in [0, inf), got -1"),
        ("--interval-loss", "-1", "--interval-loss is about the balls of --eps"),
    ],
)
def test_robust_training_with_bad_numbers(option, value, message, tmp_path, capsys):
    arguments = ["train", *TRAINING, "--out", str(tmp_path / "a.npz"), option, value]
    try:
        code = main(arguments)
    except SystemExit as exit:
        code = exit.code
    assert code == 2
    assert message in capsys.readouterr().err
