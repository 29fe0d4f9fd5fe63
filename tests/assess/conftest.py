import functools

import numpy as np
import pytest
from helpers import plain_class, random_network

STEPS = (0.1, 0.25, 0.3, 0.5)


@pytest.fixture
def question():
    """A function seed -> (network, images uint8, labels): tiny, with ties at levels' ends."""

    def make(seed, n=6):
        rng = np.random.default_rng(seed)
        network = random_network(
            rng, (1, 1, 3), ("dense", "dense")[: 1 + seed % 2], STEPS[seed % 4]
        )
        images = rng.integers(0, 256, (n, 1, 1, 3)).astype(np.uint8)
        images[:, 0, 0, 0] = 0  # black pixels meet ties at half a step
        labels = network.predict(images)
        labels[0] = (labels[0] + 1) % network.n_classes
        return network, images, labels

    return make


@functools.cache
def classes_of(network):
    """The class of every quantised image, by the definitions."""
    shape = (network.quantiser.n_levels,) * 3
    flat = [plain_class(network, np.array(levels).reshape(1, 1, 3)) for levels in np.ndindex(shape)]
    return np.array(flat).reshape(shape)


@pytest.fixture
def brute():
    """A function (network, image, label, eps as a Fraction) -> "robust" or "falsified"."""

    def status(network, image, label, eps):
        ends = zip(*map(np.ravel, network.quantiser.ball(image, eps)), strict=True)
        box = classes_of(network)[tuple(slice(low, high + 1) for low, high in ends)]
        return "robust" if (box == label).all() else "falsified"

    return status
