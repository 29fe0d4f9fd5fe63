import numpy as np
import pytest

from bnnkit import plots
from bnnkit.comparison import Comparison, Record
from bnnkit.robust import Counts, History, Round


@pytest.fixture(autouse=True)
def closed_figures():
    import matplotlib

    matplotlib.use("Agg")
    yield
    matplotlib.pyplot.close("all")


def history(n_rounds, judged=True):
    verdicts = [{"exact": Counts(20 + i, 15 - i, 5, True, 1.0)} if judged else {} for i in range(9)]
    rounds = [Round(i, 10, 5, 0, 100 + 5 * i, 0.9, verdicts[i], {}) for i in range(n_rounds)]
    return History({"eps": 0.1}, rounds)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("n", [1, 3, 20])
def test_sheet_shows_original_difference_and_adversarial(channels, n):
    rng = np.random.default_rng(0)
    originals = rng.integers(0, 256, (n, channels, 5, 5)).astype(np.uint8)
    adversarial = np.clip(originals / 255 + rng.choice([-0.1, 0.1], originals.shape), 0, 1)
    axes = plots.adversarial_sheet(originals, adversarial, range(n), range(1, n + 1))
    assert axes.shape == (3, min(n, 8))
    assert axes[0, 0].get_title() == "0"
    assert axes[2, 0].get_title() == "seen as 1"
    shown = axes[2, -1].images[0].get_array().reshape(5, 5, channels)
    assert np.allclose(shown, adversarial[min(n, 8) - 1].transpose(1, 2, 0), atol=1e-6)
    middle = axes[1, 0].images[0].get_array()
    assert 0 <= middle.min() <= middle.max() <= 1


@pytest.mark.parametrize("n_rounds", [1, 4])
def test_rounds_show_shares_that_add_up(n_rounds):
    ax = plots.rounds(history(n_rounds))
    top = ax.collections[-1].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(100)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "robust",
        "unknown",
        "falsified",
        "clean accuracy (all test images)",
    ]
    assert ax.get_ylabel() == "% of images"
    assert ax.get_title() == "Verdicts of exact on 40 test images, eps 0.1"
    assert ax.lines[0].get_ydata().tolist() == [90] * n_rounds


def test_without_a_judge_there_is_the_clean_accuracy():
    ax = plots.rounds(history(3, judged=False))
    assert ax.lines[0].get_ydata().tolist() == [90] * 3
    assert not ax.collections
    assert ax.get_title() == "Robust training, eps 0.1"


def test_an_unknown_judge_is_named():
    with pytest.raises(
        ValueError, match=r"there is no judge 'pgd' in this history, but \['exact'\]"
    ):
        plots.rounds(history(2), judge="pgd")


def test_an_existing_axes_is_used():
    _, ax = plots.plt.subplots()
    assert plots.rounds(history(2), judge="exact", ax=ax) is ax


def comparison(answers):
    """Of `answers`: for each solver the seconds of its questions, None for an undecided one."""
    return Comparison(
        10,
        [
            Record(
                f"q{i}", solver, "unknown" if s is None else "sat", "solver", 0, s or 10, s or 10
            )
            for solver, seconds in answers.items()
            for i, s in enumerate(seconds)
        ],
    )


def lines_of(ax):
    """The lines of a cactus plot by their labels."""
    return {line.get_label(): line for line in ax.lines}


def test_cactus_shows_the_answered_questions_from_the_fastest_on():
    ax = plots.cactus(comparison({"slow": [8, None, 4, None], "fast": [0.5, 0.1, 9, None]}))
    lines = lines_of(ax)
    assert list(lines) == ["fast (3)", "slow (2)", "time limit"]  # the legend's order, best first
    assert lines["fast (3)"].get_xdata().tolist() == [1, 2, 3]
    assert lines["fast (3)"].get_ydata().tolist() == [0.1, 0.5, 9]
    assert lines["slow (2)"].get_ydata().tolist() == [4, 8]
    assert list(lines["time limit"].get_ydata()) == [10, 10]
    assert ax.get_yscale() == "log"
    assert ax.get_xlabel() == "questions answered, of 4"


def test_cactus_lines_differ_in_colour_and_without_colour():
    lines = plots.cactus(comparison({f"solver {i}": [1, 2] for i in range(7)})).lines[:7]
    assert len({line.get_color() for line in lines}) == 7
    assert len({(line.get_linestyle(), line.get_marker()) for line in lines}) == 7


@pytest.mark.parametrize("n", [1, 11, 12, 25, 100])
def test_cactus_marks_the_last_question(n):
    line = plots.cactus(comparison({"only": range(1, n + 1)})).lines[0]
    start, step = line.get_markevery()
    marked = range(n)[start::step]
    assert marked[-1] == n - 1
    assert min(n, 12) <= len(marked) <= 24


@pytest.mark.parametrize("answers", [{}, {"none": [None, None]}])
def test_cactus_of_no_answers_can_be_drawn(answers):
    ax = plots.cactus(comparison(answers))
    ax.figure.canvas.draw()
    assert "time limit" in lines_of(ax)


def test_cactus_uses_an_existing_axes():
    _, ax = plots.plt.subplots()
    assert plots.cactus(comparison({"a": [1]}), ax=ax) is ax
