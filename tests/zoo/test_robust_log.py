import json
import sys

import numpy as np
import pytest
import robust_log
from robust_log import read


@pytest.fixture
def log(tmp_path):
    """Write records as a log; its path."""

    def write(*records):
        path = tmp_path / "log.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return path

    return write


def record(epoch, **others):
    return {"epoch": epoch, "loss": 1 / epoch, "accuracy": 0.5, "seconds": 30} | others


def test_columns_have_a_value_for_each_epoch(log):
    columns = read(log(*(record(n, validation={"score": n / 10}) for n in (1, 2))))
    assert columns == {
        "epoch": [1, 2],
        "minutes": [0.5, 1],
        "loss": [1, 0.5],
        "accuracy": [0.5, 0.5],
        "validation score": [0.1, 0.2],
    }


def test_epochs_that_are_not_judged_have_no_number(log):
    columns = read(log(record(1), record(2, validation={"score": 0.1}), record(3)))
    np.testing.assert_equal(columns["validation score"], [np.nan, 0.1, np.nan])


def test_a_run_without_validation_has_no_such_columns(log):
    assert read(log(record(1))).keys() == {"epoch", "minutes", "loss", "accuracy"}


def test_a_run_without_a_finished_epoch_says_so(tmp_path):
    (tmp_path / "log.jsonl").write_text("")
    with pytest.raises(SystemExit, match="no finished epoch"):
        read(tmp_path / "log.jsonl")


def test_the_command_prints_a_line_for_each_epoch_of_a_run(made, tmp_path, monkeypatch, capsys):
    import matplotlib

    matplotlib.use("Agg")
    plot = tmp_path / "log.png"
    monkeypatch.setattr(sys, "argv", ["robust_log.py", str(made.folder), "--plot", str(plot)])
    robust_log.main()
    header, *lines = capsys.readouterr().out.splitlines()
    assert "validation monitor" in header
    assert [line.split()[0] for line in lines] == ["1", "2", "3"]
    assert ["nan" in line for line in lines] == [True, False, False]  # eps still grows in the first
    assert plot.read_bytes()[:4] == b"\x89PNG"
