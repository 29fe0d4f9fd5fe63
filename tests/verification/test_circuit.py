import numpy as np
import pytest
from helpers import flat, plain_conv, plain_pool, plain_scores, plain_values, random_network

from bnnkit.network import BinaryNetwork, Conv2d, Head, Pool2d
from bnnkit.quantiser import Quantiser
from bnnkit.verification.circuit import circuit

STRUCTURES = [(), ("dense",), ("conv", "conv"), ("conv", "pool", "dense")]


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("seed", range(6))
def test_nodes_hold_what_the_definition_says(structure, seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (2, 5, 4), structure, step=0.2)
    c = circuit(network)
    x = rng.integers(0, 6, (2, 5, 4))
    values, sums = plain_values(c, flat(x))
    for layer, start, end in zip(network.layers, c.start[1:], c.start[2:], strict=False):
        if isinstance(layer, Pool2d):
            x = plain_pool(x, layer.kind, layer.size, layer.stride)
        else:
            z = plain_conv(x, layer.weights, layer.stride, layer.padding)
            threshold = layer.threshold.reshape(len(z), *(layer.threshold.shape[1:] or (1, 1)))
            sense = layer.sense.reshape(-1, 1, 1)
            x = np.where(sense > 0, z >= threshold, z <= threshold).astype(int)
        assert (values[start:end] == flat(x)).all()
    z = plain_conv(x, network.head.weights, 1, 0).ravel() * np.sign(network.head.scale)
    assert (sums[c.classes :] == z).all()


@pytest.mark.parametrize("seed", range(20))
def test_beating_in_integers_is_winning_by_score(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (1, 2, 3), ("dense",), classes=4)
    c = circuit(network)
    for label in range(4):
        levels = rng.integers(0, 4, (1, 2, 3))
        z = plain_values(c, flat(levels))[1][c.classes :]
        beats = z - z[label] >= c.needed[label]
        scores = plain_scores(network, levels)
        for j in set(range(4)) - {label}:
            assert beats[j] == (
                scores[j] > scores[label] or (scores[j] == scores[label] and j < label)
            )


@pytest.mark.parametrize("structure", STRUCTURES)
def test_edges_to_targets_are_those_to_sources(structure):
    c = circuit(random_network(np.random.default_rng(3), (2, 5, 4), structure))

    def edges(start, packed):
        owners = np.repeat(np.arange(c.n_nodes), np.diff(start))
        return owners.tolist(), (packed >> 1).tolist(), (packed & 1).tolist()

    target, source, sign = edges(c.in_start, c.in_edge)
    there = sorted(zip(source, target, sign, strict=True))
    source, target, sign = edges(c.out_start, c.out_edge)
    assert list(zip(source, target, sign, strict=True)) == there  # and in this order


def test_absent_weights_and_padding_have_no_edge():
    weights = np.array([1, 0, -1, 1, 0, 0, 1, 0, 0]).reshape(1, 1, 3, 3)
    head = Head(np.ones((2, 1, 2, 2), np.int8), 1, [0, 0])
    layer = Conv2d(weights, [0], [1], padding=1)
    c = circuit(BinaryNetwork(Quantiser(1.0), [layer], head, (1, 2, 2)))
    # the window of output (0, 0) has the lower right weights inside, all 0; and so on
    assert np.diff(c.in_start)[4:8].tolist() == [0, 2, 1, 2]


def test_the_greatest_thresholds_are_never_or_always_reached():
    weights = np.ones((4, 1, 1, 1), np.int8)
    end = 2**31 - 1
    layer = Conv2d(weights, [end, -end - 1, end, -end - 1], [1, 1, -1, -1])
    head = Head(np.ones((2, 4, 1, 1), np.int8), 1, [0, 0])
    c = circuit(BinaryNetwork(Quantiser(1.0), [layer], head, (1, 1, 1)))
    assert plain_values(c, [1])[0][1:5].tolist() == [0, 1, 1, 0]


def test_the_circuit_of_a_network_is_made_once():
    network, twin = (random_network(np.random.default_rng(0)) for _ in range(2))
    assert circuit(network) is circuit(twin)
