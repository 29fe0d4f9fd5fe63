import numpy as np
import pytest
from helpers import flat, plain_scores, plain_values, random_network

from bnnkit.verification.bounds import possible_classes, propagate
from bnnkit.verification.circuit import circuit
from bnnkit.verification.joint_circuit import joint_circuit
from bnnkit.verification.refinement import quantisers_of

STRUCTURES = [(), ("dense",), ("dense", "dense"), ("conv", "dense"), ("conv", "pool", "dense")]


def random_members(seed):
    rng = np.random.default_rng(seed)
    steps = rng.choice([0.1, 0.3, 0.5], rng.integers(1, 5))
    return rng, tuple(
        random_network(rng, (2, 3, 2), STRUCTURES[rng.integers(5)], float(step)) for step in steps
    )


def levels_of(networks, image):
    levels = [flat(q.levels(image)) for q in quantisers_of(networks)]
    return np.concatenate(levels).astype(int)


@pytest.mark.parametrize("seed", range(30))
def test_sums_of_the_classes_are_those_of_the_members(seed):
    rng, networks = random_members(seed)
    c = joint_circuit(networks)
    for _ in range(3):
        image = rng.random((2, 3, 2))
        _, sums = plain_values(c, levels_of(networks, image))
        for n, network in enumerate(networks):
            z = sums[c.classes + 3 * n : c.classes + 3 * n + 3]
            scores = plain_scores(network, network.quantiser.levels(image))
            assert np.array_equal(abs(network.head.scale) * z + network.head.bias, scores)
            alone = circuit(network).needed
            assert np.array_equal(c.needed[3 * n : 3 * n + 3, 3 * n : 3 * n + 3], alone)


@pytest.mark.parametrize("seed", range(30))
def test_edges_lead_from_lower_layers_and_are_in_order(seed):
    _, networks = random_members(seed)
    c = joint_circuit(networks)
    assert c.n_nodes == len(c.bound) == len(c.in_start) - 1 == len(c.out_start) - 1
    for k in range(c.n_nodes):
        sources = c.in_edge[c.in_start[k] : c.in_start[k + 1]] >> 1
        assert (np.diff(sources.astype(int)) > 0).all()
        assert (np.searchsorted(c.start, sources, side="right") < depth_of(c, k)).all()
    pairs = sorted((int(e >> 1), k, int(e & 1)) for k, e in edges(c.in_start, c.in_edge))
    assert pairs == sorted((k, int(e >> 1), int(e & 1)) for k, e in edges(c.out_start, c.out_edge))


def depth_of(c, k):
    return np.searchsorted(c.start, k, side="right")


def edges(start, edge):
    return [(k, e) for k in range(len(start) - 1) for e in edge[start[k] : start[k + 1]]]


@pytest.mark.parametrize("seed", range(30))
def test_possible_classes_are_those_that_no_bound_rules_out(seed):
    rng, networks = random_members(seed)
    image = rng.random((2, 3, 2))
    around = np.clip(image + rng.uniform(-0.1, 0.1, (100, *image.shape)), 0, 1)
    low, high = (levels_of(networks, end) for end in (around.min(axis=0), around.max(axis=0)))
    possible = possible_classes(
        joint_circuit(networks), len(networks), propagate(joint_circuit(networks), low, high)
    )
    for n, network in enumerate(networks):
        chosen = set(network.predict(around).tolist())
        assert chosen <= set(np.flatnonzero(possible[n]).tolist())
    point = possible_classes(
        joint_circuit(networks), len(networks), propagate(joint_circuit(networks), low, low)
    )
    assert (point.sum(axis=1) == 1).all()  # nothing is open


def test_one_circuit_for_equal_ensembles():
    networks = random_members(0)[1]
    assert joint_circuit(networks) is joint_circuit(tuple(networks))
