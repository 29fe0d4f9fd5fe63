import itertools
from fractions import Fraction

import numpy as np
import pytest
import real_boxes

from bnnkit.fuzz import plain_boxes
from bnnkit.network import RealConv2d
from bnnkit.verification.real.box import Box
from bnnkit.verification.real.rows import SignRows


def rows_and_places(network, box):
    o, height, width = network.front.output_shape(network.input_shape)
    bits = np.arange(o * height * width)
    places = [(b % o, b // o // width, b // o % width) for b in bits]
    return SignRows(network.front, box, bits), places


def possible(network, box, demands):
    rows = [plain_boxes.sign_row(network.front, box.shape, place, s > 0) for place, s in demands]
    return plain_boxes.feasible([*plain_boxes.end_rows(box.low, box.high), *rows])


@pytest.mark.parametrize("seed", range(25))
def test_what_is_excluded_is_impossible(seed):
    rng = np.random.default_rng(seed)
    network = real_boxes.random_network(rng)
    box = Box(*real_boxes.random_ends(rng, network.input_shape))
    rows, places = rows_and_places(network, box)
    for size in (1, 2, 3):
        for chosen in itertools.combinations(range(len(places)), size):
            for signs in itertools.product((1, -1), repeat=size):
                demands = [(places[r], s) for r, s in zip(chosen, signs, strict=True)]
                if rows.exclude(chosen, signs, rng.integers(1, 4, size).tolist()):
                    assert not possible(network, box, demands)
                elif size == 1:  # one function alone is decided
                    assert possible(network, box, demands)
    overlapping = {
        ((i, s), (j, t))
        for i, j in itertools.combinations(range(len(places)), 2)
        for s, t in itertools.product((1, -1), repeat=2)
        if rows.exclude((i, j), (s, t))
        and (abs(rows.weights[i]) * abs(rows.weights[j]) @ rows.radius)
    }
    assert set(rows.exclusive_pairs()) == overlapping


def test_exclusion_at_a_tie():
    """x >= 1 and x <= 1 go together, x > 1 and x <= 1 do not."""
    box, ones = Box([[[0]]], [[[2]]]), np.ones((2, 1, 1, 1))
    closed = SignRows(RealConv2d(ones, [1, 1], [1, -1]), box, [0, 1])
    assert not closed.exclude([0, 1], [1, 1])
    assert closed.exclude([0, 1], [-1, -1])  # neither x >= 1 nor x <= 1
    half_open = SignRows(RealConv2d(ones, [1, 1], [1, -1], [True, False]), box, [0, 1])
    assert half_open.exclude([0, 1], [1, 1])
    assert not half_open.exclude([0, 1], [-1, 1])


def test_thresholds_that_are_no_binary_fractions_are_weakened():
    """Thresholds nearer to each other than their rounding: nothing is said."""
    t, box, ones = Fraction(1, 3), Box([[[0]]], [[[1]]]), np.ones((2, 1, 1, 1))
    for gap, told_apart in ((Fraction(1, 10**9), False), (Fraction(1, 10**3), True)):
        rows = SignRows(RealConv2d(ones, [t, t - gap], [1, 1]), box, [0, 1])
        assert rows.exclude([0, 1], [1, -1]) == told_apart
        assert not rows.exclude([0, 1], [-1, 1])
