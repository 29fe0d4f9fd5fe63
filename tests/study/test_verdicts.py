"""Measures of exact questions show what the questions were about."""

import csv

import numpy as np
import pytest

from bnnkit import BinaryNetwork, assess, datasets, study
from bnnkit.ensemble import Vote

MEASURES = """
[measures.sheet]
kind = "white-box"
of = ["live"]
eps = 0.2
images = 40
question = "QUESTION"

[measures.matrix]
kind = "eps-matrix"
of = ["plain", "live"]
eps = [0.05, 0.3]
images = 10
pools = ["judge"]
question = "vote"
"""


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module", params=["vote", "joint"])
def folder(request, tmp_path_factory):
    from tiny_study import TINY

    where = tmp_path_factory.mktemp("asked")
    text = TINY.split("[measures.rounds]")[0].replace("k = 2", "k = 3").replace("seed = 7", "")
    (where / "asked.toml").write_text(text + MEASURES.replace("QUESTION", request.param))
    study.run(study.load(where / "asked.toml"), where / "out")
    return where / "out"


def test_a_sheet_shows_the_classes_of_the_verdicts(folder):
    shown = rows_of(folder / "measures/sheet/sheet-live.png.csv")
    verdicts = rows_of(folder / "measures/sheet/live-verdicts.csv")
    found = [v for v in verdicts if v["status"] == "falsified" and v["stage"] != "clean"]
    assert len(shown) == min(8, len(found)) > 0
    for row, verdict in zip(shown, found, strict=False):
        assert row["predicted"] == verdict["predicted"] != verdict["label"] == row["label"]


def test_the_matrix_is_what_the_curves_and_the_pool_say(folder):
    digits = datasets.load("digits")
    images, labels = digits.test.images[:10], digits.test.labels[:10]
    networks = [BinaryNetwork.load(folder / f"runs/live/model-{i}.npz") for i in range(3)]
    curve = assess.resistance_curve(Vote(networks), images, labels, [0.05, 0.3], question="vote")
    found = rows_of(folder / "measures/matrix/certified.csv")
    ours = [row for row in found if row["run"] == "live (eps 0.3)"]
    assert [float(row["share"]) for row in ours] == (curve.counts["robust"] / 10).tolist()
    pool = assess.AdversarialPool.load(folder / "pools/judge.npz")
    right = (Vote(networks).predict(pool.images) == pool.labels).mean()
    row = rows_of(folder / "measures/matrix/transfer.csv")[1]
    assert row["run"] == "live (eps 0.3)"
    assert float(row["share"]) == pytest.approx(right)
    assert np.isfinite(float(row["low"]))
