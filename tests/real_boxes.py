"""Questions about boxes of real inputs, answered slowly: all sign patterns, by elimination."""

import itertools
from fractions import Fraction

import numpy as np

from bnnkit.network import BinaryNetwork, Conv2d, Head, Pool2d, RealConv2d, RealNetwork
from bnnkit.quantiser import Quantiser


def feasible(rows):
    """Whether some x has a . x + b >= 0, or > 0 where strict, for all rows (a, b, strict).

    Fourier-Motzkin elimination: variable by variable, what is above it is above what is below.
    """
    rows = [([Fraction(v) for v in a], Fraction(b), strict) for a, b, strict in rows]
    for k in range(len(rows[0][0])):
        up = [row for row in rows if row[0][k] > 0]
        down = [row for row in rows if row[0][k] < 0]
        rows = [row for row in rows if row[0][k] == 0]
        for (a, b, s), (c, d, t) in itertools.product(up, down):
            f, g = -c[k], a[k]
            mixed = [f * v + g * w for v, w in zip(a, c, strict=True)]
            rows.append((mixed, f * b + g * d, s or t))
    return all(b > 0 or (b == 0 and not strict) for _, b, strict in rows)


def box_rows(box):
    """The box as rows of `feasible`, over its inputs in (C, H, W) order."""
    rows, n = [], box.low.size
    for i, (low, high) in enumerate(zip(box.low.ravel(), box.high.ravel(), strict=True)):
        unit = np.eye(n, dtype=int)[i].tolist()
        rows += [(unit, -low, False), ([-v for v in unit], high, False)]
    return rows


def sign_row(front, shape, place, bit):
    """That output `place` (o, row, column) of a RealConv2d is `bit`, as a row of `feasible`."""
    o, i, j = place
    weights = np.zeros(shape, int)
    _, c, kh, kw = front.kernel_shape
    for tap in np.ndindex(c, kh, kw):
        y = i * front.stride + tap[1] - front.padding
        x = j * front.stride + tap[2] - front.padding
        if 0 <= y < shape[1] and 0 <= x < shape[2]:
            weights[tap[0], y, x] = front.weights[(o, *tap)]
    threshold = front.threshold[o] if front.threshold.ndim == 1 else front.threshold[place]
    sense = int(front.sense[o])
    a, b, strict = sense * weights.ravel(), -sense * threshold, bool(front.strict[o])
    return (a.tolist(), b, strict) if bit else ((-a).tolist(), -b, not strict)


def patterns(front, box):
    """All outputs (O, OH, OW) of `front` that some point of the box has."""
    shape = front.output_shape(box.shape)
    found = []

    def extend(bits, rows):
        if len(bits) == np.prod(shape):
            found.append(np.array(bits, np.uint8).reshape(shape))
            return
        place = np.unravel_index(len(bits), shape)
        for bit in (0, 1):
            more = [*rows, sign_row(front, box.shape, place, bit)]
            if feasible(more):
                extend([*bits, bit], more)

    extend([], box_rows(box))
    return found


def has_counterexample(network, box, condition):
    """The truth about a question, from all patterns."""
    scores = network.tail.scores_of_levels(np.stack(patterns(network.front, box)))
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
