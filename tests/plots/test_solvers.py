import pytest

from bnnkit import plots
from bnnkit.comparison import Comparison, Record


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
