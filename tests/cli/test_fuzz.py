"""``bnnkit fuzz``: the table, what is saved, exit codes."""

import json

import pytest

from bnnkit import fuzz
from bnnkit.cli import main


@pytest.mark.parametrize("what", ["formulas", "networks"])
def test_it_prints_what_was_said(what, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["fuzz", what, "--count", "20", "--solver", "native", "--seed", "2"]) == 0
    head, *_, end = capsys.readouterr().out.splitlines()
    assert head.startswith(f"20 cases ({what.removesuffix('s')}, seed 2), ")
    assert end == "all agree"
    assert list(tmp_path.iterdir()) == []


def test_a_journal_is_gone_on_with(tmp_path, capsys):
    command = ["fuzz", "formulas", "--solver", "native", "--journal", str(tmp_path / "run.json")]
    assert main([*command, "--count", "5"]) == 0
    assert main([*command, "--count", "8", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.partition("\n{")[2].join("{ "))["cases"] == 8


def test_replay_asks_again(tmp_path, capsys):
    path = str(fuzz.save(fuzz.FormulaCase(1, [["solve", [1]]]), {}, tmp_path))
    assert main(["fuzz", "replay", path, "--solver", "native", "minicard"]) == 0
    assert f"{path}: all agree" in capsys.readouterr().out


def test_what_disagrees_is_exit_code_1(tmp_path, monkeypatch, capsys):
    path = str(fuzz.save(fuzz.FormulaCase(1, [["solve", [1]]]), {}, tmp_path))
    monkeypatch.setattr(fuzz.FormulaCase, "_is_too_long", lambda *_: 1 / 0)
    assert main(["fuzz", "replay", path, "--solver", "native"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["formulas", "findings.json"],
        ["replay"],
        ["replay", "missing.json"],
        ["formulas", "--solver", "nativ"],
        ["networks", "--out", __file__],
    ],
)
def test_wrong_use_is_a_sentence(arguments, capsys):
    assert main(["fuzz", *arguments]) == 2
    assert "bnnkit fuzz: error: " in capsys.readouterr().err
