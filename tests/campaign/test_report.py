import csv
import io
import json

import pytest
from campaigns import EPS

from bnnkit import verify_all
from bnnkit.campaign import report
from bnnkit.campaign.store import image_key


@pytest.fixture(scope="module")
def campaign(questions, tmp_path_factory):
    """(store, images, verdicts): one campaign, and the first images once more with another eps."""
    network, images, labels = questions
    store = tmp_path_factory.mktemp("report") / "run.sqlite"
    verdicts = verify_all(network, images, labels, EPS, store=store, falsify=0)
    verify_all(network, images[:3], labels[:3], 8 / 255, timeout=None, store=store)
    return store, images, verdicts


def test_status(campaign, questions):
    store, _, verdicts = campaign
    first, second = report.status(store)["campaigns"]
    assert first["network"] == second["network"] == questions[0].digest
    assert (first["eps"], second["eps"]) == ("1/20", "8/255")
    assert {name: first[name] for name in verdicts.counts} == verdicts.counts
    assert (first["images"], first["missing"], first["lost"]) == (40, 0, 0)
    assert (first["options"]["falsify"], second["options"]["timeout"]) == (0.0, None)
    (environment,) = report.status(store)["environments"].values()
    assert "numba" in environment


def test_lies_stand_apart(questions, odd, tmp_path):
    network, images, labels = questions
    store = tmp_path / "run.sqlite"
    with pytest.warns(RuntimeWarning):
        verdicts = verify_all(network, images, labels, EPS, odd("Lying"), store=store, falsify=0)
    (row,) = report.status(store)["campaigns"]
    assert row["wrong"] == row["unknown"] == len(verdicts.wrong) > 0
    assert (row["lost"], row["missing"]) == (0, 0)
    rows = [row for row in report.rows(store) if row["stage"] == "wrong"]
    assert [row["index"] for row in rows] == verdicts.wrong
    assert all("gave a model that violates" in row["reason"] for row in rows)


def check(rows, verdicts, images):
    assert len(rows) == 43
    for i, (row, verdict) in enumerate(zip(rows[:40], verdicts, strict=True)):
        assert (row["campaign"], row["index"], row["eps"]) == (1, i, "1/20")
        for name in ("status", "label", "clean", "predicted", "stage", "reason"):
            assert row[name] == getattr(verdict, name)
        assert row["image"] == image_key(images[i]).hex()
    assert [row["index"] for row in rows[40:]] == [0, 1, 2]


def test_json_lines_are_the_verdicts(campaign, tmp_path):
    store, images, verdicts = campaign
    path = tmp_path / "new" / "rows.jsonl"
    report.export(report.write_jsonl, store, path)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    check(rows, verdicts, images)
    assert [row["timings"] for row in rows[:40]] == [verdict.timings for verdict in verdicts]


def test_csv_is_the_verdicts(campaign):
    store, images, verdicts = campaign
    file = io.StringIO()
    report.write_csv(store, file)
    file.seek(0)
    rows = list(csv.DictReader(file))
    for row in rows:
        row |= {k: int(row[k]) for k in ("campaign", "index", "label", "clean", "predicted")}
    check(rows, verdicts, images)
    for row, verdict in zip(rows, verdicts, strict=False):
        for stage, seconds in verdict.timings.items():
            assert float(row[f"{stage}_s"]) == seconds


def test_a_failed_export_leaves_the_old_file(tmp_path):
    (tmp_path / "store").write_text("no store")
    path = tmp_path / "rows.csv"
    path.write_text("old")
    with pytest.raises(ValueError, match="not a readable store"):
        report.export(report.write_csv, tmp_path / "store", path)
    assert path.read_text() == "old"
