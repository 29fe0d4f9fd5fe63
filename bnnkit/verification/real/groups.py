"""Upper bounds of leads from groups of neurons that read the same few bits.

Intervals let each neuron of the last hidden layer take the value that is best for a lead. But
neurons that read the same open bits cannot choose on their own: a group has as many outcomes as
its bits have values, and these can be tried. The sum of the groups' best outcomes is a bound that
no input passes, for all classes at once.
"""

from typing import NamedTuple

import numpy as np

from bnnkit.verification.real._compile import entry, inner

MOST = 10  # open bits of a group, unless told


class Pairs(NamedTuple):
    """Pairs of bits and values that exclude each other; those of bit k from start[k] on.

    Attributes
    ----------
    start : ndarray of int64, shape (n_nodes + 1,)
    value, other, other_value : ndarray of int64, shape (pairs,)
    """

    start: np.ndarray
    value: np.ndarray
    other: np.ndarray
    other_value: np.ndarray


def grouped_leads(circuit, label, bounds, clauses, most=MOST):
    """Upper bounds of z[j] - z[label] for all classes j, as `greatest_leads` has them.

    Parameters
    ----------
    circuit : Circuit
        With a hidden layer.
    label : int
    bounds : Bounds
    clauses : list of ((bit, sign), (bit, sign))
        Pairs of input bits with signs (1: the bit is 1; -1: it is 0) that exclude each other.
    most : int
        Open bits of a group.

    Returns
    -------
    ndarray of int64, shape (classes,)
    """
    n_classes, n_nodes = len(circuit.needed), circuit.n_nodes
    greatest, totals, best = np.zeros((3, n_classes), np.int64)
    place, sums = np.full(n_nodes, -1), np.zeros(n_nodes, np.int64)
    sources, masks = np.zeros(most, np.int64), np.zeros((len(clauses) + 1, 2), np.int64)
    space = place, sources, masks, sums, totals, best
    add_groups(circuit, label, bounds, _by_bit(clauses, n_nodes), space, greatest)
    return greatest


def _by_bit(clauses, n_nodes):
    rows = np.array(sorted((a, s > 0, b, t > 0) for (a, s), (b, t) in clauses), np.int64)
    rows = np.ascontiguousarray(rows.reshape(-1, 4).T)
    return Pairs(np.searchsorted(rows[0], np.arange(n_nodes + 1)), *rows[1:])


@entry
def add_groups(c, label, bounds, pairs, space, greatest):
    """Add the best outcome of each group to `greatest`."""
    place, sources, _, _, _, best = space
    first, last = c.start[len(c.start) - 3], c.start[len(c.start) - 2]
    while first < last:
        k, end = gather(c, bounds, first, last, place, sources)
        best[:] = np.int64(-(2**62))
        if end == first:  # a neuron with too many open bits is a group with two outcomes
            end = first + 1
            for value in range(bounds.low[first], bounds.high[first] + 1):
                keep_two(c, label, first, value, space)
        else:
            try_all(c, label, bounds, first, end, k, forbidden(pairs, k, space), space)
        for i in range(k):
            place[sources[i]] = -1
        for j in range(len(greatest)):
            greatest[j] += best[j]
        first = end


@inner
def gather(c, bounds, first, last, place, sources):
    """Nodes from `first` on while they have few open sources; these are counted. (count, end)"""
    k, end = 0, first
    while end < last:
        more = k
        for e in range(c.in_start[end], c.in_start[end + 1]):
            source = c.in_edge[e] >> 1
            is_open = (
                bounds.low[end] < bounds.high[end] and bounds.low[source] < bounds.high[source]
            )
            if is_open and place[source] < 0:
                if more < len(sources):
                    place[source], sources[more] = more, source
                more += 1
        if more > len(sources):
            for i in range(k, len(sources)):
                place[sources[i]] = -1
            break
        k, end = more, end + 1
    return k, end


@inner
def forbidden(pairs, k, space):
    """Write what of `pairs` is about the group: (mask, value) of its bits; returns how many."""
    place, sources, masks, _, _, _ = space
    n = 0
    for i in range(k):
        for p in range(pairs.start[sources[i]], pairs.start[sources[i] + 1]):
            j = place[pairs.other[p]]
            if j >= 0:
                masks[n, 0] = 1 << i | 1 << j
                masks[n, 1] = pairs.value[p] << i | pairs.other_value[p] << j
                n += 1
    return n


@inner
def keep_two(c, label, node, value, space):
    """One outcome of a node that is a group of its own."""
    _, _, _, _, totals, best = space
    totals[:] = 0
    if value != 0:
        count(c, node, 1, totals)
    keep(label, totals, best)


@inner
def try_all(c, label, bounds, first, end, k, n_masks, space):
    """All outcomes of a group, from one to the next by changing a single bit (Gray code)."""
    place, sources, masks, sums, totals, best = space
    totals[:] = 0
    for node in range(first, end):
        sums[node] = 0
        for e in range(c.in_start[node], c.in_start[node + 1]):
            source = c.in_edge[e] >> 1
            value = 0 if place[source] >= 0 else bounds.low[source]
            sums[node] += -value if c.in_edge[e] & 1 else value
        if bounds.low[node] == 1 or (bounds.high[node] == 1 and sums[node] >= c.bound[node]):
            count(c, node, 1, totals)
    pattern = 0
    for step in range(1, (1 << k) + 1):
        allowed = True
        for i in range(n_masks):
            allowed = allowed and pattern & masks[i, 0] != masks[i, 1]
        if allowed:
            keep(label, totals, best)
        if step == 1 << k:
            return
        i = 0
        while step >> i & 1 == 0:
            i += 1
        pattern ^= 1 << i
        change = 1 if pattern >> i & 1 else -1
        flip(c, bounds, first, end, sources[i], change, sums, totals)


@inner
def flip(c, bounds, first, end, source, change, sums, totals):
    """Change one open bit of a group."""
    for e in range(c.out_start[source], c.out_start[source + 1]):
        node = c.out_edge[e] >> 1
        if first <= node < end and bounds.low[node] < bounds.high[node]:
            before = sums[node] >= c.bound[node]
            sums[node] += -change if c.out_edge[e] & 1 else change
            after = sums[node] >= c.bound[node]
            if before != after:
                count(c, node, 1 if after else -1, totals)


@inner
def count(c, node, change, totals):
    """Add a node's bit to the sums of the classes, or take it away."""
    classes = c.start[len(c.start) - 2]
    for e in range(c.out_start[node], c.out_start[node + 1]):
        j = (c.out_edge[e] >> 1) - classes
        totals[j] += -change if c.out_edge[e] & 1 else change


@inner
def keep(label, totals, best):
    """Remember an outcome where it is the best of a class so far."""
    for j in range(len(best)):
        best[j] = max(best[j], totals[j] - totals[label])
