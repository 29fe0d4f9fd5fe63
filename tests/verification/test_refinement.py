"""The common cells against the quantisers themselves, in rationals."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from bnnkit.quantiser import Quantiser
from bnnkit.verification.refinement import Refinement, refinement

STEPS = [(0.1,), (0.1, 0.3), (0.2, 0.5, 0.3), (0.3, 0.3), (0.1, 0.1000001), (0.4, Fraction(2, 15))]


def exact_levels(x, steps):
    """The level of a rational for each step."""
    return [round(x / Quantiser(step).step) for step in steps]


def places(steps):
    """Numbers that lie in every cell: the stairs of all steps, and between each two of them."""
    stairs = {
        stair
        for step in steps
        for k in range(Quantiser(step).n_levels - 1)
        for stair in [Quantiser(step).cell(k)[1]]
    }
    ends = sorted({Fraction(0), Fraction(1), *stairs})
    return sorted([*ends, *((a + b) / 2 for a, b in itertools.pairwise(ends))])


@pytest.mark.parametrize("steps", STEPS, ids=str)
def test_every_cell_is_what_some_pixels_share(steps):
    cells = Refinement([Quantiser(step) for step in steps])
    expected = [tuple(exact_levels(x, steps)) for x in places(steps)]
    distinct = [levels for levels, _ in itertools.groupby(expected)]
    assert [tuple(levels) for levels in cells.level.T.tolist()] == distinct
    assert cells.n_cells == len(distinct)


@pytest.mark.parametrize("steps", STEPS, ids=str)
@pytest.mark.parametrize("shift", [Fraction(0), Fraction(1, 20), Fraction(-3, 20)])
def test_cells_tell_the_levels_of_grey_and_float_pixels(steps, shift):
    cells = Refinement([Quantiser(step) for step in steps])
    grey = np.arange(256, dtype=np.uint8)
    near = [np.float64(float(x - shift)) for x in places(steps)]
    floats = np.array([np.nextafter(x, side) for x in near for side in (x, -1, 2)])
    for pixels in (grey, floats[(floats >= 0) & (floats <= 1)]):
        levels = cells.level[:, cells.cells(pixels, shift)]
        for step, own in zip(steps, levels, strict=True):
            assert own.tolist() == Quantiser(step).levels(pixels, shift).tolist()


@pytest.mark.parametrize("steps", STEPS, ids=str)
def test_stairs_are_where_a_level_ends(steps):
    cells = Refinement([Quantiser(step) for step in steps])
    for stairs, level in zip(cells.stair, cells.level, strict=True):
        assert np.array_equal(np.flatnonzero(np.diff(level)), stairs)


@pytest.mark.parametrize("steps", STEPS, ids=str)
def test_least_and_greatest_float32_of_each_cell(steps):
    cells = Refinement([Quantiser(step) for step in steps])
    for i, (first, last) in enumerate(zip(cells.first, cells.last, strict=True)):
        inside = [first, last] if first <= last else []
        outside = [np.nextafter(first, np.float32(-1)), np.nextafter(last, np.float32(2))]
        if first > last:  # all float32 numbers are on either side
            assert np.nextafter(last, np.float32(2)) == first
            outside = [first, last]
        for values, wanted in ((inside, True), (outside, False)):
            for value in values:
                if 0 <= value <= 1:
                    levels = exact_levels(Fraction(float(value)), steps)
                    assert (levels == cells.level[:, i].tolist()) == wanted, (i, value)


def test_a_single_number_between_two_stairs_is_no_float32():
    cells = Refinement([Quantiser(0.1), Quantiser(0.3)])
    empty = [tuple(levels) for levels in cells.level[:, ~cells.usable].T.tolist()]
    assert empty == [(2, 0), (4, 2)]  # 0.15, 0.45
    assert cells.usable[cells.cells(np.array([0.75]))].all()  # also between two, but a float32


@pytest.mark.parametrize("steps", [*STEPS, (Fraction(1, 255), 0.1), (0.01, 0.011)], ids=str)
def test_cells_of_grey_values_all_hold_one(steps):
    cells = Refinement([Quantiser(step) for step in steps], grey=True)
    grey = np.arange(256, dtype=np.uint8)
    levels = [tuple(exact_levels(Fraction(int(v), 255), steps)) for v in grey]
    distinct = [levels for levels, _ in itertools.groupby(levels)]
    assert [tuple(levels) for levels in cells.level.T.tolist()] == distinct
    assert cells.usable.all()
    of = cells.cells(grey)
    assert cells.first.tolist() == [int(np.flatnonzero(of == i)[0]) for i in range(cells.n_cells)]
    assert cells.last.tolist() == [int(np.flatnonzero(of == i)[-1]) for i in range(cells.n_cells)]
    moved = cells.cells(grey, Fraction(-7, 255))
    assert np.array_equal(moved, of[np.maximum(np.arange(256) - 7, 0)])


def test_nearest_usable_cell_of_a_box():
    cells = Refinement([Quantiser(0.1), Quantiser(0.3)])
    low, high, at = (np.array(column) for column in zip(*usable_questions(cells), strict=True))
    found = cells.nearest_usable(at, low, high)
    for a, b, own, nearest in zip(low, high, at, found, strict=True):
        inside = [c for c in range(a, b + 1) if cells.usable[c]]
        if not inside:
            assert nearest == own
            continue
        assert nearest in inside
        assert abs(nearest - own) == min(abs(c - own) for c in inside)


def usable_questions(cells):
    for low, high in itertools.combinations_with_replacement(range(cells.n_cells), 2):
        for own in range(low, high + 1):
            yield low, high, own


def test_one_refinement_for_equal_quantisers():
    assert refinement((Quantiser(0.1),), False) is refinement((Quantiser(Fraction(1, 10)),), False)
    assert refinement((Quantiser(0.1),), True) is not refinement((Quantiser(0.1),), False)
