import csv
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from bnnkit import plots
from bnnkit.assess import Rate


def areas(ax):
    return [each for each in ax.collections if isinstance(each, PolyCollection)]


def clean_line(ax):
    return next(each for each in ax.containers if "clean" in each.get_label()).lines[0]


@pytest.mark.parametrize("n_rounds", [1, 4])
def test_rounds_show_shares_that_add_up(n_rounds, history):
    ax = plots.rounds(history(n_rounds))
    top = areas(ax)[-1].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(100)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "robust",
        "unknown",
        "falsified",
        "95 % interval",
        "clean accuracy\n(all test images)",
    ]
    assert ax.get_ylabel() == "% of images"
    assert ax.get_title() == "Verdicts of exact on 40 test images, eps 0.3"  # the judge's
    assert clean_line(ax).get_ydata().tolist() == [90] * n_rounds


def test_without_a_judge_there_is_the_clean_accuracy(history):
    ax = plots.rounds(history(3, judged=False))
    assert clean_line(ax).get_ydata().tolist() == [90] * 3
    assert not areas(ax)
    assert ax.get_title() == "Robust training, eps 0.1"


def test_a_pool_is_not_called_test_images(history):
    found = history(2)
    for step in found.rounds:
        step.judged["exact"] = replace(step.judged["exact"], eps=None, complete=False)
    assert plots.rounds(found).get_title() == "Verdicts of exact on 40 images"
    assert plots.runs({"a": found})[0].get_ylabel() == "% not fooled, of 40 images"


def test_an_unknown_judge_is_named(history):
    with pytest.raises(
        ValueError, match=r"there is no judge 'pgd' in this history, but \['exact'\]"
    ):
        plots.rounds(history(2), judge="pgd")


@pytest.mark.parametrize("draw", [plots.rounds, plots.round_times])
def test_an_existing_axes_is_used(draw, history):
    _, ax = plots.plt.subplots()
    assert draw(history(2), ax=ax) is ax


def test_verdicts_differ_without_colour(history):
    assert len({area.get_hatch() for area in areas(plots.rounds(history(2)))}) == 3


def test_times_stand_on_top_of_each_other(history):
    ax = plots.round_times(history(3))
    tops = [[bar.get_y() + bar.get_height() for bar in bars] for bars in ax.containers]
    assert ax.get_ylim()[0] == 0
    assert tops == [[1.0] * 3, [3.0] * 3, [3.5] * 3]
    assert ax.get_title() == "Time of robust training, 10.5 s in all"


def test_runs_have_a_line_each_for_robust_and_clean(history):
    left, right = plots.runs({"live": history(4), "pool": history(2)})
    for ax, live, pool in ((left, [50, 52.5, 55, 57.5], [50, 52.5]), (right, [90] * 4, [90] * 2)):
        assert [lines_of(ax, name).get_ydata().tolist() for name in ("live", "pool")] == [
            pytest.approx(live),
            pytest.approx(pool),
        ]
        styles = {(line.get_linestyle(), line.get_marker()) for line in ax.lines}
        assert len(styles - {("None", "_")}) == 2
    assert left.get_title() == "Judged by exact"
    assert left.get_ylabel() == "% robust, of 40 test images, eps 0.3"


def lines_of(ax, name):
    """The line of a run in a panel of `runs`."""
    return next(each for each in ax.containers if each.get_label() == name).lines[0]


def test_seven_runs_have_seven_entries_and_none_hides_another(history):
    left, right = plots.runs({f"run {i}": history(3) for i in range(7)})
    (legend,) = left.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [f"run {i}" for i in range(7)]
    for ax in (left, right):
        places = [lines_of(ax, f"run {i}").get_xdata() for i in range(7)]
        assert np.diff(places, axis=0).min() > 0.05
        assert np.abs(np.array(places) - [0, 1, 2]).max() < 0.5
    assert left.figure.get_figwidth() <= 15


def test_intervals_are_drawn_and_written(history, tmp_path):
    found = history(3)
    ax = plots.rounds(found)
    bars = {each.get_label(): each for each in ax.containers}
    robust, not_falsified = bars["95 % interval"], bars["_container1"]
    for container, counts in ((robust, [20, 21, 22]), (not_falsified, [25, 26, 27])):
        segments = [bar[:, 1].tolist() for bar in container.lines[2][0].get_segments()]
        expected = [[100 * end for end in Rate(count, 40).interval] for count in counts]
        assert np.array(segments) == pytest.approx(np.array(expected))
    plots.save(ax, tmp_path / "rounds.png")
    plots.save(plots.runs({"a": found}), tmp_path / "runs.png")
    one, several = (
        list(csv.DictReader((tmp_path / f"{name}.png.csv").read_text().splitlines()))
        for name in ("rounds", "runs")
    )
    for row, other, step in zip(one, several, found.rounds, strict=True):
        low, high = Rate(step.judged["exact"].robust, 40).interval
        assert (float(row["robust_low"]), float(row["robust_high"])) == (low, high)
        assert (float(other["low"]), float(other["high"])) == (low, high)
        assert (row["judge"], row["eps"], row["n"]) == ("exact", "0.3", "40")
        clean = tuple(str(end) for end in Rate(180, 200).interval)
        assert (row["clean_low"], row["clean_high"]) == clean
        assert (other["clean_low"], other["clean_high"]) == clean


def test_runs_must_have_the_judge(history):
    with pytest.raises(ValueError, match="nothing judged the run 'plain'"):
        plots.runs({"plain": history(2, judged=False)})
    with pytest.raises(ValueError, match="no judge 'exact' in this history"):
        plots.runs({"judged": history(2), "plain": history(2, judged=False)})


def test_who_proves_nothing_calls_nothing_robust(history):
    found = history(2)
    for step in found.rounds:
        step.judged["exact"] = replace(step.judged["exact"], complete=False)
    assert plots.rounds(found).collections[0].get_label() == "not fooled"
    assert plots.runs({"a": found})[0].get_ylabel() == "% not fooled, of 40 test images, eps 0.3"


def test_what_a_detector_detected_is_an_area_of_its_own(history):
    found = history(2)
    for step in found.rounds:
        step.judged["exact"] = replace(step.judged["exact"], detected=10)
    ax = plots.rounds(found)
    tops = [area.get_paths()[0].vertices[:, 1].max() for area in areas(ax)]
    assert tops == pytest.approx([42, 62, 72, 100])
    assert areas(ax)[1].get_label() == "detected"
    line = lines_of(plots.runs({"a": found})[0], "a")
    assert line.get_ydata() == pytest.approx([100 * 30 / 50, 100 * 31 / 50])
