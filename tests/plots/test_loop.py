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
