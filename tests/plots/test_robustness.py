import numpy as np
import pytest

from bnnkit import plots
from bnnkit.assess import Rate


def boundary(area):
    """The upper edge of a stacked area at each x."""
    vertices = area.get_paths()[0].vertices
    return {x: vertices[vertices[:, 0] == x, 1].max() for x in np.unique(vertices[:, 0])}


def test_areas_end_where_the_counts_do(curve):
    ax = plots.resistance(curve)
    robust, unknown, falsified = ax.collections[:3]
    assert list(boundary(robust).values()) == pytest.approx([80, 40, 0])
    assert list(boundary(unknown).values()) == pytest.approx([100, 60, 20])
    assert list(boundary(falsified).values()) == pytest.approx([100, 100, 100])
    assert "5 images" in ax.get_title()
    for container, counts in zip(ax.containers, ([4, 2, 0], [5, 3, 1]), strict=True):
        bars = [bar[:, 1].tolist() for bar in container.lines[2][0].get_segments()]
        expected = [[100 * end for end in Rate(count, 5).interval] for count in counts]
        assert np.array(bars) == pytest.approx(np.array(expected))


def test_several_curves_have_an_axes_each(curve):
    axes = plots.resistance({"plain": curve, "robust": curve})
    assert [ax.get_title() for ax in axes] == ["plain: 5 images", "robust: 5 images"]
    widths = [ax.get_position().width for ax in axes]
    assert min(widths) > 0.25


def test_one_radius_can_be_drawn(curve):
    from bnnkit.assess import ResistanceCurve

    parts = (curve.eps, curve.status, curve.answers, curve.seconds)
    single = ResistanceCurve(*(part[:1] for part in parts), curve.labels, {})
    plots.resistance(single).figure.canvas.draw()
    plots.times(single)[0].figure.canvas.draw()


def test_the_step_and_the_band_of_minimal_eps(minimal):
    ax = plots.minimal_epsilons(minimal)
    line = ax.lines[0]
    assert line.get_drawstyle() == "steps-post"
    steps = dict(zip(line.get_xdata().tolist(), line.get_ydata().tolist(), strict=True))
    assert steps == {0: 25, 0.1: 25, 0.2: 50, 0.3: 75, 0.5: 75}
    band = ax.collections[1].get_paths()[0].vertices
    assert band[(band[:, 0] > 0.15) & (band[:, 0] < 0.25), 1].max() == 75
    assert line.get_label() == "falsified (4 images, 1 undecided)"


def test_times_are_of_the_questions_that_were_asked(curve):
    left, right = plots.times({"net": curve})
    assert left.lines[0].get_ydata().tolist() == [0.25, 0.25, 0.25]
    assert right.lines[0].get_ydata().tolist() == [0, 25, 25]
    assert left.lines[1].get_label() == "limit 2 s"


@pytest.mark.parametrize("name", ["resistance", "minimal_epsilons"])
def test_an_existing_axes_is_used(name, request, curve, minimal):
    _, ax = plots.plt.subplots()
    data = curve if name == "resistance" else minimal
    assert getattr(plots, name)(data, ax=ax) is ax
