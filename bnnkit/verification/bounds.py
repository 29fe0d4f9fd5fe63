"""Bound propagation: what every image of the ball agrees on.

Interval arithmetic on the exact network. A bit that is the same at both ends of its neuron's
interval is the same on the whole ball, so it is a constant of the question.
"""

from typing import NamedTuple

import numpy as np

from bnnkit.verification._compile import entry, inner
from bnnkit.verification.circuit import next_difference


class Bounds(NamedTuple):
    """Least and greatest value of every node while the inputs stay in their box.

    Attributes
    ----------
    low, high : ndarray of int32, shape (n_nodes,)
        Levels of the inputs, bits in {0, 1}, and the sums of the classes. A bit whose bounds are
        equal is constant.
    """

    low: np.ndarray
    high: np.ndarray


def propagate(circuit, low, high):
    """Bounds of all nodes, from the levels of the box on.

    Parameters
    ----------
    circuit : Circuit
    low, high : ndarray of integers, shape (n_inputs,)
        Lowest and highest level of each input, (row, column, channel) order.

    Returns
    -------
    Bounds
    """
    bounds = Bounds(*np.zeros((2, circuit.n_nodes), np.int32))
    bounds.low[: len(low)], bounds.high[: len(high)] = low, high
    propagate_box(circuit, bounds)
    return bounds


def possible_rivals(circuit, label, bounds):
    """Classes that the bounds do not rule out to beat `label`.

    Returns
    -------
    ndarray of int64
        Empty: the network gives `label` on the whole box.
    """
    greatest = np.zeros(len(circuit.needed), np.int64)
    greatest_leads(circuit, label, bounds, greatest)
    possible = greatest >= circuit.needed[label]
    possible[label] = False
    return np.flatnonzero(possible)


def possible_classes(circuit, members, bounds):
    """Classes that the bounds do not rule out to be chosen, by each member of a joint circuit.

    Returns
    -------
    ndarray of bool, shape (members, classes)
        At least one in each row: what a member chooses for some image is never ruled out.
    """
    possible = np.zeros((members, len(circuit.needed) // members), bool)
    mark_possible(circuit, bounds, possible)
    return possible


@entry
def propagate_box(c, bounds):
    """Fill in the bounds of all nodes but the inputs, which must be 0 before.

    While a layer is read, the next one's bounds hold the sums of what has been read so far.
    """
    low, high = bounds
    depth = len(c.start) - 2
    for d in range(depth):
        for i in range(c.start[d], c.start[d + 1]):
            if d > 0:
                low[i] = low[i] >= c.bound[i]
                high[i] = high[i] >= c.bound[i]
            if high[i] == 0:
                continue
            for k in range(c.out_start[i], c.out_start[i + 1]):
                target = c.out_edge[k] >> 1
                if c.out_edge[k] & 1:
                    low[target] -= high[i]
                    high[target] -= low[i]
                else:
                    low[target] += low[i]
                    high[target] += high[i]


@entry
def greatest_leads(c, label, bounds, greatest):
    """Upper bounds of z[j] - z[label] for the classes j."""
    for j in range(len(greatest)):
        greatest[j] = greatest_lead(c, j, label, bounds)


@entry
def mark_possible(c, bounds, possible):
    """Mark the classes of each member that no other one beats on the whole box.

    Parameters
    ----------
    possible : ndarray of bool, shape (members, classes)
        All false before.
    """
    members, size = possible.shape
    for n in range(members):
        for j in range(n * size, (n + 1) * size):
            i = n * size
            while i < (n + 1) * size and (
                i == j or greatest_lead(c, j, i, bounds) >= c.needed[i, j]
            ):
                i += 1
            possible[n, j - n * size] = i == (n + 1) * size


@inner
def greatest_lead(c, j, i, bounds):
    """An upper bound of z[j] - z[i].

    A source that both classes count in the same way does not matter, so the difference is
    bounded edge by edge.
    """
    low, high = bounds
    classes = c.start[len(c.start) - 2]
    total = np.int64(0)
    one, one_end = c.in_start[classes + j], c.in_start[classes + j + 1]
    other, other_end = c.in_start[classes + i], c.in_start[classes + i + 1]
    while one < one_end or other < other_end:  # both in the order of their sources
        source, weight, one, other = next_difference(c, one, one_end, other, other_end)
        total += weight * (high[source] if weight > 0 else low[source])
    return total
