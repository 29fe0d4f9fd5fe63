import itertools

import numpy as np
import pytest
from helpers import plain_class, plain_scores, random_network

from bnnkit.verification.bounds import possible_rivals, propagate, rival_bounds
from bnnkit.verification.unroll import unroll

STRUCTURES = [(), ("dense", "dense"), ("conv", "dense"), ("conv", "pool")]


def box(rng, network):
    top = network.quantiser.n_levels - 1
    low = rng.integers(0, top + 1, network.input_shape)
    return low, np.minimum(low + rng.integers(0, 3, low.shape) * (rng.random(low.shape) < 0.6), top)


def images_of(low, high):
    ranges = [range(a, b + 1) for a, b in zip(low.ravel(), high.ravel(), strict=True)]
    return (np.array(levels).reshape(low.shape) for levels in itertools.product(*ranges))


def flat(x):
    return x.transpose(1, 2, 0).ravel()


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("seed", range(12))
def test_a_bound_holds_on_every_image_of_the_box(structure, seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (1, 2, 3), structure)
    low, high = box(rng, network)
    layers, head = unroll(network)
    bounds = propagate(layers, flat(low), flat(high))
    label = int(rng.integers(3))
    rivals = possible_rivals(head, label, *bounds[-1])
    assert label not in rivals
    for levels in images_of(low, high):
        x = flat(levels)
        for layer, (lowest, highest) in zip(layers, bounds[1:], strict=True):
            if hasattr(layer, "kind"):
                x = (np.max if layer.kind == "or" else np.min)(x[layer.index], axis=1)
            else:
                x = ((layer.sums.values(x) >= layer.bound) ^ layer.flip).ravel().astype(int)
            assert (lowest <= x).all()
            assert (x <= highest).all()
        assert plain_class(network, levels) in {label, *rivals}


def test_bounds_of_a_single_image_are_the_image():
    network = random_network(np.random.default_rng(0), (1, 3, 3), ("conv", "dense"))
    levels = np.ones((1, 3, 3), np.uint8)
    layers, head = unroll(network)
    bounds = propagate(layers, flat(levels), flat(levels))
    assert all((low == high).all() for low, high in bounds)
    right = plain_class(network, levels)
    assert possible_rivals(head, right, *bounds[-1]).size == 0


@pytest.mark.parametrize("seed", range(20))
def test_beating_in_integers_is_winning_by_score(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (1, 2, 3), ("dense",), classes=4)
    _, head = unroll(network)
    for label in range(4):
        levels = rng.integers(0, 4, (1, 2, 3))
        layer = unroll(network)[0][0]
        x = ((layer.sums.values(flat(levels)) >= layer.bound) ^ layer.flip).ravel().astype(int)
        z = head.sums.values(x)[0] * np.sign(head.scale)
        beats = z - z[label] >= rival_bounds(head, label)
        scores = plain_scores(network, levels)
        for j in set(range(4)) - {label}:
            assert beats[j] == (
                scores[j] > scores[label] or (scores[j] == scores[label] and j < label)
            )
