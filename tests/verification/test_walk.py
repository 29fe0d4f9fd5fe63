import numpy as np
import pytest
from helpers import flat, plain_scores, plain_values, random_network

from bnnkit.verification._compile import entry
from bnnkit.verification.circuit import circuit
from bnnkit.verification.walk import closest_rival, move, new_walk, place


@entry
def start(c, walk, levels):
    place(c, walk, levels)


@entry
def step(c, walk, i, change):
    move(c, walk, i, change)


@entry
def rival_of(c, walk, label):
    return closest_rival(c, walk, label)


@pytest.mark.parametrize("structure", [(), ("dense", "dense"), ("conv", "pool", "dense")])
@pytest.mark.parametrize("seed", range(8))
def test_values_stay_those_of_the_definition(structure, seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (2, 4, 3), structure, step=0.2)
    c = circuit(network)
    levels = rng.integers(0, 6, c.n_inputs).astype(np.int32)
    walk = new_walk(c)
    for _ in range(2):  # the second time over what the first one has left
        start(c, walk, levels)
        for _ in range(30):
            i, level = rng.integers(c.n_inputs), rng.integers(0, 6)
            step(c, walk, i, level - levels[i])
            levels[i] = level
            values, sums = plain_values(c, levels)
            assert (walk.value[: c.classes] == values[: c.classes]).all()
            assert (walk.sum[c.n_inputs :] == sums[c.n_inputs :]).all()
            assert not walk.waiting.any()


@pytest.mark.parametrize("seed", range(10))
def test_the_closest_rival_wins_exactly_where_its_lead_is_not_negative(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (1, 2, 3), ("dense",), classes=4)
    c, label = circuit(network), int(rng.integers(4))
    walk = new_walk(c)
    for _ in range(20):
        levels = rng.integers(0, 4, (1, 2, 3))
        start(c, walk, flat(levels).astype(np.int32))
        rival, lead = rival_of(c, walk, label)
        scores = plain_scores(network, levels)
        assert rival != label
        assert (lead >= 0) == (int(scores.argmax()) != label)
