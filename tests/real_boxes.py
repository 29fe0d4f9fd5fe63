"""Questions about boxes of real inputs, answered slowly: all sign patterns, by elimination."""

from fractions import Fraction

import numpy as np

from bnnkit.fuzz import plain_boxes
from bnnkit.network import BinaryNetwork, Conv2d, Head, Pool2d, RealConv2d, RealNetwork
from bnnkit.quantiser import Quantiser


def has_counterexample(network, box, condition):
    """The truth about a question, from all patterns."""
    patterns = plain_boxes.patterns(network.front, box.low, box.high)
    scores = network.tail.scores_of_levels(np.stack(patterns))
    return bool(condition.holds(scores.T).any())


def random_network(rng, classes=3):
    """A tiny network: every feature that a first layer can have, then one layer, pool or none."""
    shape, kernel = (1, 2, 2), tuple(rng.integers(1, 3, 2).tolist())
    padding = int(rng.integers(2)) if kernel == (2, 2) else 0
    o = int(rng.integers(2, 5)) if kernel == (2, 2) and not padding else 1
    front = RealConv2d(
        rng.choice([-1, 0, 1, 1, -1], (o, 1, *kernel)),
        [Fraction(int(n), 2) for n in rng.integers(-6, 7, o)],
        rng.choice([-1, 1], o),
        rng.random(o) < 0.5,
        padding=padding,
    )
    layers, inputs = [], front.output_shape(shape)
    after = inputs
    if inputs[1:] == (2, 2) and rng.random() < 0.4:
        layers.append(Pool2d("or" if rng.random() < 0.5 else "and", 2))
        after = layers[0].output_shape(inputs)
    if rng.random() < 0.7:
        hidden = rng.choice([-1, 0, 1], (4, *after))
        layers.append(Conv2d(hidden, rng.integers(-2, 3, 4), rng.choice([-1, 1], 4)))
        after = (4, 1, 1)
    scale = int(rng.choice([-3, -1, 1, 2]))
    head = Head(rng.choice([-1, 0, 1], (classes, *after)), scale, rng.integers(-2, 3, classes))
    return RealNetwork(front, BinaryNetwork(Quantiser(1), layers, head, inputs), shape)


def random_ends(rng, shape):
    """Ends of a box: whole, half and third pixels, some of them fixed."""
    size = int(np.prod(shape))
    low = [Fraction(int(n), int(rng.choice([1, 2, 3]))) for n in rng.integers(-4, 5, size)]
    low = np.array(low, object).reshape(shape)
    width = np.array([Fraction(int(n), 2) for n in rng.integers(0, 5, size)], object)
    return low, low + width.reshape(shape)
