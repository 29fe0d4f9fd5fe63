"""A network unrolled: every neuron's inputs by index, ready for bounds and encoding.

Activations are flat vectors in (row, column, channel) order. A position p of a layer reads
the inputs ``index[p]``; padding reads the index one past the end, which holds 0. A dense
layer has one position that reads everything.
"""

import functools
from dataclasses import dataclass

import numpy as np

from bnnkit.kernels import patches
from bnnkit.network import Pool2d


@dataclass(frozen=True)
class UnrolledSums:
    """Sums z[p, o] = weights[o] . x[index[p]] of a layer.

    Attributes
    ----------
    weights : ndarray of int8, shape (O, K)
    index : ndarray of int64, shape (P, K)
    """

    weights: np.ndarray
    index: np.ndarray

    def values(self, x):
        """Z for integers x of shape (n_inputs,): float64 (P, O), exact below 2**53."""
        return np.append(x, 0).astype(np.float64)[self.index] @ self._matrix

    def magnitudes(self, x):
        """Sums with |weights| instead of weights: float64 (P, O)."""
        return np.append(x, 0).astype(np.float64)[self.index] @ self._absolute

    @functools.cached_property
    def _matrix(self):
        return np.ascontiguousarray(self.weights.T, dtype=np.float64)

    @functools.cached_property
    def _absolute(self):
        return np.abs(self._matrix)

    def interval(self, low, high):
        """Smallest and largest z while each input stays between `low` and `high`."""
        centre = self.values(low.astype(np.int64) + high)
        spread = self.magnitudes(high.astype(np.int64) - low)
        # twice the centre minus or plus the spread is an even integer, so halves are exact
        return (centre - spread) / 2, (centre + spread) / 2


@dataclass(frozen=True)
class UnrolledThreshold:
    """Bits [z >= bound] XOR flip of a layer of sums.

    Attributes
    ----------
    sums : UnrolledSums
    bound : ndarray of int64, shape (P, O)
    flip : ndarray of bool, shape (O,)
        True where the network asks for z <= bound - 1.
    """

    sums: UnrolledSums
    bound: np.ndarray
    flip: np.ndarray


@dataclass(frozen=True)
class UnrolledPool:
    """Bits that are the OR or AND of the inputs ``index[p]``.

    Attributes
    ----------
    kind : "or", "and"
    index : ndarray of int64, shape (P, K)
    """

    kind: str
    index: np.ndarray


@dataclass(frozen=True)
class UnrolledHead:
    """Scores scale * z[0] + bias.

    Attributes
    ----------
    sums : UnrolledSums
    scale : int
    bias : ndarray of int64, shape (classes,)
    """

    sums: UnrolledSums
    scale: int
    bias: np.ndarray


@functools.lru_cache(maxsize=4)
def unroll(network):
    """Unroll a `BinaryNetwork`; done once for all images of a network.

    Returns
    -------
    layers : tuple of UnrolledThreshold, UnrolledPool
    head : UnrolledHead
    """
    layers = []
    for layer, input_shape in zip(network.layers, network.shapes[:-1], strict=True):
        if isinstance(layer, Pool2d):
            layers.append(_pool(layer, input_shape))
        else:
            layers.append(_threshold(layer, input_shape))
    sums = _sums(network.head, network.shapes[-1])
    return tuple(layers), UnrolledHead(sums, network.head.scale, network.head.bias)


def _sums(layer, input_shape):
    c, h, w = input_shape
    # index 0 marks the padding, since that is what `patches` pads with
    index = np.arange(1, h * w * c + 1).reshape(1, h, w, c)
    index = patches(index, layer.kernel_shape[2:], layer.stride, layer.padding) - 1
    index[index < 0] = h * w * c
    weights = layer.weights.transpose(0, 2, 3, 1).reshape(layer.kernel_shape[0], -1)
    return UnrolledSums(weights, index)


def _threshold(layer, input_shape):
    sums = _sums(layer, input_shape)
    flip = layer.sense < 0
    threshold = layer.threshold.astype(np.int64)
    if threshold.ndim == 3:
        threshold = threshold.transpose(1, 2, 0).reshape(-1, len(flip))
    bound = np.broadcast_to(threshold + flip, (len(sums.index), len(flip)))
    return UnrolledThreshold(sums, bound, flip)


def _pool(layer, input_shape):
    c, h, w = input_shape
    index = np.arange(h * w * c).reshape(1, h, w, c)
    index = patches(index, (layer.size, layer.size), layer.stride)  # (P, taps * C)
    index = index.reshape(len(index), -1, c).transpose(0, 2, 1)
    return UnrolledPool(layer.kind, index.reshape(-1, layer.size**2))
