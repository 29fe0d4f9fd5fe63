"""The search of `falsify.py` for an ensemble: simulated annealing over the cells of pixels.

What is climbed is the lead of a class j in those members that are enough for the ensemble to fall
to it: of the `majority` of members in which j is closest to being chosen, the sum of what it lacks.
"""

import math

import numpy as np

from bnnkit.verification._compile import entry, inner
from bnnkit.verification.falsify import COLD, HOT, REFRESH, Runs, descend, place_at, uniform
from bnnkit.verification.walk import move

_FAR = -(2**62)


class JointSearch(Runs):
    """The search for one question about an ensemble.

    Parameters
    ----------
    circuit : Circuit
        As `joint_circuit` makes it.
    refinement : Refinement
        Of the members' quantisers, in the circuit's order.
    box : tuple of two ndarrays of int32, shape (n_pixels,)
        The first and the last cell of each pixel in the ball.
    start : ndarray of int32, shape (n_pixels,)
        Cells of the image itself, all in the box. What is found are cells at which the ensemble
        falls; as `start`, they are usable as far as possible.
    rule : Rule
    targets : ndarray of int64
        Classes to which it may fall.
    """

    def __init__(self, circuit, refinement, box, start, rule, targets):
        box = [refinement.nearest_usable(end, *box) for end in box]
        super().__init__(circuit, box, start, targets)
        self._refinement, self._rule = refinement, rule
        self._cells = start.copy()
        n_classes = len(rule.least)
        self._winners = np.zeros(len(circuit.needed) // n_classes, np.int64)
        self._lacks = np.zeros(len(self._winners), np.int64)
        self._counts = np.zeros(n_classes, np.int64)

    def _begin(self, cells):
        self._cells[:] = cells
        levels = self._refinement.level[:, cells].ravel()
        place_at(self._circuit, self._walk, levels)

    def _anneal(self, wanted, part, guidance, sharpness):
        return anneal_joint(
            self._circuit,
            self._walk,
            self._cells,
            (*self._box, self._free, self._refinement.level, self._refinement.usable),
            self._rule,
            (self._winners, self._counts, self._lacks),
            wanted,
            part,
            guidance,
            self._gradient,
            sharpness,
            self._state,
        )

    def _found(self):
        return self._cells.copy()


@entry
def anneal_joint(
    c, walk, cells, space, rule, room, wanted, part, guidance, gradient, sharpness, random
):
    """Part of a run for the class `wanted` (-1: the closest one); see `falsify.anneal`.

    Returns
    -------
    bool
        Whether it has ended where the ensemble falls, to whatever class.
    """
    first, last, steps = part
    low, high, free, level, usable = space
    target, score, fallen = standing(c, walk, rule, room, wanted)
    cooling = (COLD / HOT) ** (1 / steps)
    temperature = HOT * cooling**first
    for step in range(first, last):
        if fallen:
            return True
        if step % REFRESH == 0:
            joint_slopes(c, walk, rule, room, target, gradient)
            descend(c, walk, gradient, sharpness)
        i = free[np.int64(uniform(random) * len(free))]
        old = cells[i]
        new = low[i] + np.int64(uniform(random) * (high[i] - low[i]))
        new += new >= old
        temperature *= cooling
        if not usable[new]:
            continue
        slope = move_pixel(c, walk, cells, level, i, new, gradient)
        new_target, new_score, fallen = standing(c, walk, rule, room, wanted)
        gain = new_score - score + guidance * slope
        if fallen or gain >= 0 or uniform(random) < math.exp(gain / temperature):
            target, score = new_target, new_score
        else:
            move_pixel(c, walk, cells, level, i, old, gradient)
    return fallen


@inner
def move_pixel(c, walk, cells, level, i, cell, gradient):
    """Move pixel i to a cell; returns what the gradient promises of it."""
    slope = np.float32(0)
    for q in range(len(level)):
        change = level[q, cell] - level[q, cells[i]]
        if change != 0:
            slope += gradient[q * len(cells) + i] * change
            move(c, walk, q * len(cells) + i, change)
    cells[i] = cell
    return slope


@inner
def standing(c, walk, rule, room, wanted):
    """Where the ensemble stands; leaves the members' choices in `room`.

    Returns
    -------
    class, score, fallen
        The class that it is closest to falling to (or `wanted`), what this one lacks as a negative
        number, and whether the ensemble has fallen, to whatever class.
    """
    winners, counts, lacks = room
    size = len(rule.least)
    counts[:] = 0
    for n in range(len(winners)):
        winners[n] = choice(c, walk, n * size, (n + 1) * size)
        counts[winners[n] - n * size] += 1
    fallen, closest, best = False, wanted, np.int64(_FAR)
    for j in range(size):
        if j == rule.label:
            continue
        fallen |= counts[j] - rule.weight * counts[rule.label] >= rule.least[j]
        if wanted < 0 or wanted == j:
            score = np.int64(0)
            least_lacking(c, walk, winners, size, j, lacks)
            for n in range(rule.majority[j]):
                score += lacks[n]
            if score > best:
                closest, best = j, score
    return closest, best, fallen


@inner
def choice(c, walk, first, end):
    """The class that a member chooses, of those from `first` on."""
    classes = c.start[len(c.start) - 2]
    best = first
    for j in range(first + 1, end):
        lead = np.int64(walk.sum[classes + j]) - walk.sum[classes + best]
        if lead >= c.needed[best, j]:
            best = j
    return best


@inner
def lack(c, walk, winner, j):
    """0 if j is the winner, else its lead over it less what it needs: negative."""
    if j == winner:
        return np.int64(0)
    classes = c.start[len(c.start) - 2]
    lead = np.int64(walk.sum[classes + j]) - walk.sum[classes + winner]
    return lead - c.needed[winner, j]


@inner
def least_lacking(c, walk, winners, size, j, lacks):
    """What class j lacks in each member, the closest member first."""
    for n in range(len(winners)):
        value = lack(c, walk, winners[n], n * size + j)
        k = n
        while k > 0 and lacks[k - 1] < value:
            lacks[k] = lacks[k - 1]
            k -= 1
        lacks[k] = value


@inner
def joint_slopes(c, walk, rule, room, target, gradient):
    """Set the gradient of the score of a class, at the classes."""
    winners, _, lacks = room
    size, classes = len(rule.least), c.start[len(c.start) - 2]
    gradient[classes:] = 0
    least_lacking(c, walk, winners, size, target, lacks)
    farthest = lacks[rule.majority[target] - 1]
    for n in range(len(winners)):
        value = lack(c, walk, winners[n], n * size + target)
        if farthest <= value < 0:
            gradient[classes + n * size + target] = 1
            gradient[classes + winners[n]] = -1
