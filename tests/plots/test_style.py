"""One way for all pictures to be written, with their numbers."""

import csv

import numpy as np
import pytest
from helpers import random_network

from bnnkit import plots
from bnnkit.assess import by_class
from bnnkit.comparison import Comparison, Record
from bnnkit.verification import Verdict, Verdicts

SIGNATURES = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}


@pytest.fixture
def pictures(history, curve, minimal, strips, study):
    """A function for each public picture, that draws it."""
    table = by_class(curve.status[1], curve.labels)
    images = np.random.default_rng(0).random((9, 4, 4))
    network = random_network(np.random.default_rng(0), (1, 4, 4))
    record = Record("q", "native", "sat", "solver", 0.1, 0.2, 0.3)
    return {
        "adversarial_sheet": lambda: plots.adversarial_sheet(
            images, 1 - images, range(9), range(9)
        ),
        "by_class": lambda: plots.by_class(table),
        "cactus": lambda: plots.cactus(Comparison(10, [record])),
        "eps_strip": lambda: plots.eps_strip(strips[0]),
        "heatmap": lambda: plots.heatmap(study.differences()),
        "minimal_epsilons": lambda: plots.minimal_epsilons({"a": minimal, "b": minimal}),
        "quantisation": lambda: plots.quantisation(study),
        "quantisation_strip": lambda: plots.quantisation_strip(strips[1]),
        "resistance": lambda: plots.resistance({"a": curve, "b": curve}),
        "round_times": lambda: plots.round_times(history(3)),
        "rounds": lambda: plots.rounds(history(3)),
        "runs": lambda: plots.runs({"a": history(3), "b": history(2)}),
        "times": lambda: plots.times(curve),
        "verdicts": lambda: plots.verdicts(Verdicts([Verdict("robust", 3, 0.1, 3, 3, "bounds")])),
        "weights": lambda: plots.weights(network),
    }


def test_every_picture_is_written_with_its_numbers(pictures, tmp_path):
    functions = {name for name in plots.__all__ if callable(getattr(plots, name))} - {"save"}
    assert functions == pictures.keys()
    for name, draw in pictures.items():
        path = tmp_path / "new" / f"{name}.png"
        axes = draw()
        plots.save(axes, path)
        assert path.read_bytes().startswith(SIGNATURES["png"])
        with open(f"{path}.csv", encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert rows, name
        assert {len(row) for row in rows} == {len(header)}, name
        assert all(ax.figure is np.ravel(axes)[0].figure for ax in np.ravel(axes))


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg", "PNG"])
def test_the_suffix_says_what_it_is(suffix, curve, tmp_path):
    plots.save(plots.resistance(curve), tmp_path / f"it.{suffix}")
    assert (tmp_path / f"it.{suffix}").read_bytes().startswith(SIGNATURES[suffix.lower()])


def test_an_unknown_suffix_leaves_no_file(curve, tmp_path):
    with pytest.raises(ValueError, match="xyz"):
        plots.save(plots.resistance(curve), tmp_path / "it.xyz")
    assert not list(tmp_path.iterdir())


def test_pictures_on_one_figure_have_a_file_each(history, curve, tmp_path):
    figure, (left, right) = plots.plt.subplots(1, 2)
    plots.rounds(history(2), ax=left)
    plots.save(plots.resistance(curve, ax=right), tmp_path / "both.png")
    first = (tmp_path / "both.png.csv").read_text()
    second = (tmp_path / "both.png.2.csv").read_text()
    assert first.startswith("round,")
    assert second.startswith("model,eps,")
    assert len(figure.axes) == 2


@pytest.mark.parametrize("draw", [plots.resistance, plots.minimal_epsilons, plots.times])
def test_something_else_is_named(draw, history):
    with pytest.raises(TypeError, match="got History"):
        draw(history(1))
    with pytest.raises(ValueError, match="to draw"):
        draw({})
