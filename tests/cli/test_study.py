"""``bnnkit study``: list, keys, show, run."""

import pytest

from bnnkit import study
from bnnkit.cli import main

SMALL = """
title = "Small"
data = { name = "digits", train = 200, test = 30 }
models.bnn = { architecture = "8", epochs = 1 }
runs.plain = { model = "bnn" }
"""


def test_list_names_every_study(capsys):
    assert main(["study", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == study.names()


def test_what_show_prints_is_a_study(capsys, tmp_path):
    assert main(["study", "show", "loop"]) == 0
    (tmp_path / "mine.toml").write_text(capsys.readouterr().out)
    assert study.load(tmp_path / "mine.toml").settings == study.load("loop").settings


def test_keys_are_printed(capsys):
    assert main(["study", "keys"]) == 0
    assert capsys.readouterr().out == study.reference()


def test_run_writes_a_folder(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SMALL)
    assert main(["study", "run", "small.toml", "--quick"]) == 0
    assert "report: study-small-quick/report.html" in capsys.readouterr().out
    assert (tmp_path / "study-small-quick" / "report.html").is_file()
    (tmp_path / "small.toml").write_text(SMALL.replace("epochs = 1", "epochs = 2"))
    assert main(["study", "run", "small.toml", "--out", "study-small-quick"]) == 2
    assert "[models.bnn] epochs was 1 and is 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "lop"], "did you mean 'loop'?"),
        (["run", "loop", "--size", "ful"], "did you mean 'full'?"),
        (["run", "loop", "--out", "file"], "is a file; name a folder"),
    ],
)
def test_mistakes_are_sentences(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    assert main(["study", *arguments]) == 2
    assert said in capsys.readouterr().err
