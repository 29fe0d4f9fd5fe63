import itertools
from dataclasses import replace

import numpy as np
import pytest

from bnnkit import plots
from bnnkit.assess import MinimalEpsilons, Rate, ResistanceCurve


def heights(ax, eps):
    """For each label the height of its area at an eps: where a vertical line meets its outline."""
    found = {}
    for area in (each for each in ax.collections if each.get_label()[0] != "_"):
        outline = area.get_paths()[0].vertices
        met = []
        for (x, y), (next_x, next_y) in itertools.pairwise(outline):
            if (x - eps) * (next_x - eps) < 0:
                met.append(y + (eps - x) / (next_x - x) * (next_y - y))
        found[area.get_label().replace("\n", " ")] = (max(met) - min(met)) if met else 0.0
    return found


FALLS = "not asked"


def test_areas_between_two_radii_are_what_follows_from_them(curve):
    ax = plots.resistance(curve)
    for eps in (0.001, 0.049):
        expected = {"robust": 80, "unknown": 20, FALLS: 0, "falsified": 0}
        assert heights(ax, eps) == pytest.approx(expected)
    for eps in (0.051, 0.075, 0.099):
        expected = {"robust": 40, "unknown": 40, FALLS: 20, "falsified": 0}
        assert heights(ax, eps) == pytest.approx(expected)
    for eps in (0.101, 0.2, 0.299):
        expected = {"robust": 0, "unknown": 40, FALLS: 20, "falsified": 40}
        assert heights(ax, eps) == pytest.approx(expected)
    assert "5 images" in ax.get_title()


@pytest.mark.parametrize("seed", range(3))
def test_no_area_claims_more_than_is_true(seed):
    """Images whose smallest eps are known, anywhere between the radii that are asked about."""
    rng = np.random.default_rng(seed)
    smallest = np.concatenate([rng.random(36) / 2, [0.1, 0.2, np.nextafter(0.1, 1), 0.0]])
    labels, ones = np.zeros(40, np.int64), np.ones(40)
    known = MinimalEpsilons(smallest, smallest, ones > 0, ones, labels, 1.0, {})
    radii = np.array([0.0, 0.1, 0.2, 0.4])[seed:]
    status = np.array([known.status(eps) for eps in radii.tolist()])
    status[rng.random(status.shape) < 0.1] = "unknown"
    curve = ResistanceCurve(radii, status, status, np.ones(status.shape), labels, {})
    ax = plots.resistance(curve)
    for eps in rng.random(100) * 0.4:
        drawn, true = heights(ax, eps), known.at(eps)
        assert drawn["robust"] <= 100 * true.robust / 40 + 1e-9
        assert drawn["falsified"] <= 100 * true.falsified / 40 + 1e-9
        assert sum(drawn.values()) == pytest.approx(100)


def test_points_and_bars_are_the_measured_shares(curve):
    ax = plots.resistance(curve)
    for container, counts in zip(ax.containers, ([4, 2, 0], [5, 3, 1]), strict=True):
        bars = [bar[:, 1].tolist() for bar in container.lines[2][0].get_segments()]
        expected = [[100 * end for end in Rate(count, 5).interval] for count in counts]
        assert np.array(bars) == pytest.approx(np.array(expected))
        points = container.lines[0]
        assert points.get_ydata() == pytest.approx([100 * count / 5 for count in counts])
        assert points.get_linestyle() == "None"


def test_several_curves_have_an_axes_each(curve):
    axes = plots.resistance({"plain": curve, "robust": curve})
    assert [ax.get_title() for ax in axes] == ["plain: 5 images", "robust: 5 images"]
    axes[0].figure.canvas.draw()
    widths = [ax.get_position().width for ax in axes]
    assert min(widths) > 0.25


def test_a_slide_has_room_for_two_in_a_row(curve):
    for n in (3, 4, 5):
        axes = plots.resistance({f"net {i}": curve for i in range(n)})
        figure = axes[0].figure
        assert len(axes) == len(figure.axes) == n
        assert figure.get_figwidth() <= 15
        places = {tuple(ax.get_subplotspec().get_geometry()[:2]) for ax in axes}
        assert places == {(-(-n // 2), 2)}
        assert len(figure.legends) == 1
        labels = [text.get_text() for text in figure.legends[0].get_texts()]
        assert len(labels) == len(set(labels)) == 5


def test_one_radius_is_a_bar(curve):
    parts = (curve.eps, curve.status, curve.answers, curve.seconds)
    single = ResistanceCurve(*(part[:1] for part in parts), curve.labels, {})
    ax = plots.resistance(single)
    ax.figure.canvas.draw()
    assert heights(ax, 0.05) == pytest.approx({"robust": 80, "unknown": 20, "falsified": 0})
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.05"]
    plots.times(single)[0].figure.canvas.draw()


def test_the_step_and_the_band_of_minimal_eps(minimal):
    ax = plots.minimal_epsilons(minimal)
    line = ax.lines[0]
    assert line.get_drawstyle() == "steps-post"
    steps = dict(zip(line.get_xdata().tolist(), line.get_ydata().tolist(), strict=True))
    assert steps == {0: 25, 0.1: 25, 0.2: 50, 0.3: 75, 0.5: 75}
    band = ax.collections[0].get_paths()[0].vertices
    assert band[(band[:, 0] > 0.15) & (band[:, 0] < 0.25), 1].max() == 75
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["falsified (4 images, 1 undecided)", "unknown", "95 % interval"]


def test_intervals_of_minimal_eps_stand_beside_each_other(minimal):
    ax = plots.minimal_epsilons({"a": minimal, "b": minimal, "c": minimal})
    bars = [each for each in ax.containers if len(each.lines[2][0].get_segments()) > 1]
    places = [[bar[0, 0] for bar in each.lines[2][0].get_segments()] for each in bars]
    assert len({x for each in places for x in each}) == sum(map(len, places)) == 24
    for each in bars:
        for (x, low), (_, high) in each.lines[2][0].get_segments():
            counts = minimal.at(float(x))
            expected = counts.vulnerable.interval
            assert (low, high) == pytest.approx([100 * end for end in expected])


def test_what_is_decided_has_no_band(minimal):
    decided = replace(minimal, lower=minimal.upper.clip(0, 0.5), decided=np.ones(4, bool))
    legend = plots.minimal_epsilons({"a": decided, "b": decided}).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [
        "a (4 images, 0 undecided)",
        "b (4 images, 0 undecided)",
        "95 % interval",
    ]


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
