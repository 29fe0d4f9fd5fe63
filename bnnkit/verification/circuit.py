"""A network as a circuit: one flat graph of sums and thresholds for all stages.

The nodes are numbered layer by layer: first the inputs, last the sums of the classes, each layer
in (row, column, channel) order. A node sums what its sources hold, as it is or negated,

    z[k] = sum of +-value[source],

and holds the bit [z[k] >= bound[k]]. That covers every layer: a channel that asks for z <= t is
one with negated weights and the bound -t, an OR of n bits is a sum with the bound 1, an AND one
with the bound n. Weights of 0 and padding have no edge, so sparse networks are small circuits.
"""

import functools
from typing import NamedTuple

import numpy as np

from bnnkit.kernels import patches
from bnnkit.network import Pool2d
from bnnkit.verification._compile import entry, inner

_LARGEST = 2**31 - 1  # of the int32 in which sums are kept


class Circuit(NamedTuple):
    """Arrays of a circuit; n nodes, e edges, c classes.

    Attributes
    ----------
    start : ndarray of int64, shape (depth + 2,)
        Layer d has the nodes ``start[d]`` to ``start[d + 1] - 1``; layer 0 are the inputs, the
        last layer are the sums of the classes.
    bound : ndarray of int32, shape (n,)
        Of no meaning for inputs and classes.
    in_start, out_start : ndarray of int64, shape (n + 1,)
        Node k has the edges ``in_start[k]`` to ``in_start[k + 1] - 1`` from its sources, and
        those of ``out_start`` to its targets.
    in_edge, out_edge : ndarray of uint32, shape (e,)
        2 * (the source or target) + (1 if it counts negatively).
    needed : ndarray of int64, shape (c, c)
        Class j beats class i if z[j] - z[i] is at least ``needed[i, j]``.
    """

    start: np.ndarray
    bound: np.ndarray
    in_start: np.ndarray
    in_edge: np.ndarray
    out_start: np.ndarray
    out_edge: np.ndarray
    needed: np.ndarray

    @property
    def n_inputs(self):
        return int(self.start[1])

    @property
    def n_nodes(self):
        return int(self.start[-1])

    @property
    def classes(self):
        """The node of class 0; the others follow."""
        return int(self.start[-2])


@functools.lru_cache(maxsize=4)
def circuit(network):
    """The `Circuit` of a BinaryNetwork; made once for all its images.

    Raises
    ------
    ValueError
        If a sum could leave the range of 32 bits.
    """
    levels = network.quantiser.n_levels - 1
    shapes = zip((*network.layers, network.head), network.shapes, strict=True)
    parts = [_layer(layer, shape) for layer, shape in shapes]
    sizes = [int(np.prod(network.input_shape)), *(len(index) * len(w) for w, index, _ in parts)]
    start = np.concatenate([[0], np.cumsum(sizes)])
    in_start, in_edge = [np.zeros(sizes[0] + 1, np.int64)], []
    for (weights, index, _), first, inputs in zip(parts, start, sizes, strict=False):
        _check_range(weights, levels if first == 0 else 1)
        counts = np.zeros(len(index) * len(weights), np.int64)
        count_edges(weights, index, inputs, counts)
        in_start.append(in_start[-1][-1] + np.cumsum(counts))
        in_edge.append(np.empty(counts.sum(), np.uint32))
        write_edges(weights, index, inputs, first, in_edge[-1])
    in_start, in_edge = np.concatenate(in_start), np.concatenate(in_edge)
    out_start, out_edge = np.zeros(start[-1] + 2, np.int64), np.empty_like(in_edge)
    reverse_edges(in_start, in_edge, out_start, out_edge)
    bound = np.concatenate([np.zeros(sizes[0], np.int64), *(bound for _, _, bound in parts)])
    bound = np.clip(bound, -_LARGEST, _LARGEST).astype(np.int32)
    needed = _needed(network.head)
    return Circuit(start, bound, in_start, in_edge, out_start[:-1], out_edge, needed)


def _layer(layer, input_shape):
    """A layer as (weights (O, K), index (P, K), bounds (P * O,)).

    Output o at position p is the sum of weights[o] . x[index[p]] or, for a pool, the one channel
    that there is; an index one past the last input stands for the padding.
    """
    c, h, w = input_shape
    if isinstance(layer, Pool2d):
        index = np.arange(h * w * c).reshape(1, h, w, c)
        index = patches(index, (layer.size, layer.size), layer.stride)  # (P, taps * C)
        taps = layer.size**2
        index = index.reshape(len(index), taps, c).transpose(0, 2, 1).reshape(-1, taps)
        bound = 1 if layer.kind == "or" else taps
        return np.ones((1, taps), np.int8), np.ascontiguousarray(index), np.full(len(index), bound)
    # 0 marks the padding, since that is what `patches` pads with
    index = np.arange(1, h * w * c + 1).reshape(1, h, w, c)
    index = patches(index, layer.kernel_shape[2:], layer.stride, layer.padding) - 1
    index[index < 0] = h * w * c
    weights = layer.weights.transpose(0, 2, 3, 1).reshape(layer.kernel_shape[0], -1)
    return _threshold(layer, weights, index) if hasattr(layer, "sense") else _head(layer, weights)


def _threshold(layer, weights, index):
    sense = layer.sense.astype(np.int64)
    threshold = layer.threshold.astype(np.int64)
    if threshold.ndim == 3:
        threshold = threshold.transpose(1, 2, 0).reshape(-1, len(sense))
    bound = np.broadcast_to(sense * threshold, (len(index), len(sense)))
    return np.ascontiguousarray(weights * layer.sense[:, None]), index, bound.ravel()


def _head(head, weights):
    weights = np.ascontiguousarray(weights * np.int8(np.sign(head.scale)))
    index = np.arange(weights.shape[1])[None]
    return weights, index, np.zeros(len(weights), np.int64)


def _needed(head):
    """Smallest z[j] - z[i], weights times the sign of the scale, with which j beats i.

    Class j wins with the higher score, or with an equal one if j < i. In integers:
    |scale| * d >= bias_i - bias_j, plus 1 where a tie would go to i.
    """
    bias, classes = head.bias.astype(np.int64), np.arange(len(head.bias))
    lead = bias[:, None] - bias + (classes > classes[:, None])
    return -(-lead // abs(head.scale))


def _check_range(weights, largest_input):
    reach = int(np.abs(weights).sum(axis=1, dtype=np.int64).max()) * largest_input
    if reach >= _LARGEST:
        raise ValueError(
            f"a sum of this network can reach {reach}, more than the {_LARGEST} that verification "
            "is built for; use a layer with fewer inputs, or fewer levels"
        )


@entry
def count_edges(weights, index, n_inputs, counts):
    """Number of sources of each output: its weights that are not 0, without the padding."""
    n_outputs = len(weights)
    for p in range(len(index)):
        for o in range(n_outputs):
            for k in range(index.shape[1]):
                if weights[o, k] != 0 and index[p, k] < n_inputs:
                    counts[p * n_outputs + o] += 1


@entry
def write_edges(weights, index, n_inputs, first, edges):
    """The sources themselves, numbered from `first` on."""
    n = 0
    for p in range(len(index)):
        for o in range(len(weights)):
            for k in range(index.shape[1]):
                if weights[o, k] != 0 and index[p, k] < n_inputs:
                    edges[n] = np.uint32(2 * (first + index[p, k]) + (weights[o, k] < 0))
                    n += 1


@entry
def reverse_edges(in_start, in_edge, out_start, out_edge):
    """The edges by their sources; `out_start` is all 0, and one longer than in the end."""
    for edge in in_edge:
        out_start[(edge >> 1) + 2] += 1
    for k in range(2, len(out_start)):
        out_start[k] += out_start[k - 1]
    for target in range(len(in_start) - 1):
        for k in range(in_start[target], in_start[target + 1]):
            source = (in_edge[k] >> 1) + 1
            out_edge[out_start[source]] = np.uint32(2 * target + (in_edge[k] & 1))
            out_start[source] += 1


@inner
def next_difference(c, one, one_end, other, other_end):
    """The next source of two nodes' difference.

    `one` and `other` are places in `in_edge`, each up to its end; the edges of a node are in the
    order of their sources.

    Returns
    -------
    source, weight, one, other
        What the first node counts the source for, less what the second one does, from -2 to 2;
        and the places after it.
    """
    weight = 0
    source = np.int64(-1)
    if one < one_end:
        source = np.int64(c.in_edge[one] >> 1)
    if other < other_end:
        rest = np.int64(c.in_edge[other] >> 1)
        source = rest if source < 0 else min(source, rest)
    if one < one_end and c.in_edge[one] >> 1 == source:
        weight += -1 if c.in_edge[one] & 1 else 1
        one += 1
    if other < other_end and c.in_edge[other] >> 1 == source:
        weight -= -1 if c.in_edge[other] & 1 else 1
        other += 1
    return source, weight, one, other
