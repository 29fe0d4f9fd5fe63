"""A real network and a gradient for it, for 16 inputs side by side.

Forward, the network is exactly itself: inputs are integers in units that keep every sum below
2**22, where float32 is exact. Backward, the step of a bit is given the derivative
(1 + |margin| / spread)**-2. Its long tails matter: with a slope that vanishes outside of a
window, nothing pulls at the many bits that are far from their thresholds.
"""

import math

import numpy as np

from bnnkit.kernels import output_size, slopes
from bnnkit.kernels._lanes import aligned
from bnnkit.kernels.codes import code_inputs, code_outputs, n_words
from bnnkit.kernels.links import links
from bnnkit.kernels.russians import weights_by_lanes, workspace
from bnnkit.network import Head, Pool2d

LANES = 16
EXACT = 2**22  # sums up to here are exact in float32, and so are the halves between them


class LaneNetwork:
    """Scores of 16 inputs, and gradients of whatever is made of the scores.

    Parameters
    ----------
    network : RealNetwork
    unit : Fraction
        An input is a whole number of 1 / unit.
    radius : float
        Half the width of a typical input's range, in units: it spreads the sums of the front.
    """

    def __init__(self, network, unit, radius):
        tail, shape = network.tail, network.input_shape
        bounds = network.front.bounds(unit)
        front = _Sums(network.front, shape, bounds, max(radius, 1))
        self.front, self._steps = front, [front]
        for layer, shape in zip([*tail.layers, tail.head], tail.shapes, strict=True):
            if isinstance(layer, Pool2d):
                self._steps.append(_Pool(layer, shape, self._steps[-1]))
            else:
                self._steps.append(_Sums(layer, shape, _bounds(layer), 1.0, self._steps[-1]))

    def forward(self, x):
        """Sums of the classes: float32 lanes (1, inputs, 16) to (classes, 16)."""
        for step in self._steps:
            x = step.forward(x)
        return x[0, 0]

    def backward(self, gradient, steepness):
        """Gradient of the inputs, given that of the sums (classes, 16) of the last `forward`.

        `steepness` (1, 16) divides the spreads of the sums. Overwritten by the next call.
        """
        gradient = np.ascontiguousarray(gradient[None, None], np.float32)
        for step in reversed(self._steps):
            gradient = step.backward(gradient, steepness)
        return gradient

    def push(self, goal):
        """Smallest absolute margin of the first layer (1, 16), and a gradient that raises it.

        The gradient counts the margins of the last `forward` below `goal` (1, 16).
        """
        least, gradient = np.empty((1, LANES), np.float32), self.front.like_margins
        slopes.push(self.front.margins, goal, gradient, least)
        return least, self.front.backward(gradient, None)


class _Sums:
    """A layer with weights: what it is given are bits (or pixels), what it gives are margins."""

    def __init__(self, layer, shape, bounds, spread, before=None):
        weights = layer.weights
        if hasattr(layer, "sense"):
            weights = weights * layer.sense[:, None, None, None]
        o, c, kh, kw = weights.shape
        self._product = _Product(weights, shape[1:], layer.stride, layer.padding)
        self._bounds = _by_site(bounds)
        self.spread = spread * math.sqrt(c * kh * kw)
        rows, columns = (
            output_size(side, k, layer.stride, layer.padding)
            for side, k in zip(shape[1:], (kh, kw), strict=True)
        )
        self.margins = aligned((1, rows * columns, o, LANES), np.float32)
        self.like_margins = aligned(self.margins.shape, np.float32)
        self._before = before
        self._bits = None if before is None else aligned(before.margins.shape, np.float32)

    def forward(self, x):
        if self._before is not None:
            slopes.fire(x.reshape(-1), self._bits.reshape(-1))
            x = self._bits
        self._product.forward(x, self.margins)
        slopes.subtract(self.margins, self._bounds)
        return self.margins

    def backward(self, gradient, steepness):
        gradient = self._product.backward(gradient)
        if self._before is None:
            return gradient
        before = self._before
        gradient = gradient.reshape(before.margins.shape)
        slopes.soften(gradient, before.margins, steepness / np.float32(before.spread))
        return gradient


class _Pool:
    """A pool of bits is a pool of margins."""

    def __init__(self, layer, shape, before):
        c, h, w = shape
        _, rows, columns = layer.output_shape(shape)
        row, column = np.mgrid[:rows, :columns] * layer.stride
        i, j = np.mgrid[: layer.size, : layer.size]
        self._windows = (row.ravel()[:, None] + i.ravel()) * w + column.ravel()[:, None] + j.ravel()
        self._largest = layer.kind == "or"
        self._before, self.spread = before, before.spread
        self.margins = aligned((1, rows * columns, c, LANES), np.float32)
        self._gradient = aligned((1, h * w, c, LANES), np.float32)

    def forward(self, margins):
        slopes.pool(margins, self._windows, self._largest, self.margins)
        return self.margins

    def backward(self, gradient, steepness):
        slopes.unpool(gradient, self.margins, self._before.margins, self._windows, self._gradient)
        return self._gradient


class _Product:
    """Weights times lanes and the transpose, by table look-up (`bnnkit.kernels.russians`)."""

    def __init__(self, weights, size, stride, padding):
        self._base = 2 if weights.all() else 3
        weights = np.ascontiguousarray(weights.transpose(0, 2, 3, 1))  # (O, KH, KW, C)
        o, kh, kw, c = weights.shape
        if (kh, kw) == size and not padding:  # a dense layer is one site
            size, kh, kw, c = (1, 1), 1, 1, kh * kw * c
        self._outputs, self._channels, self._sites = o, c, size[0] * size[1]
        self._forward, self._backward = links(size, (kh, kw), stride, padding)
        words = n_words(c, self._base)
        codes = np.empty((o, kh * kw, 8 * words), np.uint8)
        code_outputs(weights.reshape(o, kh * kw, c), self._base, codes)
        self._output_codes = codes.view(np.uint64).reshape(-1), (words, kh * kw * words, 1)
        codes = np.empty((n_words(o, self._base), kh * kw * c), np.uint64)
        code_inputs(weights.reshape(o, -1), self._base, codes)
        self._input_codes = codes.reshape(-1), (c, 1, kh * kw * c)
        self._table = workspace(np.float32)
        self._gradient = aligned((1, self._sites, c, LANES), np.float32)

    def forward(self, x, z):
        x = x.reshape(1, self._sites, self._channels, LANES)
        codes, steps = self._output_codes
        weights_by_lanes(x, codes, steps, self._base, self._forward, LANES, self._table, z)

    def backward(self, gradient):
        gradient = gradient.reshape(1, -1, self._outputs, LANES)
        codes, steps = self._input_codes
        weights_by_lanes(
            gradient, codes, steps, self._base, self._backward, LANES, self._table, self._gradient
        )
        return self._gradient


def _bounds(layer):
    """Integers b, (O, 1, 1) or (O, OH, OW), with bit = [sense * z >= b]."""
    if isinstance(layer, Head):  # "margins" of classes are the sums themselves
        return np.full((layer.kernel_shape[0], 1, 1), 0.5)
    threshold = layer.threshold.astype(np.float64)
    threshold = threshold if threshold.ndim == 3 else threshold[:, None, None]
    return threshold * layer.sense[:, None, None]


def _by_site(bounds):
    """Bounds as float32 (1, O) or (sites, O), halfway between the integers that they separate."""
    bounds = np.clip(bounds.reshape(len(bounds), -1).T, -EXACT, EXACT).astype(np.float32)
    return np.ascontiguousarray(bounds - np.float32(0.5))
