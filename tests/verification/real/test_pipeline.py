import itertools
from fractions import Fraction

import numpy as np
import pytest
import real_boxes

from bnnkit.network import BinaryNetwork, Head, RealConv2d, RealNetwork
from bnnkit.quantiser import Quantiser
from bnnkit.verification.real import Condition, pipeline, verify_box
from bnnkit.verification.real.box import Box

CONDITIONS = [
    Condition.not_class(0, 3),
    Condition([[(1, 0), (1, 2)], [(2, 0)]]),
    Condition([[(1, 0), (1, 2), (0, 0)], [(2, 0), (2, 1), (2, 0)]]),
]


@pytest.fixture(autouse=True)
def _short_searches(monkeypatch):
    """Tiny questions: the search has seen everything in some milliseconds, or will not find it."""
    monkeypatch.setattr(pipeline, "FIRST", 0.01)


def check_witness(network, box, condition, verdict):
    assert box.contains(verdict.witness)
    scores = network.scores(verdict.witness[None])[0]
    assert condition.holds(scores)
    np.testing.assert_array_equal(scores, verdict.scores)
    assert verdict.margins == network.margins(verdict.witness)


@pytest.mark.parametrize("seed", range(60))
def test_verdicts_agree_with_elimination(seed):
    rng = np.random.default_rng(seed)
    network = real_boxes.random_network(rng)
    low, high = real_boxes.random_ends(rng, network.input_shape)
    box = Box(low, high)
    for condition in CONDITIONS:
        truth = real_boxes.has_counterexample(network, box, condition)
        verdict = verify_box(network, low, high, condition, timeout=60)
        if verdict.status == "falsified":
            assert truth
            check_witness(network, box, condition, verdict)
        else:
            assert not truth
            assert verdict.status == "robust"


@pytest.mark.parametrize("search", [True, False])
def test_without_search_the_proof_finds_what_there_is(search, monkeypatch):
    """The same answers when the gradient finds nothing: witnesses come from the coupling."""
    if not search:
        monkeypatch.setattr(pipeline.Ascent, "run", lambda self, seconds: None)
    stages = []
    for seed in range(25):
        rng = np.random.default_rng(1000 + seed)
        network = real_boxes.random_network(rng)
        low, high = real_boxes.random_ends(rng, network.input_shape)
        verdict = verify_box(network, low, high, 0, timeout=60)
        truth = real_boxes.has_counterexample(network, Box(low, high), CONDITIONS[0])
        assert verdict.status == ("falsified" if truth else "robust")
        stages.append(verdict.stage)
    assert ("prove" in stages) or search


def sampled(network, box, rng, n=2000):
    """Random points and corners of a box, as float64 (n, C, H, W)."""
    low, high = box.low.astype(np.float64), box.high.astype(np.float64)
    share = rng.random((n, *box.shape))
    share[::2] = np.rint(share[::2])
    return low + share * (high - low)


def coupled_network():
    """Neurons x + y >= 3, x <= 1, y <= 1: all three at once, or class 1 loses."""
    weights = np.array([[1, 1], [1, 0], [0, 1]]).reshape(3, 1, 1, 2)
    front = RealConv2d(weights, [3, 1, 1], [1, -1, -1])
    head = Head(np.array([[1, 1, 1], [0, 0, 0]]).reshape(2, 3, 1, 1), 1, [0, 3])
    tail = BinaryNetwork(Quantiser(1), [], head, (3, 1, 1))
    return RealNetwork(front, tail, (1, 1, 2))


def test_a_proof_that_needs_the_pixels():
    network = coupled_network()
    box = Box([[[0, 0]]], [[[3, 3]]])
    verdict = verify_box(network, box.low, box.high, 1, timeout=None)
    assert (verdict.status, verdict.stage) == ("robust", "prove")
    points = sampled(network, box, np.random.default_rng(0))
    assert (network.scores(points)[:, 0] < 3).all()


@pytest.mark.parametrize("sense", [1, -1])
def test_ties_at_thresholds_and_corners(sense):
    """The counterexample is one corner of the box, and lost with the smallest change."""
    threshold, tiny = Fraction(2), Fraction(1, 10**20)
    front = RealConv2d(np.ones((1, 1, 1, 2)), [sense * threshold], [sense])
    head = Head(np.array([1, -1]).reshape(2, 1, 1, 1), 1, [0, 1])
    network = RealNetwork(front, BinaryNetwork(Quantiser(1), [], head, (1, 1, 1)), (1, 1, 2))
    ends = sorted([Fraction(0), sense * Fraction(1)])
    low, high = (np.full((1, 1, 2), end, object) for end in ends)
    verdict = verify_box(network, low, high, 1)
    assert verdict.status == "falsified"
    assert set(verdict.witness.ravel().tolist()) == {sense}
    assert verdict.margins.first == 0
    (high if sense > 0 else low)[0, 0, 0] -= sense * tiny
    verdict = verify_box(network, low, high, 1)
    assert (verdict.status, verdict.stage) == ("robust", "bounds")
    strict = RealConv2d(np.ones((1, 1, 1, 2)), [sense * threshold], [sense], strict=True)
    network = RealNetwork(strict, network.tail, (1, 1, 2))
    low, high = (np.full((1, 1, 2), end, object) for end in ends)
    assert verify_box(network, low, high, 1).status == "robust"


@pytest.mark.parametrize("seed", range(12))
def test_a_corner_that_no_float_is(seed):
    """The only counterexample is a corner of the box, and its numbers are tenths or thirds."""
    rng = np.random.default_rng(seed)
    weights, parts = rng.choice([-1, 1], 2), int(rng.choice([3, 10, 7, 1000]))
    low = np.array([[[Fraction(int(n), parts) for n in rng.integers(0, 255 * parts, 2)]]])
    high = low + np.array([[[Fraction(int(n), parts) for n in rng.integers(1, 5 * parts, 2)]]])
    corner = np.where(weights > 0, high, low)
    front = RealConv2d(weights.reshape(1, 1, 1, 2), [(weights * corner).sum()], [1])
    head = Head(np.array([-1, 1]).reshape(2, 1, 1, 1), 2, [1, 0])
    network = RealNetwork(front, BinaryNetwork(Quantiser(1), [], head, (1, 1, 1)), (1, 1, 2))
    verdict = verify_box(network, low, high, 0, timeout=5)
    assert verdict.status == "falsified"
    assert (verdict.witness == corner).all()


def test_a_case_that_no_comparison_refutes_alone():
    """Class 1 is as good as 0 where the pixel is at least 1/2, and as good as 2 below it."""
    front = RealConv2d(np.ones((1, 1, 1, 1)), [Fraction(1, 2)], [1])
    head = Head(np.array([-1, 0, 1]).reshape(3, 1, 1, 1), 2, [1, 0, -1])
    network = RealNetwork(front, BinaryNetwork(Quantiser(1), [], head, (1, 1, 1)), (1, 1, 1))
    for case, status in [
        ([(1, 0), (1, 2)], "robust"),
        ([(1, 0)], "falsified"),
        ([(1, 2)], "falsified"),
        ([(1, 0), (2, 1)], "falsified"),
    ]:
        assert verify_box(network, [[[0]]], [[[1]]], Condition([case]), timeout=5).status == status


def test_a_single_point():
    network = coupled_network()
    point = np.array([[[Fraction(1, 3), Fraction(1, 7)]]], object)
    assert verify_box(network, point, point, 1).status == "robust"
    verdict = verify_box(network, point, point, 0)
    assert (verdict.status, verdict.stage) == ("falsified", "clean")


def test_constant_neurons_and_no_weights():
    front = RealConv2d(np.zeros((2, 1, 1, 2)), [0, 1], [1, 1])
    head = Head(np.array([[1, 0], [0, 1]]).reshape(2, 2, 1, 1), 1, [0, 0])
    network = RealNetwork(front, BinaryNetwork(Quantiser(1), [], head, (2, 1, 1)), (1, 1, 2))
    low, high = np.zeros((1, 1, 2)), np.ones((1, 1, 2))
    assert verify_box(network, low, high, 0).status == "robust"
    verdict = verify_box(network, low, high, 1)
    assert (verdict.status, verdict.margins.first) == ("falsified", None)


def test_a_seed_means_the_same_witness():
    network = coupled_network()
    low, high = np.zeros((1, 1, 2)), np.full((1, 1, 2), 3.0)
    found = [verify_box(network, low, high, 0, seed=s).witness.tolist() for s in (1, 1)]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros((1, 1, 3)), np.ones((1, 1, 3)), 0), ValueError, "the box has shape"),
        ((np.zeros((1, 1, 2)), np.ones((1, 1, 2)), 2), ValueError, "label must be from 0 to 1"),
        (
            (np.zeros((1, 1, 2)), np.ones((1, 1, 2)), Condition([[(5, 0)]])),
            ValueError,
            "class 5 of 0 to 1",
        ),
        ((np.zeros((1, 1, 2)), np.ones((1, 1, 2)), 0, -1), ValueError, "timeout must be"),
        ((np.ones((1, 1, 2)), np.zeros((1, 1, 2)), 0), ValueError, "the box is empty"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        verify_box(coupled_network(), *arguments)


def test_a_network_on_levels_has_its_own_verify():
    with pytest.raises(TypeError, match=r"use bnnkit\.verify"):
        verify_box(coupled_network().tail, [[[0]]], [[[1]]], 0)


def test_out_of_time(monkeypatch):
    monkeypatch.setattr(pipeline.Prover, "tractable", False)
    network = coupled_network()
    verdict = verify_box(network, [[[0, 0]]], [[[3, 3]]], 1, timeout=0.1)
    assert (verdict.status, verdict.reason) == ("unknown", "timeout")
    assert list(itertools.islice(verdict.timings, 3)) == ["clean", "falsify", "bounds"]
