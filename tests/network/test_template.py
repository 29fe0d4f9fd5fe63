import itertools

import numpy as np
import pytest
from helpers import random_network

from bnnkit.network import BinaryNetwork, Head
from bnnkit.network.TEMPLATE import majority_pool
from bnnkit.quantiser import Quantiser
from bnnkit.verification import verify


def pooled(bits, size, stride):
    """The definition: more than half of the bits of each window, (C, H, W) to (C, OH, OW)."""
    _, height, width = bits.shape
    rows = range(0, height - size + 1, stride)
    columns = range(0, width - size + 1, stride)
    windows = [[bits[:, r : r + size, c : c + size] for c in columns] for r in rows]
    return np.array([[window.mean(axis=(1, 2)) > 0.5 for window in row] for row in windows])


def network_of(layer, shape, rng):
    """Two levels are bits; the head shows all bits of the layer, and two classes of them."""
    outputs = layer.output_shape(shape)
    weights = rng.integers(-1, 2, (2, *outputs))
    return BinaryNetwork(Quantiser(1), [layer], Head(weights, 1, [0, 0]), shape), weights


@pytest.mark.parametrize(
    ("shape", "size", "stride"), [((1, 3, 3), 3, None), ((2, 2, 2), 2, 1), ((1, 3, 3), 2, 1)]
)
def test_every_input_has_the_bits_of_the_definition(shape, size, stride):
    network, weights = network_of(
        majority_pool(shape[0], size, stride), shape, np.random.default_rng(0)
    )
    every = np.array(list(itertools.product((0.0, 1.0), repeat=int(np.prod(shape)))))
    every = every.reshape(-1, *shape)
    wanted = [pooled(bits, size, stride or size).transpose(2, 0, 1) for bits in every]
    scores = np.array([(weights * bits).sum(axis=(1, 2, 3)) for bits in wanted])
    assert np.array_equal(network.scores(every), scores)


@pytest.mark.parametrize("seed", range(8))
def test_it_is_verified_as_it_is_run(seed):
    """A network with a hidden layer before the pool: all levels of the ball are tried."""
    rng = np.random.default_rng(seed)
    hidden = random_network(rng, (1, 2, 3), ("conv",), step=1.0).layers
    channels, rows, columns = hidden[0].output_shape((1, 2, 3))
    layers = (*hidden, majority_pool(channels, min(2, rows, columns), 1))
    outputs = layers[1].output_shape((channels, rows, columns))
    head = Head(rng.integers(-1, 2, (2, *outputs)), 1, [0, 0])
    network = BinaryNetwork(Quantiser(1), layers, head, (1, 2, 3))
    image = rng.choice([0.1, 0.4, 0.6, 0.9], 6)
    ends = [(round(max(x - 0.2, 0)), round(min(x + 0.2, 1))) for x in image]
    levels = np.array(list(itertools.product(*(sorted(set(pair)) for pair in ends))), np.uint8)
    classes = network.scores_of_levels(levels.reshape(-1, 1, 2, 3)).argmax(axis=1)
    for label in (0, 1):
        status = "robust" if (classes == label).all() else "falsified"
        assert verify(network, image, label, 0.2).status == status
