"""Questions about networks as questions about boxes of real pixels."""

from fractions import Fraction

import numpy as np
import pytest

from bnnkit import fuzz
from bnnkit.fuzz import boxes, plain, plain_boxes
from bnnkit.network import RealConv2d, RealNetwork
from bnnkit.verification.real import prover

DRAWN = [fuzz.NetworkCase.draw(5, index) for index in range(60)]


def on_and_between_stairs(rng, shape, step):
    """Pixels in [0, 1], many of them right between two levels."""
    pixels = np.empty(np.prod(shape), object)
    for i in range(len(pixels)):
        half = Fraction(int(rng.integers(0, 2 / step + 1)), 2) * step
        pixels[i] = min(half, 1) if rng.random() < 0.7 else Fraction(int(rng.integers(0, 98)), 97)
    return pixels.reshape(shape)


@pytest.mark.parametrize("case", DRAWN[::2])
def test_a_bit_for_each_stair_is_the_same_network(case):
    rng, member, shape = np.random.default_rng(0), case.members[0], case.image.shape
    step = Fraction(*member["step"])
    network = RealNetwork(*boxes.stairs(member, case.label, shape), shape, 0, 1)
    images = [on_and_between_stairs(rng, shape, step) for _ in range(30)]
    levels = [[round(pixel / step) for pixel in image.ravel()] for image in images]
    levels = np.array(levels).reshape(-1, *shape)
    scores = network.scores(np.array(images, object))
    wrong = boxes.Condition.not_class(case.label, network.n_classes).holds(scores.T)
    np.testing.assert_array_equal(wrong, plain.classes(member, levels) != case.label)


def test_boxes_of_one_network_agree_with_enumeration():
    statuses = set()
    for case in DRAWN:
        said = case.statements(boxes.WAYS)
        assert not fuzz.contradictory(said), said
        one = case.question == "one" and case.pixels == "real"
        assert (said["box of pixels"] != [None]) == (said["box of pixels, proof"] != [None]) == one
        statuses |= {(name, *answers) for name, answers in said.items()}
    for name in ("real pixels", "real pixels, proof", "real pixels, elimination"):
        assert {(name, None, "robust"), (name, None, "falsified"), (name, None)} <= statuses
    for name in ("box of pixels", "box of pixels, proof"):
        assert {(name, "robust"), (name, "falsified")} <= statuses


def test_elimination_agrees_with_points_of_the_box():
    rng = np.random.default_rng(1)
    questions = [question for case in DRAWN if (question := boxes.without_quantiser(case))]
    assert len(questions) > 10
    for front, _, low, high, _ in questions:
        found = {pattern.tobytes() for pattern in plain_boxes.patterns(front, low, high)}
        for _ in range(20):
            shares = [Fraction(int(n), 4) for n in rng.integers(0, 5, low.size)]
            x = low + (high - low) * np.array(shares, object).reshape(low.shape)
            bits = front.bits(x[None])[0]
            np.testing.assert_array_equal(plain_boxes.bits(front, x), bits)
            assert bits.tobytes() in found


def test_patterns_by_hand():
    """Two pixels in [0, 1]: x + y > 1, x + y <= 1, x - y >= 1 (a corner alone)."""
    weights = np.array([[1, 1], [1, 1], [1, -1]]).reshape(3, 1, 1, 2)
    front = RealConv2d(weights, [1, 1, 1], [1, -1, 1], np.array([True, False, False]))
    ends = (np.full((1, 1, 2), Fraction(n), object) for n in (0, 1))
    found = {tuple(pattern.ravel().tolist()) for pattern in plain_boxes.patterns(front, *ends)}
    assert found == {(1, 0, 0), (0, 1, 0), (0, 1, 1)}


def test_an_error_in_the_proof_is_found_and_what_is_left_is_small(monkeypatch):
    """Bits that exclude each other, of which only the first is excluded.

    Asked without a search: what one finds depends on the clock.
    """
    ways = {"box of pixels, proof": boxes.WAYS["box of pixels, proof"]}  # and enumeration
    about_bits = prover.Prover._about_bits
    monkeypatch.setattr(prover.Prover, "_about_bits", lambda *a: about_bits(*a)[:1])

    def fails(case):
        return fuzz.contradictory(case.statements(ways))

    found = next(filter(fails, DRAWN))
    small = fuzz.shrink(found, fails, seconds=100)
    assert fails(small)
    assert len(small.members[0]["head"]["bias"]) == 2
    assert small.image.size <= found.image.size
    monkeypatch.undo()
    assert not fails(small)


def test_one_of_twenty_cases_is_asked_as_a_box(tmp_path):
    asked = fuzz.run("network", 41, solvers=("native",), folder=tmp_path).counts
    assert set(boxes.WAYS) <= set(asked)
    assert sum(asked["enumeration"].values()) > 30
    assert 1 <= sum(asked["box of pixels"].values()) <= 3
