"""A search for a misclassified image before anything is proved.

Simulated annealing over the levels of single inputs. What is climbed is the lead of a rival over
the label; since that is flat in deep networks, a step's surrogate gradient (see `slopes`) counts
as well. Runs become longer and longer, and differ in all that no single choice is best for: the
rival (the closest one, or each in turn), how much the gradient counts and how steep its slopes
are, and the start (the image, or a random corner of the box).
"""

import math
import time

import numpy as np

from bnnkit.verification._compile import entry, inner
from bnnkit.verification.walk import closest_rival, lead_of, move, new_walk, place

GUIDANCE = (1.0, 5.0, 20.0, 0.3)  # what the gradient counts, run after run
STEEPNESS = (1.0, 0.5, 0.25)  # of its slopes
SHORTEST, LONGEST = 128, 200_000  # steps of a run
BETWEEN_LOOKS = 2000  # steps between two looks at the clock
REFRESH = 100  # steps between two gradients
HOT, COLD = 2.0, 0.3  # temperatures at both ends of a run
FLAT = 3.0  # where the slope of a step is as good as 0


class Runs:
    """Runs of simulated annealing in a box of inputs; they can be continued.

    A subclass has `_begin`, which places its walk; `_anneal`, which goes on for some steps; and
    `_found`, the inputs at which that ended.

    Parameters
    ----------
    circuit : Circuit
    box : tuple of two ndarrays of int32, shape (n_inputs,)
        The least and greatest value of each input.
    start : ndarray of int32, shape (n_inputs,)
        Where most of the runs set out from.
    targets : ndarray of int64
        Classes that runs aim at in turn.
    """

    def __init__(self, circuit, box, start, targets):
        self._circuit, self._box, self._image, self._targets = circuit, box, start, targets
        self._free = np.flatnonzero(box[0] < box[1])
        self._walk = new_walk(circuit)
        self._gradient = np.zeros(circuit.n_nodes, np.float32)
        fan_in = np.diff(circuit.in_start)
        sharpness = (1 / np.sqrt(fan_in / 4 + 1)).astype(np.float32)
        self._sharpness = [sharpness * np.float32(factor) for factor in STEEPNESS]
        self._runs, self._step = 0, 0  # finished runs, and steps of the one that has begun
        self._random = np.random.default_rng(0)
        self._state = np.array([1], np.uint64)

    def run(self, seconds, most_runs=math.inf):
        """Search for so long, and some milliseconds at most.

        Returns
        -------
        ndarray of int32, shape (n_inputs,), or None
            Inputs in the box that are what is looked for.
        """
        end, last = time.perf_counter() + seconds, self._runs + most_runs
        while len(self._free) and self._runs < last and time.perf_counter() < end:
            if self._go_on():
                return self._found()
        return None

    def _go_on(self):
        """Some steps of the current run; the next time it goes on with it, or with the next one."""
        n = self._runs
        steps = min(SHORTEST * 2 ** (n // 4), LONGEST)
        if self._step == 0:
            self._begin(self._start(n))
        first, last = self._step, min(self._step + BETWEEN_LOOKS, steps)
        found = self._anneal(
            -1 if n % 2 == 0 else self._targets[n // 2 % len(self._targets)],
            (first, last, steps),
            GUIDANCE[n % len(GUIDANCE)],
            self._sharpness[n % len(STEEPNESS)],
        )
        self._step = last
        if found or last == steps:
            self._runs, self._step = n + 1, 0
        return found

    def _start(self, n):
        if n % 5 < 4:
            return self._image
        corner = self._random.integers(0, 2, len(self._image), dtype=bool)
        return np.where(corner, *self._box)


class Search(Runs):
    """The search for one question.

    Parameters
    ----------
    circuit : Circuit
    bounds : Bounds
        Of the box that is searched.
    levels : ndarray of integers, shape (n_inputs,)
        Of the image itself. What is found are levels that the network does not give `label`.
    label : int
    """

    def __init__(self, circuit, bounds, levels, label):
        self._bounds, self._label = bounds, label
        box = bounds.low[: circuit.n_inputs], bounds.high[: circuit.n_inputs]
        classes = np.arange(len(circuit.needed))
        super().__init__(circuit, box, levels.astype(np.int32), classes[classes != label])

    def _begin(self, levels):
        place_at(self._circuit, self._walk, levels)

    def _anneal(self, wanted, part, guidance, sharpness):
        return anneal(
            self._circuit,
            self._walk,
            self._bounds,
            self._free,
            self._label,
            wanted,
            part,
            guidance,
            self._gradient,
            sharpness,
            self._state,
        )

    def _found(self):
        return self._walk.value[: self._circuit.n_inputs].copy()


@entry
def place_at(c, walk, start):
    """Begin a run."""
    place(c, walk, start)


@entry
def anneal(c, walk, bounds, free, label, wanted, part, guidance, gradient, sharpness, random):
    """Part of a run for the rival `wanted` (-1: the closest one).

    `part` is (the first of its steps, the one after its last, the steps of the whole run).

    Returns
    -------
    bool
        Whether it has ended at a misclassified image, whatever its class.
    """
    first, last, steps = part
    rival, lead = closest_rival(c, walk, label)
    score = lead if wanted < 0 else lead_of(c, walk, label, wanted)
    cooling = (COLD / HOT) ** (1 / steps)
    temperature = HOT * cooling**first
    for step in range(first, last):
        if lead >= 0:
            return True
        if step % REFRESH == 0:
            slopes(c, walk, label, rival if wanted < 0 else wanted, gradient, sharpness)
        i = free[np.int64(uniform(random) * len(free))]
        low, high = bounds.low[i], bounds.high[i]
        level = low + np.int64(uniform(random) * (high - low))
        change = level + (level >= walk.value[i]) - walk.value[i]
        move(c, walk, i, change)
        new_rival, new_lead = closest_rival(c, walk, label)
        new_score = new_lead if wanted < 0 else lead_of(c, walk, label, wanted)
        gain = new_score - score + guidance * gradient[i] * change
        temperature *= cooling
        if new_lead >= 0 or gain >= 0 or uniform(random) < math.exp(gain / temperature):
            rival, lead, score = new_rival, new_lead, new_score
        else:
            move(c, walk, i, -change)
    return lead >= 0


@inner
def uniform(state):
    """A random number in [0, 1): the upper bits of xorshift64* (Vigna, ACM TOMS 2016)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.float64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) / 2.0**53


@inner
def slopes(c, walk, label, rival, gradient, sharpness):
    """Gradient of a rival's lead, every step replaced by a slope."""
    classes = c.start[len(c.start) - 2]
    gradient[classes:] = 0
    gradient[classes + rival] = 1
    gradient[classes + label] = -1
    descend(c, walk, gradient, sharpness)


@inner
def descend(c, walk, gradient, sharpness):
    """The gradient of all nodes, given that of the classes.

    d bit / d sum = 1 - tanh(u)**2 over the spread of the sum, where u is the distance from the
    threshold in units of the spread: the straight-through gradient that such networks are trained
    with (Hubara et al., Binarized neural networks, NeurIPS 2016).
    """
    for d in range(len(c.start) - 3, -1, -1):
        for i in range(c.start[d], c.start[d + 1]):
            slope = np.float32(1)
            if d > 0:
                # the half puts the threshold between the two integers that it separates
                distance = np.float32(walk.sum[i] - c.bound[i]) + np.float32(0.5)
                u = distance * sharpness[i]
                slope = np.float32(0)
                if abs(u) < FLAT:
                    slope = (np.float32(1) - np.tanh(u) ** 2) * sharpness[i]
            total = np.float32(0)
            if slope != 0:
                for k in range(c.out_start[i], c.out_start[i + 1]):
                    edge = c.out_edge[k]
                    total += -gradient[edge >> 1] if edge & 1 else gradient[edge >> 1]
            gradient[i] = slope * total
