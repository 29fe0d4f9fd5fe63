import numpy as np
import pytest
from matplotlib.container import BarContainer, ErrorbarContainer

from bnnkit import plots
from bnnkit.assess import Matrix, Rate, by_class
from bnnkit.verification import Verdict, Verdicts


def assert_bars(container, counts, n):
    """The error bars are the 95 % intervals of so many of n."""
    bars = [bar[:, 1].tolist() for bar in container.lines[2][0].get_segments()]
    rates = [Rate(*each) for each in zip(counts, n, strict=True)]
    expected = [[100 * end for end in rate.interval] for rate in rates]
    assert np.array(bars) == pytest.approx(np.array(expected))


def assert_intervals(ax, sure, possible, n):
    """Both are drawn; the second one where it is not the first."""
    drawn = [each for each in ax.containers if isinstance(each, ErrorbarContainer)]
    assert drawn[0].get_label() == "95 % interval"
    assert_bars(drawn[0], sure, n)
    apart = [i for i in range(len(n)) if possible[i] > sure[i]]
    assert_bars(drawn[1], [possible[i] for i in apart], [n[i] for i in apart])


@pytest.fixture
def matrix():
    values = np.array([[0.0, 0.25, 1.0], [np.nan, 0.5, 0.75]])
    n, none = np.full((2, 3), 100), np.full((2, 3), np.nan)
    names = ("target", "source", ["big", "small"], ["a", "b", "a long name"])
    return Matrix("Transfer", *names, values, n, none, none)


def test_rows_are_rows_and_columns_are_columns(matrix):
    ax = plots.heatmap(matrix)
    texts = {text.get_position(): text.get_text() for text in ax.texts}
    assert texts[2, 0] == "1.00"
    assert texts[0, 1] == "–"
    assert texts[1, 1] == "0.50"
    assert [label.get_text() for label in ax.get_yticklabels()] == matrix.row_names
    assert [label.get_text() for label in ax.get_xticklabels()] == matrix.column_names
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("target", "source")
    assert "(100 images each)" in ax.get_title()


def test_numbers_can_be_read_on_their_cells(matrix):
    ax = plots.heatmap(matrix)
    shades = ax.images[0].cmap(np.array([0.0, 0.25, 1.0, 0.5, 0.75]))[:, :3] @ [0.2, 0.7, 0.1]
    shown = {text.get_text(): text.get_color() for text in ax.texts}
    for value, shade in zip(["0.00", "0.25", "1.00", "0.50", "0.75"], shades, strict=True):
        ink = {"w": 1.0, "k": 0.0}[shown[value]]
        assert abs(shade - ink) > 0.4


def test_outcomes_of_a_class_add_up():
    table = by_class(["robust", "falsified", "unknown", "robust"], [0, 0, 1, 1], ["cat", "dog"])
    ax = plots.by_class(table)
    tops = {
        bars.get_label(): [bar.get_y() + bar.get_height() for bar in bars]
        for bars in ax.containers
        if isinstance(bars, BarContainer)
    }
    assert_intervals(ax, [1, 1], [1, 2], [2, 2])
    assert tops == {"robust": [50, 50], "unknown": [50, 100], "falsified": [100, 100]}
    assert [label.get_text() for label in ax.get_xticklabels()] == ["cat", "dog"]


def test_several_tables_stand_side_by_side_with_intervals():
    before, after = by_class([True, False], [0, 1]), by_class([True, True, True], [0, 1, 1])
    ax = plots.by_class({"before": before, "after": after})
    bars = [container for container in ax.containers if hasattr(container, "patches")]
    assert [[bar.get_height() for bar in each] for each in bars] == [[100, 0], [100, 100]]
    places = sorted(bar.get_x() for each in bars for bar in each)
    assert places == sorted(set(places))
    low, high = bars[1].errorbar.lines[2][0].get_segments()[1][:, 1]
    assert (low, high) == pytest.approx([100 * end for end in Rate(2, 2).interval])


def test_a_class_without_images_can_be_drawn():
    table = by_class([True, False], [0, 2], "abc")
    for tables in (table, {"one": table, "two": table}):
        plots.by_class(tables).figure.canvas.draw()


def test_tables_of_other_classes_are_not_compared():
    with pytest.raises(ValueError, match="the same classes"):
        plots.by_class({"a": by_class([True], [0]), "b": by_class([True], [1])})


def test_a_quantisation_study_shows_verdicts_accuracy_and_times(study):
    left, right = plots.quantisation(study)
    clean = left.containers[-1]
    assert clean.lines[0].get_ydata() == pytest.approx([90, 80, 70])
    assert_bars(clean, [90, 80, 70], [100] * 3)
    assert_intervals(left, [4, 2, 0], [5, 3, 1], [5] * 3)
    robust = [bar.get_height() for bar in left.containers[0]]
    assert robust == pytest.approx([80, 40, 0])
    assert right.lines[0].get_ydata().tolist() == [3, 8, 13]
    assert right.lines[1].get_ydata().tolist() == [5, 10, 15]
    assert [label.get_text() for label in right.get_xticklabels()] == study.steps


def test_a_bar_for_each_table_of_verdicts_from_the_top():
    tables = {"none": "uuf", "some": "ruf", "few": "r"}
    names = {"r": "robust", "u": "unknown", "f": "falsified"}
    found = {
        name: Verdicts([Verdict(names[letter], 3, 0.1, 3, 3, "solver") for letter in letters])
        for name, letters in tables.items()
    }
    ax = plots.verdicts(found)
    spans = {
        bars.get_label(): [(bar.get_x(), bar.get_width()) for bar in bars]
        for bars in ax.containers
        if isinstance(bars, BarContainer)
    }
    (intervals,) = (each for each in ax.containers if isinstance(each, ErrorbarContainer))
    drawn = [bar[:, 0].tolist() for bar in intervals.lines[2][0].get_segments()]
    expected = [[n * end for end in Rate(k, n).interval] for k, n in ((0, 3), (1, 3), (1, 1))]
    assert np.array(drawn) == pytest.approx(np.array(expected))
    assert spans["robust"] == [(0, 0), (0, 1), (0, 1)]
    assert spans["unknown"] == [(0, 2), (1, 1), (1, 0)]
    assert spans["falsified"] == [(2, 1), (2, 1), (1, 0)]
    heights = [ax.transData.transform((0, place))[1] for place in ax.get_yticks()]
    assert heights == sorted(heights, reverse=True)
    assert [label.get_text() for label in ax.get_yticklabels()] == list(tables)
    assert ax.get_title() == "Verdicts, eps 0.1"
