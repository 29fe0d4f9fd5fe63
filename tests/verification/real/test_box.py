from fractions import Fraction

import numpy as np
import pytest
import real_boxes

from bnnkit.fuzz import plain_boxes
from bnnkit.network import RealConv2d
from bnnkit.verification.real.box import Box, Grid


def test_ends_are_taken_for_their_exact_values():
    box = Box([[[0.1, 1, Fraction(1, 3)]]], [[[0.1, 2, Fraction(1, 2)]]])
    assert box.low[0, 0].tolist() == [Fraction(0.1), 1, Fraction(1, 3)]
    assert box.contains(box.centre)
    assert not box.contains(box.high + Fraction(1, 10**30))
    assert (box.nearest(box.high + 1) == box.high).all()


def test_what_is_next_to_an_end_is_put_on_it():
    third, near, far = Fraction(1, 3), Fraction(1, 10**7), Fraction(1, 10**5)
    box = Box([[[third] * 5]], [[[third + 1] * 5]])
    x = third + np.array([[[-near, near, far, 1 - near, 1 - far]]], object)
    expected = [third, third, third + far, third + 1, third + 1 - far]
    assert box.snapped(x).ravel().tolist() == expected
    point = Box([[[third]]], [[[third]]])
    assert point.snapped(np.array([[[0]]], object)).item() == third


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        ([[[1]]], [[[0]]], "empty: low 1 is above high 0"),
        ([[[0.0]]], [[[np.nan]]], "finite"),
        ([[[0.0]]], [[[np.inf]]], "finite"),
        ([0], [1], "one shape"),
        ([[[0]]], [[[0, 1]]], "one shape"),
        (np.zeros((1, 0, 2)), np.zeros((1, 0, 2)), "no inputs"),
    ],
)
def test_wrong_ends(low, high, message):
    with pytest.raises(ValueError, match=message):
        Box(low, high)


@pytest.mark.parametrize("wrong", ["x", None, 1j])
def test_other_things_than_numbers(wrong):
    with pytest.raises(TypeError, match="low must hold"):
        Box([[[wrong]]], [[[1]]])


@pytest.mark.parametrize("seed", range(30))
def test_bits_agree_with_elimination(seed):
    rng = np.random.default_rng(seed)
    network = real_boxes.random_network(rng)
    box = Box(*real_boxes.random_ends(rng, network.input_shape))
    low, high = box.bits(network.front)
    for place in np.ndindex(low.shape):
        possible = [
            plain_boxes.feasible(
                [
                    *plain_boxes.end_rows(box.low, box.high),
                    plain_boxes.sign_row(network.front, box.shape, place, bit),
                ]
            )
            for bit in (0, 1)
        ]
        assert low[place] == (not possible[0])
        assert high[place] == possible[1]


def test_bits_at_thresholds_with_huge_denominators():
    tiny = Fraction(1, 10**40)
    front = RealConv2d(np.ones((3, 1, 1, 1)), [1, 1 + tiny, 1 - tiny], [1, 1, 1])
    low, high = Box([[[0]]], [[[1]]]).bits(front)
    assert high.ravel().tolist() == [True, False, True]
    low, high = Box([[[1]]], [[[1]]]).bits(front)
    assert low.ravel().tolist() == high.ravel().tolist() == [True, False, True]


def test_grid_points_are_in_the_box_and_exact_in_float32():
    rng = np.random.default_rng(0)
    low = rng.integers(0, 250, (3, 4, 5)) + Fraction(1, 3)
    front = RealConv2d(np.ones((2, 3, 2, 2)), [1, 2], [1, 1])
    box = Box(low, low + 2)
    grid = Grid(box, front)
    for _ in range(20):
        share = rng.random(len(grid.low))
        point = grid.point(np.rint(grid.low + share * (grid.high - grid.low)))
        assert box.contains(point)
        assert all(Fraction(float(np.float32(float(v)))) == v for v in point.ravel())
    assert grid.radius / grid.unit == pytest.approx(1, abs=0.01)
    assert 252 * 12 * grid.unit < 2**24  # so sums in units are exact


def test_grid_fixes_inputs_without_a_multiple():
    front = RealConv2d(np.ones((1, 1, 1, 2)), [1], [1])
    thin = Fraction(1, 3)
    box = Box([[[0, thin]]], [[[1, thin + Fraction(1, 10**12)]]])
    grid = Grid(box, front)
    assert grid.point(grid.high)[0, 0].tolist() == [1, thin]
    assert box.contains(grid.point(grid.nearest(box.high)))


@pytest.mark.parametrize("magnitude", [Fraction(1, 10**400), Fraction(1, 10**9), 10**9, 10**400])
def test_grids_of_any_magnitude(magnitude):
    front = RealConv2d(np.ones((1, 1, 1, 2)), [magnitude], [1])
    low = np.array([[[magnitude, -magnitude]]], object)
    box = Box(low, low + magnitude)
    grid = Grid(box, front)
    for position in (grid.low, grid.high, grid.nearest(box.centre)):
        assert box.contains(grid.point(position))
    assert (grid.low < grid.high).all() or magnitude < 1
