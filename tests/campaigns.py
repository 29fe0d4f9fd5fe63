"""Questions for the tests of campaigns, also in programs that are killed."""

import numpy as np

from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser

EPS = 0.05


def make_questions(n=40):
    """(network, images, labels): a network whose bits differ from image to image."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n, 1, 4, 4)).astype(np.uint8)
    quantiser = Quantiser(0.2)
    weights = rng.choice([-1, 1], (12, 1, 4, 4)).astype(np.int8)
    sums = np.einsum("oixy,nixy->no", weights.astype(int), quantiser.levels(images).astype(int))
    layer = Conv2d(weights, np.median(sums, axis=0).astype(int), [1] * 12)
    head = Head(rng.choice([-1, 1], (3, 12, 1, 1)), 1, [0, 0, 0])
    network = BinaryNetwork(quantiser, [layer], head, (1, 4, 4))
    return network, images, network.predict(images)
