"""The signs of first-layer sums, as exact inequalities over a box.

A bit of the first layer is the sign of a linear function of the pixels, so bits whose windows
overlap cannot always be chosen freely. That some signs exclude each other is proved by a sum: if
a positive combination of the functions that are to be positive is negative on the whole box,
they cannot all be (Farkas). Floats may propose such a combination, integers decide.
"""

import math

import numpy as np

from bnnkit.kernels import patches
from bnnkit.network.rationals import as_integers, as_python
from bnnkit.verification.real.box import by_channel

MOST = 2000  # bits whose pairs are looked at
_PLACES = 20  # binary places for thresholds, which may be any fractions
_NEAR = 1e-9  # what floats may be wrong by, relative to the largest number

_ceil = np.frompyfunc(math.ceil, 1, 1)
_floor = np.frompyfunc(math.floor, 1, 1)


class SignRows:
    """Linear functions of the pixels whose signs are the open bits of a first layer.

    Row k is to be 1: then z[k] + offset[1][k] >= 0. It is to be 0: then -z[k] + offset[-1][k] >= 0.
    Where `strict` says so, even > 0. All numbers are Python integers, in units of 1 / `unit`
    pixels; thresholds are rounded so that this weakens what is said, and never strengthens it.

    Parameters
    ----------
    front : RealConv2d
    box : Box
    bits : ndarray of int64, shape (n,)
        Numbers of the bits, in (row, column, channel) order of the first layer's outputs.

    Attributes
    ----------
    weights : ndarray of int8, shape (n, inputs)
        sense * weights over the inputs in (row, column, channel) order.
    centre, radius : ndarray of int (dtype object), shape (inputs,)
        An input goes from centre - radius to centre + radius.
    offset : dict of int to ndarray of int (dtype object), shape (n,)
        By sign.
    strict : dict of int to ndarray of bool, shape (n,)
    """

    def __init__(self, front, box, bits):
        self.bits = np.asarray(bits)
        self.weights = _weights(front, box.shape, self.bits)
        ends, denominator = as_integers(np.stack([box.low, box.high]))
        low, high = (by_channel(end) for end in as_python(ends) * 2**_PLACES)
        self.unit = 2 * denominator * 2**_PLACES
        self.centre, self.radius = low + high, high - low
        threshold = np.broadcast_to(front.signed_threshold, front.output_shape(box.shape))
        exact = by_channel(threshold)[self.bits] * self.unit
        lower, upper = _floor(exact), _ceil(exact)
        rounded = (lower != upper).astype(bool)
        above = front.strict[self.bits % front.kernel_shape[0]]
        self.offset = {1: -lower, -1: upper}
        self.strict = {1: rounded | above, -1: rounded | ~above}

    def exclude(self, rows, signs, weights=None):
        """Whether a weighted sum proves, exactly, that no pixels give `rows` these `signs`.

        Parameters
        ----------
        rows, signs : sequence of int
            Signs are 1 and -1.
        weights : sequence of int, optional
            Above 0; all 1 if left out.
        """
        most, strict, direction = 0, False, {}
        for row, sign, weight in zip(rows, signs, weights or [1] * len(rows), strict=True):
            for i in np.flatnonzero(self.weights[row]).tolist():
                direction[i] = direction.get(i, 0) + weight * sign * int(self.weights[row, i])
            most += weight * self.offset[sign][row]
            strict |= bool(self.strict[sign][row])
        for i, factor in direction.items():
            most += factor * self.centre[i] + abs(factor) * self.radius[i]
        return most < 0 or (most == 0 and strict)

    def exclusive_pairs(self):
        """Yield pairs ((row, sign), (row, sign)) that exclude each other by their plain sum."""
        if 2 <= len(self.bits) <= MOST:
            for i, s, j, t in self._likely_pairs():
                if self.exclude((i, j), (s, t)):
                    yield (i, s), (j, t)

    def _likely_pairs(self):
        """Those for which floats say so, or cannot say.

        The sum of two functions goes up to what both go up to on their own, less twice the
        radius of the inputs that they want to move in opposite directions.
        """
        weights, radius = self.weights.astype(np.float64), self.radius.astype(np.float64)
        signed = (weights * radius) @ weights.T
        shared = (abs(weights) * radius) @ abs(weights).T
        middle, reach = weights @ self.centre.astype(np.float64), np.diagonal(shared)
        near = _NEAR * (abs(middle).max() + reach.max())
        first, second = np.nonzero(np.triu(shared, 1))
        for s in (1, -1):
            for t in (1, -1):
                most = [
                    sign * middle[rows] + self.offset[sign][rows].astype(np.float64) + reach[rows]
                    for sign, rows in ((s, first), (t, second))
                ]
                together = sum(most) - (shared - s * t * signed)[first, second]
                for k in np.flatnonzero(together <= near):
                    yield int(first[k]), s, int(second[k]), t


def _weights(front, shape, bits):
    """Rows of the matrix that the first layer is, for some of its outputs: int8 (n, inputs)."""
    c, h, w = shape
    o, _, kh, kw = front.kernel_shape
    index = np.arange(1, h * w * c + 1).reshape(1, h, w, c)  # 0 is the padding
    index = patches(index, (kh, kw), front.stride, front.padding)
    kernels = (front.weights * front.sense[:, None, None, None]).transpose(0, 2, 3, 1)
    weights = np.zeros((len(bits), h * w * c + 1), np.int8)
    np.put_along_axis(weights, index[bits // o], kernels.reshape(o, -1)[bits % o], axis=1)
    return weights[:, 1:]
