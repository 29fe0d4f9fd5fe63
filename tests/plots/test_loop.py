from dataclasses import replace

import pytest

from bnnkit import plots


@pytest.mark.parametrize("n_rounds", [1, 4])
def test_rounds_show_shares_that_add_up(n_rounds, history):
    ax = plots.rounds(history(n_rounds))
    top = ax.collections[-1].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(100)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "robust",
        "unknown",
        "falsified",
        "clean accuracy\n(all test images)",
    ]
    assert ax.get_ylabel() == "% of images"
    assert ax.get_title() == "Verdicts of exact on 40 test images, eps 0.1"
    assert ax.lines[0].get_ydata().tolist() == [90] * n_rounds


def test_without_a_judge_there_is_the_clean_accuracy(history):
    ax = plots.rounds(history(3, judged=False))
    assert ax.lines[0].get_ydata().tolist() == [90] * 3
    assert not ax.collections
    assert ax.get_title() == "Robust training, eps 0.1"


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
    areas = plots.rounds(history(2)).collections
    assert len({area.get_hatch() for area in areas}) == 3


def test_times_stand_on_top_of_each_other(history):
    ax = plots.round_times(history(3))
    tops = [[bar.get_y() + bar.get_height() for bar in bars] for bars in ax.containers]
    assert tops == [[1.0] * 3, [3.0] * 3, [3.5] * 3]
    assert ax.get_title() == "Time of robust training, 10.5 s in all"


def test_runs_have_a_line_each_for_robust_and_clean(history):
    ax = plots.runs({"live": history(4), "pool": history(2)})
    lines = {line.get_label(): line for line in ax.lines}
    assert list(lines) == ["live: robust", "live: clean", "pool: robust", "pool: clean"]
    assert lines["live: robust"].get_ydata() == pytest.approx([50, 52.5, 55, 57.5])
    assert list(lines["pool: clean"].get_ydata()) == [90, 90]
    styles = {(line.get_linestyle(), line.get_marker()) for line in ax.lines}
    assert len(styles) == 2
    assert ax.get_title() == "Images that withstand exact"


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
    assert plots.runs({"a": found}).lines[0].get_label() == "a: not fooled"


def test_what_a_detector_detected_is_an_area_of_its_own(history):
    found = history(2)
    for step in found.rounds:
        step.judged["exact"] = replace(step.judged["exact"], detected=10)
    ax = plots.rounds(found)
    tops = [area.get_paths()[0].vertices[:, 1].max() for area in ax.collections]
    assert tops == pytest.approx([42, 62, 72, 100])
    assert ax.collections[1].get_label() == "detected"
    assert plots.runs({"a": found}).lines[0].get_ydata() == pytest.approx([60, 62])
