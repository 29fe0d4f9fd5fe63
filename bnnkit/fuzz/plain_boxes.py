"""The truth about small boxes of real inputs: all patterns of the first layer, by elimination.

Nothing here is shared with the search, the bounds or the proofs that are being tested.
"""

import itertools
from fractions import Fraction

import numpy as np


def feasible(rows):
    """Whether some x has a . x + b >= 0, or > 0 where strict, for all rows (a, b, strict).

    Fourier-Motzkin elimination: variable by variable, what is above it is above what is below.
    """
    rows = [(tuple(Fraction(v) for v in a), Fraction(b), strict) for a, b, strict in rows]
    for k in range(len(rows[0][0])):
        rows = set(rows)
        up = [row for row in rows if row[0][k] > 0]
        down = [row for row in rows if row[0][k] < 0]
        rows = [row for row in rows if row[0][k] == 0]
        for (a, b, s), (c, d, t) in itertools.product(up, down):
            f, g = -c[k], a[k]
            mixed = tuple(f * v + g * w for v, w in zip(a, c, strict=True))
            rows.append((mixed, f * b + g * d, s or t))
    return all(b > 0 or (b == 0 and not strict) for _, b, strict in rows)


def patterns(front, low, high):
    """All outputs (O, OH, OW) of a `RealConv2d` that some point between two ends (C, H, W) has."""
    shape = front.output_shape(low.shape)
    places, found = list(np.ndindex(shape)), []

    def extend(bits, rows):
        if len(bits) == len(places):
            found.append(np.array(bits, np.uint8).reshape(shape))
            return
        for bit in (0, 1):
            more = [*rows, sign_row(front, low.shape, places[len(bits)], bit)]
            if feasible(more):
                extend([*bits, bit], more)

    extend([], end_rows(low, high))
    return found


def end_rows(low, high):
    """The box as rows of `feasible`, over its inputs in (C, H, W) order."""
    rows = []
    for i, (least, most) in enumerate(zip(low.ravel(), high.ravel(), strict=True)):
        unit = np.eye(low.size, dtype=int)[i]
        rows += [(unit.tolist(), -least, False), ((-unit).tolist(), most, False)]
    return rows


def sign_row(front, shape, place, bit):
    """That output `place` (o, row, column) of a `RealConv2d` is `bit`, as a row of `feasible`."""
    o, i, j = place
    weights = np.zeros(shape, int)
    for tap in np.ndindex(front.kernel_shape[1:]):
        y = i * front.stride + tap[1] - front.padding
        x = j * front.stride + tap[2] - front.padding
        if 0 <= y < shape[1] and 0 <= x < shape[2]:
            weights[tap[0], y, x] = front.weights[(o, *tap)]
    threshold = front.threshold[o] if front.threshold.ndim == 1 else front.threshold[place]
    sense = int(front.sense[o])
    a, b, strict = sense * weights.ravel(), -sense * threshold, bool(front.strict[o])
    return (a.tolist(), b, strict) if bit else ((-a).tolist(), -b, not strict)


def bits(front, x):
    """Outputs (O, OH, OW) of a `RealConv2d` for exact numbers x (C, H, W), by definition."""
    found = np.zeros(front.output_shape(x.shape), np.uint8)
    for place in np.ndindex(found.shape):
        a, b, strict = sign_row(front, x.shape, place, 1)
        value = sum((v * w for v, w in zip(a, x.ravel(), strict=True)), b)
        found[place] = value > 0 or (value == 0 and not strict)
    return found
