from fractions import Fraction

import numpy as np
import pytest
import real_boxes

from bnnkit.fuzz import plain_boxes
from bnnkit.network import RealConv2d
from bnnkit.verification.real.box import Box
from bnnkit.verification.real.coupling import Coupling
from bnnkit.verification.real.rows import SignRows


@pytest.mark.parametrize("seed", range(20))
def test_pixels_have_the_signs_and_clauses_are_true(seed):
    rng = np.random.default_rng(seed)
    network = real_boxes.random_network(rng)
    box = Box(*real_boxes.random_ends(rng, network.input_shape))
    front = network.front
    o, height, width = front.output_shape(box.shape)
    bits = np.arange(o * height * width)
    rows = SignRows(front, box, bits)
    coupling = Coupling(rows)
    seen = plain_boxes.patterns(front, box.low, box.high)
    order = np.array([pattern.transpose(1, 2, 0).ravel() for pattern in seen])
    undecided = 0
    for _ in range(40):
        signs = rng.choice([-1, 0, 1], len(bits), p=[0.45, 0.1, 0.45])
        demanded = signs != 0
        truth = (order[:, demanded] == (signs > 0)[demanded]).all(axis=1).any()
        outcome = coupling.realise(signs, 10)
        for clause in outcome.clauses:
            assert not np.all([order[:, r] == (s > 0) for r, s in clause], axis=0).any()
            assert all(signs[r] == s for r, s in clause)
        if outcome.clauses:
            assert not truth
        elif not truth:
            undecided += 1  # at the very edge: to be found out by a replay
    assert undecided <= 4


def test_a_long_chain_of_reasons():
    """No two signs exclude each other, three do: x + y >= 3, x <= 1, y <= 1."""
    front = RealConv2d(
        np.array([[1, 1], [1, 0], [0, 1]]).reshape(3, 1, 1, 2), [3, 1, 1], [1, -1, -1]
    )
    box = Box([[[0, 0]]], [[[3, 3]]])
    rows = SignRows(front, box, [0, 1, 2])
    assert list(rows.exclusive_pairs()) == []
    outcome = Coupling(rows).realise(np.array([1, 1, 1]), 10)
    assert outcome.pixels is None
    assert [sorted(clause) for clause in outcome.clauses] == [[(0, 1), (1, 1), (2, 1)]]
    pixels = Coupling(rows).realise(np.array([1, 1, -1]), 10).pixels
    assert pixels[0] + pixels[1] > 3
    assert pixels[0] < 1 < pixels[1]


def test_wrong_dual_weights_prove_nothing():
    """Weights are proposals: with others than the right ones, integers do not agree."""
    front = RealConv2d(np.array([[1, 1], [1, 0]]).reshape(2, 1, 1, 2), [3, 2], [1, -1])
    rows = SignRows(front, Box([[[0, 0]]], [[[3, 2]]]), [0, 1])
    assert not rows.exclude([0, 1], [1, 1], [1, 100])
    assert Fraction(rows.unit).denominator == 1
