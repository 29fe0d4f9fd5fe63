"""Each command as a user runs it, on the embedded digits."""

import csv
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from bnnkit import BinaryNetwork, datasets, verify_all
from bnnkit.cli import main

TRAINING = ["--architecture", "32", "--quant-step", "0.5", "--epochs", "4", "--mask-decay", "1e-3"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "model.npz"
    assert main(["train", *TRAINING, "--out", str(path)]) == 0
    return path


def report(capsys, *arguments):
    """Run with --json; return exit code and the object."""
    capsys.readouterr()
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


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


def test_verify_one_image_answers_by_exit_code(model, capsys):
    test = datasets.load("digits").test
    verdicts = verify_all(BinaryNetwork.load(model), test.images[:30], test.labels[:30], 0.1)
    status = verdicts.status.tolist()
    for answer, code in (("robust", 0), ("falsified", 1)):
        index = str(status.index(answer))
        assert main(["verify", str(model), "--eps", "0.1", "--index", index]) == code
        assert answer in capsys.readouterr().out
    assert main(["verify", str(model), "--eps", "0.1", "--index", "355"]) == 2


def test_verify_at_least(model, capsys):
    arguments = ["verify", str(model), "--eps", "0", "--first", "20", "--at-least"]
    assert main([*arguments, "0.5"]) == 0
    assert main([*arguments, "1.01"]) == 1


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
    assert (tmp_path / "exact.png").read_bytes().startswith(b"\x89PNG")


def test_harden_leaves_every_round(tmp_path, capsys):
    arguments = ["harden", *TRAINING, "--eps", "0.1", "--rounds", 2, "--images", 60, "--first", 30]
    code, said = report(capsys, *arguments, "--attack", "pgd", "--out", tmp_path)
    assert code == 0
    assert [r["index"] for r in said["rounds"]] == [0, 1, 2]
    for r in said["rounds"]:
        counts = r["judged"]["Exact"]
        assert counts["robust"] + counts["falsified"] + counts["unknown"] == 30
    assert json.loads((tmp_path / "history.json").read_text()) == said
    for name in ("round-0.npz", "round-2.npz", "adversarial.npz", "rounds.png"):
        assert (tmp_path / name).stat().st_size > 0
    assert main(["evaluate", str(tmp_path / "round-2.npz")]) == 0


def test_data_lists_what_is_here(capsys, tmp_path):
    code, rows = report(capsys, "data", "--data-home", tmp_path)
    assert code == 0
    assert [row["name"] for row in rows] == list(datasets.names())
    assert [row["where"] is not None for row in rows] == [True, False, False, False]


def test_solvers_are_listed(capsys):
    code, names = report(capsys, "solvers")
    assert code == 0
    assert {"minicard", "cadical", "cp-sat"} <= set(names)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_leaves_what_is_finished_and_no_traceback(tmp_path):
    # wide and dense: most images of this network take the half second that they may
    training = ["--architecture", "100-100", "--quant-step", "0.1", "--epochs", "3"]
    model, rows = tmp_path / "model.npz", tmp_path / "rows.csv"
    assert main(["train", *training, "--out", str(model)]) == 0
    command = ["verify", str(model), "--eps", "0.1", "--first", "355", "--timeout", "0.5"]
    running = subprocess.Popen(
        [sys.executable, "-m", "bnnkit", *command, "--csv", str(rows)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert " of 355" in running.stderr.readline()  # the first plain line of progress
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "Traceback" not in err
    assert "interrupted" in err
    assert out.startswith("solver")
    assert 0 < len(rows.read_text().splitlines()) - 1 < 355


def test_demo(tmp_path, capsys):
    code, said = report(capsys, "demo", "--out", tmp_path)
    assert code == 0
    assert said["disagreements"] == []
    assert [r["index"] for r in said["rounds"]] == [0, 1, 2, 3]
    for when in ("before", "after"):
        minicard, cpsat = (said["solvers"][when][name] for name in ("minicard", "cp-sat"))
        for status in ("robust", "falsified", "unknown"):
            assert minicard[status] == cpsat[status]
    files = {"demo.json", "history.json", "adversarial.npz", "adversarial.png", "rounds.png"}
    assert files | {f"round-{i}.npz" for i in range(4)} == set(os.listdir(tmp_path))
