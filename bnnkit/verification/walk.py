"""A circuit's values for one image, kept true while single inputs change.

Changing an input touches the sums of its targets; those whose bit changes are passed on. That is
some microseconds, where evaluating the network anew costs hundreds.
"""

from typing import NamedTuple

import numpy as np

from bnnkit.verification._compile import inner


class Walk(NamedTuple):
    """Arrays of a walk, one entry for each node.

    Attributes
    ----------
    value : ndarray of int32
        The level of an input, the bit of a neuron.
    sum : ndarray of int32
        What a neuron or class adds up.
    waiting : ndarray of uint8
        1 while a neuron is in the queue.
    queue : ndarray of int64
    """

    value: np.ndarray
    sum: np.ndarray
    waiting: np.ndarray
    queue: np.ndarray


def new_walk(circuit):
    """Room for a walk, to be filled by `place`."""
    n = circuit.n_nodes
    value, total = np.zeros((2, n), np.int32)
    return Walk(value, total, np.zeros(n, np.uint8), np.zeros(n, np.int64))


@inner
def place(c, walk, levels):
    """Evaluate the circuit at `levels`, int32 (n_inputs,)."""
    value, total = walk.value, walk.sum
    total[:] = 0
    for d in range(len(c.start) - 2):
        for i in range(c.start[d], c.start[d + 1]):
            value[i] = levels[i] if d == 0 else total[i] >= c.bound[i]
            if value[i] != 0:
                for k in range(c.out_start[i], c.out_start[i + 1]):
                    edge = c.out_edge[k]
                    total[edge >> 1] += -value[i] if edge & 1 else value[i]


@inner
def move(c, walk, i, change):
    """Add `change` to input i.

    The queue holds neurons whose sum has crossed their bound, layer after layer, since an edge
    leads from one layer to the next. By its turn, a neuron may have come back.
    """
    value, total, waiting, queue = walk
    classes = c.start[len(c.start) - 2]
    value[i] += change
    head, tail = 0, 0
    while True:
        for k in range(c.out_start[i], c.out_start[i + 1]):
            edge = c.out_edge[k]
            target = edge >> 1
            total[target] += -change if edge & 1 else change
            crossed = (total[target] >= c.bound[target]) != (value[target] != 0)
            if crossed and waiting[target] == 0 and target < classes:
                waiting[target] = 1
                queue[tail] = target
                tail += 1
        change = 0
        while head < tail and change == 0:
            i = queue[head]
            head += 1
            waiting[i] = 0
            if (total[i] >= c.bound[i]) != (value[i] != 0):
                change = 1 - 2 * value[i]
                value[i] += change
        if change == 0:
            return


@inner
def lead_of(c, walk, label, rival):
    """By how much `rival` beats `label`, if this is not negative."""
    classes = c.start[len(c.start) - 2]
    more = np.int64(walk.sum[classes + rival]) - walk.sum[classes + label]
    return more - c.needed[label, rival]


@inner
def closest_rival(c, walk, label):
    """The rival with the greatest lead over `label`, and this lead."""
    rival, lead = -1, np.int64(-(2**62))
    for j in range(len(c.needed)):
        if j != label:
            other = lead_of(c, walk, label, j)
            if other > lead:
                rival, lead = j, other
    return rival, lead
