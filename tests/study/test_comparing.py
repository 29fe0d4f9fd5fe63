"""The comparison says whose numbers it shows, and they are the library's."""

import csv

import numpy as np
import pytest
from tiny_study import TINY

from bnnkit import assess, datasets, study
from bnnkit.study.laboratory import Laboratory

MEASURES = """
[measures.all]
kind = "comparison"
of = ["plain", "live"]
eps = [0.1]
images = 8
pools = ["judge"]
attacks = ["high-noise"]
question = "vote"

[measures.ends]
kind = "rounds"
of = ["live"]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    where = tmp_path_factory.mktemp("compared")
    (where / "c.toml").write_text(TINY.split("[measures.rounds]")[0] + MEASURES)
    loaded = study.load(where / "c.toml")
    study.run(loaded, where / "out")
    return Laboratory(loaded, where / "out")


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def value(made, model, measure):
    rows = rows_of(made.folder / "measures/all/measures.csv")
    return float(
        next(row["value"] for row in rows if (row["model"], row["measure"]) == (model, measure))
    )


def test_columns_say_who_is_measured(made):
    (first, *_) = rows_of(made.folder / "measures/all/overview.csv")
    assert list(first) == ["measure", "plain (its network)", "live (vote of 2)"]
    text = (made.folder / "report.html").read_text(encoding="utf-8")
    assert "Asked about the vote of all networks of a run" in text
    assert "1 - |p_y - max p|" in text


def test_numbers_are_those_of_the_vote_and_means_of_the_networks(made):
    trained, pool, test = (
        made.run("live"),
        made.pool("judge"),
        datasets.load("digits").test.first(60),
    )
    vote = (trained.model.predict(test.images) == test.labels).mean()
    each = [(model.predict(pool.images) == pool.labels).mean() for model in trained.models]
    who = "live (vote of 2)"
    assert value(made, who, "clean accuracy") == pytest.approx(vote)
    assert value(made, who, "accuracy on judge, mean of the networks") == pytest.approx(
        np.mean(each)
    )
    softmax = [
        assess.softmax_robustness(assess.logits(model, pool.images), pool.labels)
        for model in trained.models
    ]
    for name, said in (("absolute", "absolute robustness"), ("inverse_ratio", "inverse ratio")):
        mean = np.mean([getattr(figures, name) for figures in softmax])
        assert value(made, who, f"{said}, on judge") == pytest.approx(mean)
    (row,) = rows_of(made.folder / "measures/ends/ends.csv")
    assert row["networks"] == "2"
    assert float(row["last, mean of the networks"]) == pytest.approx(np.mean(each))


def test_a_single_network_has_no_mean(made):
    rows = rows_of(made.folder / "measures/all/measures.csv")
    means = {
        row["value"]
        for row in rows
        if row["model"].startswith("plain") and "mean" in row["measure"]
    }
    assert means == {""}
