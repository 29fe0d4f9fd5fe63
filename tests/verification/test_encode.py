import itertools

import numpy as np
import pytest
from helpers import flat, plain_class, random_network

from bnnkit.formula import Formula
from bnnkit.network import BinaryNetwork, Conv2d, Head, Pool2d
from bnnkit.quantiser import Quantiser
from bnnkit.verification.bounds import possible_rivals, propagate
from bnnkit.verification.circuit import circuit
from bnnkit.verification.encode import encode


def ask(network, low, high, label):
    """The question about a box of levels, or None where the bounds answer it."""
    c = circuit(network)
    bounds = propagate(c, flat(low), flat(high))
    rivals = possible_rivals(c, label, bounds)
    return encode(c, label, rivals, bounds) if len(rivals) else None


def models(formula):
    """All satisfying assignments of a small formula."""
    for bits in itertools.product([False, True], repeat=formula.n_vars):
        if formula.holds(np.array(bits)):
            yield np.array(bits)


@pytest.mark.parametrize("structure", [(), ("dense",), ("conv", "pool"), ("conv", "dense")])
@pytest.mark.parametrize("seed", range(25))
def test_models_are_exactly_the_misclassified_images(structure, seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (1, 2, 2), structure, step=0.2)
    low = rng.integers(0, 6, (1, 2, 2))
    high = np.minimum(low + rng.integers(0, 4, low.shape) * (rng.random(low.shape) < 0.6), 5)
    label = int(rng.integers(3))
    question = ask(network, low, high, label)
    ranges = [range(a, b + 1) for a, b in zip(low.ravel(), high.ravel(), strict=True)]
    wrong = {
        levels
        for levels in itertools.product(*ranges)
        if plain_class(network, np.array(levels).reshape(low.shape)) != label
    }
    if question is None:
        assert not wrong
        return
    if question.formula.n_vars > 14:
        pytest.skip("too many variables to enumerate")
    found = [tuple(question.levels(model).tolist()) for model in models(question.formula)]
    # inputs outside the cone do not matter: wrong images differ in them, models do not
    free = set(question.owner.tolist())
    known = [i in free for i in range(len(question.low))]
    of_cone = {tuple(np.where(known, levels, question.low).tolist()) for levels in wrong}
    assert set(found) == of_cone
    assert len(found) == len(set(found))  # one assignment an image: all bits are determined


@pytest.mark.parametrize("kind", ["or", "and"])
@pytest.mark.parametrize("label", [0, 1])
def test_pools_of_open_bits(kind, label):
    bright = Conv2d(np.ones((1, 1, 1, 1)), [1], [1])
    head = Head(np.array([[0], [1]]).reshape(2, 1, 1, 1), 1, [0, 0])
    network = BinaryNetwork(Quantiser(1.0), [bright, Pool2d(kind, 2)], head, (1, 2, 2))
    question = ask(network, np.zeros((1, 2, 2), int), np.ones((1, 2, 2), int), label)
    found = {tuple(question.levels(model).tolist()) for model in models(question.formula)}
    pooled = any if kind == "or" else all
    images = itertools.product(range(2), repeat=4)
    assert found == {levels for levels in images if pooled(levels) != label}


def test_constant_inputs_and_neurons_cost_nothing():
    network = random_network(np.random.default_rng(1), (1, 3, 3), ("dense",), step=0.2)
    low = np.full((1, 3, 3), 2)
    c = circuit(network)
    question = encode(c, 0, np.array([1]), propagate(c, low.ravel(), low.ravel()))
    assert isinstance(question.formula, Formula)
    assert question.formula.n_vars == 1  # only "class 1 beats class 0"
    assert (question.levels(np.ones(1, bool)) == 2).all()


def test_what_no_rival_depends_on_is_left_out():
    weights = np.eye(3, dtype=np.int8).reshape(3, 1, 1, 3)
    layer = Conv2d(weights, [1, 1, 1], [1, 1, 1])
    head = Head(np.array([[1, 0, 1], [1, 1, 0]]).reshape(2, 3, 1, 1), 1, [0, 0])
    network = BinaryNetwork(Quantiser(0.5), [layer], head, (1, 1, 3))
    question = ask(network, np.zeros((1, 1, 3), int), np.full((1, 1, 3), 2), 0)
    assert set(question.owner.tolist()) == {1, 2}  # both classes count the first neuron alike
    assert question.formula.n_vars == 4 + 2 + 1  # levels, neurons, "class 1 beats class 0"
