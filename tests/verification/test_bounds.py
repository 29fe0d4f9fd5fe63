import numpy as np
import pytest
from helpers import (
    flat,
    images_of,
    plain_class,
    plain_values,
    random_box,
    random_network,
)

from bnnkit.verification.bounds import possible_rivals, propagate
from bnnkit.verification.circuit import circuit

STRUCTURES = [(), ("dense", "dense"), ("conv", "dense"), ("conv", "pool")]


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("seed", range(12))
def test_a_bound_holds_on_every_image_of_the_box(structure, seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (1, 2, 3), structure)
    low, high = random_box(rng, network)
    c = circuit(network)
    bounds = propagate(c, flat(low), flat(high))
    label = int(rng.integers(3))
    rivals = possible_rivals(c, label, bounds)
    assert label not in rivals
    for levels in images_of(low, high):
        values, sums = plain_values(c, flat(levels))
        values[c.classes :] = sums[c.classes :]
        assert (bounds.low <= values).all()
        assert (values <= bounds.high).all()
        assert plain_class(network, levels) in {label, *rivals}


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("seed", range(12))
def test_the_first_sums_and_the_last_differences_are_bounded_exactly(structure, seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (1, 2, 3), structure)
    low, high = random_box(rng, network)
    c = circuit(network)
    bounds = propagate(c, flat(low), flat(high))
    reached = [plain_values(c, flat(levels)) for levels in images_of(low, high)]
    if structure:
        first = np.array([values for values, _ in reached])[:, c.start[1] : c.start[2]]
        assert (first.min(axis=0) == bounds.low[c.start[1] : c.start[2]]).all()
        assert (first.max(axis=0) == bounds.high[c.start[1] : c.start[2]]).all()
    else:
        leads = np.array([sums[c.classes :] - sums[c.classes] for _, sums in reached])
        beaten = (leads >= c.needed[0]).any(axis=0)
        assert np.flatnonzero(beaten[1:]).tolist() == (possible_rivals(c, 0, bounds) - 1).tolist()


def test_bounds_of_a_single_image_are_the_image():
    network = random_network(np.random.default_rng(0), (1, 3, 3), ("conv", "dense"))
    levels = np.ones((1, 3, 3), np.uint8)
    c = circuit(network)
    bounds = propagate(c, flat(levels), flat(levels))
    assert (bounds.low == bounds.high).all()
    assert possible_rivals(c, plain_class(network, levels), bounds).size == 0
