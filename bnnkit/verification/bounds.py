"""Bound propagation: what every image of the ball agrees on.

Interval arithmetic on the exact network. A bit that is the same at both ends of its
neuron's interval is the same on the whole ball, so it is a constant of the question.
"""

import numpy as np

from bnnkit.verification.unroll import UnrolledPool


def propagate(layers, low, high):
    """Bounds of every layer's inputs, from the levels of the ball on.

    Parameters
    ----------
    layers : sequence of UnrolledThreshold, UnrolledPool
    low, high : ndarray of integers, shape (n_inputs,)
        Lowest and highest level of each input, (row, column, channel) order.

    Returns
    -------
    list of (low, high)
        The bounds of each layer's inputs and, last, of the head's. Bits have bounds in
        {0, 1}; a bit whose bounds are equal is constant.
    """
    bounds = [(low, high)]
    for layer in layers:
        pooled = isinstance(layer, UnrolledPool)
        bounds.append(_pool(layer, *bounds[-1]) if pooled else _threshold(layer, *bounds[-1]))
    return bounds


def _threshold(layer, low, high):
    z_low, z_high = layer.sums.interval(low, high)
    surely, possibly = z_low >= layer.bound, z_high >= layer.bound
    bit_low = np.where(layer.flip, ~possibly, surely)
    bit_high = np.where(layer.flip, ~surely, possibly)
    return bit_low.ravel().astype(np.uint8), bit_high.ravel().astype(np.uint8)


def _pool(layer, low, high):
    reduce = np.max if layer.kind == "or" else np.min
    return reduce(low[layer.index], axis=1), reduce(high[layer.index], axis=1)


def possible_rivals(head, label, low, high):
    """Classes whose interval does not rule out that they beat `label`.

    Parameters
    ----------
    head : UnrolledHead
    label : int
    low, high : ndarray of integers
        Bounds of the head's inputs.

    Returns
    -------
    ndarray of int64
        Empty: the network gives `label` on the whole ball.
    """
    difference = head.sums.weights.astype(np.int64) - head.sums.weights[label]
    difference = difference * np.sign(head.scale)
    positive, negative = np.maximum(difference, 0), np.minimum(difference, 0)
    index = head.sums.index[0]
    largest = positive @ high[index].astype(np.int64) + negative @ low[index].astype(np.int64)
    possible = largest >= rival_bounds(head, label)
    possible[label] = False
    return np.flatnonzero(possible)


def rival_bounds(head, label):
    """Smallest sign(scale) * (z_j - z_label) with which class j beats `label`.

    Class j wins with the higher score, or with an equal one if j < label. In integers:
    |scale| * d >= bias_label - bias_j, plus 1 where a tie would go to the label.

    Returns
    -------
    ndarray of int64, shape (classes,)
    """
    needed = head.bias[label] - head.bias + (np.arange(len(head.bias)) > label)
    return -(-needed // abs(head.scale))
