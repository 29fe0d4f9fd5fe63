import numpy as np
import pytest
from helpers import random_network

from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.network.lists import PLANE, _bits_of_levels, plan
from bnnkit.quantiser import Quantiser


def dense_network(weights, step=1.0):
    """One hidden layer with these weights (O, K)."""
    o, k = weights.shape
    layer = Conv2d(weights.reshape(o, 1, 1, k), np.zeros(o, int), np.ones(o, int))
    return BinaryNetwork(
        Quantiser(step), [layer], Head(np.ones((2, o, 1, 1)), 1, [0, 0]), (1, 1, k)
    )


def entries(layer):
    """Planes that all rows of a layer add."""
    return int(layer.start[-1, -1] - layer.start[0, 0])


@pytest.mark.parametrize("n_levels", [2, 3, 4, 11, 16, 17, 255, 256])
def test_the_bits_of_a_level_are_worth_the_level(n_levels):
    added, shift, values = _bits_of_levels(n_levels)
    levels = np.arange(n_levels)[:, None]
    bits = (levels + added) >> shift & 1
    assert (bits * 2 ** np.array(values)).sum(axis=1).tolist() == levels[:, 0].tolist()


def test_a_weight_of_zero_costs_nothing():
    rng = np.random.default_rng(0)
    weights = rng.choice([-1, 0, 0, 0, 0, 1], (20, 50)).astype(np.int8)
    for step, depth in [(1.0, 1), (0.61, 2), (0.1, 4)]:
        layer = plan(dense_network(weights, step)).layers[0]
        assert entries(layer) == depth * np.count_nonzero(weights)


@pytest.mark.parametrize("outputs", [4, 20])
def test_four_binary_neurons_add_no_input_twice(outputs):
    weights = np.random.default_rng(0).choice([-1, 1], (outputs, 300)).astype(np.int8)
    layer = plan(dense_network(weights)).layers[0]
    negative = (weights.reshape(-1, 4, 300) < 0).all(axis=1)  # in all four, so that it adds none
    assert entries(layer) == outputs // 4 * 300 - np.count_nonzero(negative) + 300


@pytest.mark.parametrize("seed", range(10))
def test_planes_do_not_overlap_and_fit(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (2, 6, 5), ("conv", "pool", "dense"), step=0.3)
    p = plan(network)
    written = [p.pixel + np.uint64(PLANE * i) for i in range(len(p.bits[0]))]
    for layer in p.layers[:-1]:
        outputs = PLANE * np.arange(layer.bound.shape[1], dtype=np.uint64)
        written.append((layer.target[:, None] + outputs).ravel())
        if layer.complement:
            written.append(written[-1] + layer.complement)
    written = np.concatenate(written)
    assert len(np.unique(written)) == len(written)
    assert (written % PLANE == 0).all()
    assert written.min() >= 3 * p.room
    assert written.max() < p.layers[-1].target[0] < p.n_words
