import itertools

import numpy as np
import pytest

from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.verification.bounds import greatest_leads, propagate
from bnnkit.verification.circuit import circuit
from bnnkit.verification.real import groups


def random_question(rng, depth=1):
    """A network on bits, and a box of them with some open."""
    shape, layers = (2, 3, 2), []
    after = shape
    for _ in range(depth):
        kernel = (2, 2) if after == shape else after[1:]
        weights = rng.choice([-1, 0, 1, 1, -1], (3, after[0], *kernel))
        layers.append(Conv2d(weights, rng.integers(-2, 3, 3), rng.choice([-1, 1], 3)))
        after = layers[-1].output_shape(after)
    head = Head(rng.choice([-1, 0, 1], (4, *after)), 1, [0, 0, 0, 0])
    network = BinaryNetwork(Quantiser(1), layers, head, shape)
    low = rng.integers(0, 2, 12)
    high = np.maximum(low, rng.random(12) < 0.6)
    return network, low, high


def true_leads(network, low, high, label, clauses):
    """Greatest z[j] - z[label] over all allowed bits."""
    bits = np.array(list(itertools.product(*map(range, low, high + 1))))
    allowed = np.ones(len(bits), bool)
    for clause in clauses:
        allowed &= ~np.all([bits[:, k] == (s > 0) for k, s in clause], axis=0)
    c, h, w = network.input_shape
    maps = bits[allowed].reshape(-1, h, w, c).transpose(0, 3, 1, 2).astype(np.uint8)
    scores = network.scores_of_levels(np.ascontiguousarray(maps))
    return (scores - scores[:, [label]]).max(axis=0)


def random_clauses(rng, low, high):
    """Pairs of open bits that exclude each other."""
    free = np.flatnonzero(low < high).tolist()
    pairs = list(itertools.combinations(free, 2))
    chosen = [pairs[i] for i in rng.permutation(len(pairs))[:4]]
    return [tuple((k, int(rng.choice([-1, 1]))) for k in pair) for pair in chosen]


@pytest.mark.parametrize("most", [1, 3, 10])
@pytest.mark.parametrize("depth", [1, 2])
def test_bounds_are_valid_and_better_than_intervals(depth, most):
    rng = np.random.default_rng(10 * depth + most)
    sharper = exact = 0
    for _ in range(30):
        network, low, high = random_question(rng, depth)
        c = circuit(network)
        bounds = propagate(c, low, high)
        # with two layers the sources of the groups are neurons, and the clauses are not theirs
        clauses = random_clauses(rng, low, high)
        label = int(rng.integers(4))
        found = groups.grouped_leads(c, label, bounds, clauses, most)
        truth = true_leads(network, low, high, label, clauses)
        intervals = np.zeros(4, np.int64)
        greatest_leads(c, label, bounds, intervals)
        assert (truth <= found).all()
        assert (found <= intervals).all()
        sharper += (found < intervals).sum()
        exact += (found == truth).sum()
        if most == 10 and depth == 1 and (low < high).sum() <= most:
            np.testing.assert_array_equal(found, truth)
    assert sharper > 0 or most == 1
    assert exact > 0
