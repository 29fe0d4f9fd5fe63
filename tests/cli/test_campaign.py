"""Campaigns on the command line."""

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import odd_solvers
import pytest

from bnnkit import BNNClassifier, datasets, solvers
from bnnkit.cli import main


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "model.npz"
    train = datasets.load("digits", limit=300).train
    classifier = BNNClassifier("32", quant_step=0.25, epochs=3, random_state=0)
    classifier.fit(train.images, train.labels).network_.save(path)
    return path


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_a_campaign_from_verify_to_rows(model, tmp_path, capsys):
    store = tmp_path / "run.sqlite"
    verifying = ("verify", model, "--eps", "0.05", "--store", store)
    assert run(*verifying, "--first", 5, "--json") == 0
    first = json.loads(capsys.readouterr().out)["solvers"]["native"]
    assert run(*verifying, "--first", 8, "--solver", "native", "minicard", "--json") == 0
    second = json.loads(capsys.readouterr().out)["solvers"]
    assert second["native"]["status"][:5] == first["status"]
    assert run("campaign", "status", store, "--json") == 0
    campaigns = json.loads(capsys.readouterr().out)["campaigns"]
    assert [(row["solver"], row["images"], row["missing"]) for row in campaigns] == [
        ("native", 5, 0),
        ("native", 8, 0),
        ("minicard", 8, 0),
    ]
    assert run("campaign", "status", store) == 0
    assert "environment 1: bnnkit" in capsys.readouterr().out
    assert run("campaign", "export", store) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["status"] for row in rows[:5]] == first["status"]
    assert len(rows) == 21
    jsonl, table = tmp_path / "rows.jsonl", tmp_path / "rows.csv"
    assert run("campaign", "export", store, "--jsonl", jsonl, "--csv", table) == 0
    assert len(jsonl.read_text().splitlines()) == len(table.read_text().splitlines()) - 1 == 21


@pytest.fixture
def lying(monkeypatch):
    """The native solver, but for claims that no formula makes true."""
    monkeypatch.setattr(solvers.registry, "_registered", dict(solvers.registry._registered))
    solvers.register("lying", odd_solvers.Lying)


@pytest.mark.usefixtures("lying")
def test_a_lie_ends_with_code_70(model, tmp_path, capsys):
    store = tmp_path / "run.sqlite"
    verifying = ("verify", model, "--eps", "0.05", "--store", store, "--first", 40)
    with pytest.warns(RuntimeWarning, match="the solver lying failed their check on images"):
        assert run(*verifying, "--solver", "native", "lying", "--json") == 70
    said = json.loads(capsys.readouterr().out)["solvers"]
    assert said["native"]["wrong"] == []
    assert 0 < len(said["lying"]["wrong"]) == said["lying"]["unknown"] < 40
    assert run("campaign", "status", store, "--json") == 70
    campaigns = json.loads(capsys.readouterr().out)["campaigns"]
    assert [row["wrong"] for row in campaigns] == [0, said["lying"]["unknown"]]
    (tmp_path / "rows").mkdir()
    assert run("campaign", "export", store, "--csv", tmp_path / "rows" / "all.csv") == 0
    with open(tmp_path / "rows" / "all.csv", newline="") as file:
        found = [int(row["index"]) for row in csv.DictReader(file) if row["stage"] == "wrong"]
    assert found == said["lying"]["wrong"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("status", "none.sqlite"), "none.sqlite: No such file"),
        (("export", "none.sqlite", "--csv", "rows.csv"), "none.sqlite: No such file"),
        (("status", "text"), "text: not a readable store of verdicts: file is not a database"),
        (("status", "text", "--csv", "x"), "--csv and --jsonl are for export"),
        (("export", "text", "--json"), "export has --jsonl"),
        (("export", "text", "--csv", "."), "is a folder"),
    ],
)
def test_wrong_use_is_a_sentence(tmp_path, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("no database\n" * 100)
    assert run("campaign", *arguments) == 2
    assert says in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_verify_refuses_a_file_that_is_no_store(model, tmp_path, capsys):
    path = tmp_path / "text"
    path.write_text("no database\n" * 100)
    assert run("verify", model, "--eps", "0.05", "--store", path) == 2
    assert "file is not a database" in capsys.readouterr().err
    assert path.read_text() == "no database\n" * 100
    assert [file.name for file in tmp_path.iterdir()] == ["text"]


@pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals")
def test_ctrl_c_says_what_is_there(model, tmp_path):
    store = tmp_path / "run.sqlite"
    arguments = ["verify", str(model), "--eps", "0.3", "--solver", "cadical", "--jobs", "2"]
    program = subprocess.Popen(
        [sys.executable, "-m", "bnnkit", *arguments, "--first", "300", "--store", str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not _rows(store):
        assert program.poll() is None
        time.sleep(0.02)
    program.send_signal(signal.SIGINT)
    _, said = program.communicate(timeout=20)
    assert program.returncode == 130
    assert f"bnnkit: interrupted: {_rows(store)} of 300 verdicts are in {store}" in said


def _rows(store):
    if not store.exists():
        return 0
    with sqlite3.connect(store, timeout=10) as db:
        if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return 0
        return db.execute("SELECT count(*) FROM verdict").fetchone()[0]
