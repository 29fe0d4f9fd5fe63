"""The decision heap: the unassigned variable that took part in the most recent conflicts first.

VSIDS (Moskewicz et al. 2001) with a binary heap, as in MiniSat (Eén and Sörensson 2003).
"""

import numpy as np

from bnnkit.solvers.native._compile import inner
from bnnkit.solvers.native.state import HEAP, INCREMENT

ONE, TWO = np.uint64(1), np.uint64(2)
LIMIT, SCALE = 1e100, 1e-100  # activities are scaled down before they overflow


@inner
def rise(s, place, variable):
    """Move a variable up from a place until its parent is as active."""
    activity = s.activity[variable]
    while place > 0:
        parent = s.heap[(place - ONE) >> ONE]
        if s.activity[parent] >= activity:
            break
        s.heap[place] = parent
        s.place[parent] = np.uint32(place + ONE)
        place = (place - ONE) >> ONE
    s.heap[place] = np.uint32(variable)
    s.place[variable] = np.uint32(place + ONE)


@inner
def insert(s, variable):
    """Put a variable into the heap."""
    n = s.count[HEAP]
    s.count[HEAP] = n + ONE
    rise(s, n, variable)


@inner
def pop(s):
    """Take the most active variable out of the heap, which must not be empty."""
    top = s.heap[0]
    s.place[top] = 0
    n = s.count[HEAP] - ONE
    s.count[HEAP] = n
    if n > 0:
        sink(s, s.heap[n], n)
    return top


@inner
def sink(s, variable, n):
    """Move a variable down from the top until no child is more active."""
    activity = s.activity[variable]
    place = np.uint64(0)
    while True:
        child = TWO * place + ONE
        if child >= n:
            break
        if child + ONE < n and s.activity[s.heap[child + ONE]] > s.activity[s.heap[child]]:
            child += ONE
        other = s.heap[child]
        if s.activity[other] <= activity:
            break
        s.heap[place] = other
        s.place[other] = np.uint32(place + ONE)
        place = child
    s.heap[place] = np.uint32(variable)
    s.place[variable] = np.uint32(place + ONE)


@inner
def bump(s, variable):
    """Make a variable that took part in a conflict more active."""
    s.activity[variable] += s.real[INCREMENT] * s.weight[variable]
    if s.activity[variable] > LIMIT:
        for v in range(np.uint64(len(s.activity))):
            s.activity[v] *= SCALE
        s.real[INCREMENT] *= SCALE
    place = np.uint64(s.place[variable])
    if place > 0:
        rise(s, place - ONE, variable)
