import csv
import sys

import pytest
import robust_curve
from robust_curve import as_csv, draw, measure, with_epochs
from robust_recipes import RECIPES
from robust_table import Published

PNG = b"\x89PNG"


def row(minutes, clean=0.9, certified=0.5):
    return {"epochs": 1, "minutes": minutes, "clean": clean, "certified": certified}


@pytest.fixture(autouse=True)
def no_display():
    import matplotlib

    matplotlib.use("Agg")


def test_another_budget_changes_nothing_else(made):
    other = with_epochs(made.recipe, 7)
    assert other.settings == made.recipe.settings | {"epochs": 7}
    assert made.recipe.settings["epochs"] == 3
    assert (other.dataset, other.eps) == (made.recipe.dataset, made.recipe.eps)


def test_a_budget_is_measured_as_the_evaluation_is(made, tmp_path):
    found, card = measure(made.recipe, made.data, tmp_path, jobs=1), made.card.evaluation
    assert found["clean"] == card.clean_accuracy
    assert found["certified"] == card.certified_accuracy
    assert [found[name] for name in ("robust", "falsified", "unknown")] == [
        *(card.robust, card.falsified, card.unknown)
    ]
    assert 0 < found["minutes"] < 1


def test_rows_come_back_from_the_csv():
    rows = [row(0.5), row(1.25)]
    read = list(csv.DictReader(as_csv(rows).splitlines()))
    assert [{key: float(text) for key, text in line.items()} for line in read] == rows


@pytest.mark.parametrize("published", [None, Published(60.0, 90.0, 80.0, 0.01, 0.001)])
def test_the_picture_has_a_line_for_each_accuracy(published, tmp_path, monkeypatch):
    from bnnkit.plots import plt

    figures = []
    monkeypatch.setattr(plt, "close", figures.append)
    draw([row(1), row(2), row(4)], "title", tmp_path / "curve.png", published)
    (ax,) = figures[0].axes
    labels = ["clean", "certified"] + ["certified, published"] * (published is not None)
    assert [line.get_label() for line in ax.lines] == labels
    assert ax.lines[1].get_ydata().tolist() == [50, 50, 50]
    assert (tmp_path / "curve.png").read_bytes()[:4] == PNG


def test_the_command_writes_rows_and_picture(made, tmp_path, monkeypatch):
    monkeypatch.setitem(RECIPES, "digits-tiny", made.recipe)
    arguments = ["digits-tiny", "--epochs", "2", "1", "--folder", str(tmp_path), "--jobs", "1"]
    monkeypatch.setattr(sys, "argv", ["robust_curve.py", *arguments])
    robust_curve.main()
    with open(tmp_path / "digits-tiny.csv", newline="") as file:
        assert [line["epochs"] for line in csv.DictReader(file)] == ["1", "2"]
    assert (tmp_path / "digits-tiny.png").read_bytes()[:4] == PNG
