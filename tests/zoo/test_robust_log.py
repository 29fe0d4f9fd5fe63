import sys

import pytest
import robust_log
from robust_log import progress_of, read


def test_minutes_add_up_over_the_epochs():
    records = [
        {"epoch": n, "loss": 1 / n, "accuracy": 0.5, "seconds": 30, "validation": {"score": 0.1}}
        for n in (1, 2, 3)
    ]
    rows = progress_of(records)
    assert [row["minutes"] for row in rows] == [0.5, 1, 1.5]
    assert rows[2]["validation score"] == 0.1
    assert rows[1]["loss"] == 0.5


def test_a_run_without_validation_has_no_such_columns():
    (row,) = progress_of([{"epoch": 1, "loss": 1.0, "accuracy": 0.5, "seconds": 30}])
    assert row.keys() == {"epoch", "minutes", "loss", "accuracy"}


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
    assert "validation score" in header
    assert [line.split()[0] for line in lines] == ["1", "2", "3"]
    assert plot.read_bytes()[:4] == b"\x89PNG"
