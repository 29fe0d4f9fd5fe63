"""Gradient ascent to a counterexample, 16 runs side by side."""

import time

import numpy as np

from bnnkit.kernels import slopes
from bnnkit.verification.real.lanes import LANES, LaneNetwork

STEPS = 100  # of a run
STEEPNESS = (10.0, 3.0, 1.0, 0.3)  # of the surrogate: 1 / its width, in spreads of a layer's sums
STRIDES = (0.25, 0.1, 0.05)  # first step, as a share of an input's width
BLUR = 15.0  # leads within so many sums of the best count in the gradient
GOALS = (8.0, 512.0)  # margins that a witness shall have, least and greatest, in grid units
ENOUGH = 64.0  # units: in the largest sums that there can be, some 100 times float32's rounding
MOVES = (0.0, 0.02)  # steps for margins, as shares of an input's width
POLISH = 40  # of them, at most
FURTHER = 5  # steps from a counterexample on, for one that does not hang on a tie


class Ascent:
    """A search that can be continued; what it finds has exact sums.

    Every run has a random start, steepness and step of its own, as no choice is best for all.

    Parameters
    ----------
    network : RealNetwork
    grid : Grid
    condition : Condition
    seed : int
    """

    def __init__(self, network, grid, condition, seed=0):
        self._head, self._condition = network.tail.head, condition
        self._lanes = LaneNetwork(network, grid.unit, grid.radius)
        self._low, self._high = grid.low, grid.high
        self._random = np.random.default_rng(seed)
        self._cases = _comparisons(condition, network.n_classes)
        self._step = 0
        self.evaluations = 0

    def run(self, seconds):
        """Search for so long, or for one step at least.

        Returns
        -------
        ndarray of float32, shape (inputs,), or None
            A position in the grid for which the condition holds.
        """
        end = time.perf_counter() + seconds
        while True:
            if self._step == 0:
                self._start()
            if self._climb() >= 0:
                return self._go_further()
            self._step = (self._step + 1) % STEPS
            if time.perf_counter() >= end:
                return None

    def polish(self, position):
        """Move a counterexample away from ties and from first-layer thresholds.

        Other software rounds, so a bit that is decided by a hair might be another one there.

        Returns
        -------
        ndarray of float32, shape (inputs,)
            A counterexample, too. The run that was going on is lost.
        """
        self._step = 0
        self._x = np.repeat(position[:, None], LANES, axis=1)[None]
        goal = np.geomspace(*GOALS, LANES, dtype=np.float32)[None]
        best, best_value = position, (-1, -1)
        strides = np.linspace(*MOVES, LANES, dtype=np.float32)[None]
        for _ in range(POLISH):
            leads = self._leads(self._x).max(axis=0)
            least, gradient = self._lanes.push(goal)
            values = [(min(lead, 1), margin) for lead, margin in zip(leads, least[0], strict=True)]
            lane = max(range(LANES), key=values.__getitem__)
            if values[lane] > best_value:
                best, best_value = self._x[0, :, lane].copy(), values[lane]
            if best_value >= (1, ENOUGH):
                break
            slopes.climb_box(
                self._x, gradient.reshape(self._x.shape), strides, self._low, self._high
            )
        return best

    def _climb(self):
        """One step of all lanes; the greatest lead of where they were, kept as `_best`."""
        leads = self._leads(self._x)
        best = leads.max(axis=0)
        self._best = self._x[0, :, best.argmax()].copy()
        stride = self._stride * np.float32(1 - self._step / STEPS)
        gradient = self._gradient(leads)
        slopes.climb_box(self._x, gradient, stride, self._low, self._high)
        return best.max()

    def _go_further(self):
        """The counterexample with the greatest lead among the next steps; then a new run."""
        found, lead = self._best, 0
        for _ in range(FURTHER):
            more = self._climb()
            if more > lead:
                found, lead = self._best, more
        self._step = 0
        return found

    def _start(self):
        width = (self._high - self._low)[:, None] + 1
        share = self._random.random((len(width), LANES), dtype=np.float32)
        self._x = np.minimum(self._low[:, None] + np.floor(share * width), self._high[:, None])[
            None
        ]
        self._steepness = self._draw(STEEPNESS)
        self._stride = self._draw(STRIDES)

    def _draw(self, values):
        return self._random.choice(np.float32(values), (1, LANES))

    def _leads(self, x):
        """Leads of all cases, exact, in units of the scores: int64 (cases, LANES)."""
        self.evaluations += LANES
        sums = self._lanes.forward(x).astype(np.int64)
        self._scores = self._head.scale * sums + self._head.bias[:, None]
        return self._condition.leads(self._scores)

    def _gradient(self, leads):
        """Gradient of a soft maximum of the leads, each the smallest of its comparisons."""
        scale = abs(self._head.scale)
        weights = np.exp((leads - leads.max(axis=0)) / (BLUR * scale))
        weights /= weights.sum(axis=0)
        more, less, case = self._cases
        smallest = self._scores[more] - self._scores[less] == leads[case]
        parts = smallest * weights[case] * np.sign(self._head.scale)
        by_class = np.zeros((len(self._scores), LANES))
        np.add.at(by_class, more, parts)
        np.add.at(by_class, less, -parts)
        return self._lanes.backward(by_class, self._steepness).reshape(self._x.shape)


def _comparisons(condition, n_classes):
    """Arrays (a, b, case) of all comparisons."""
    condition.check(n_classes)
    rows = [(a, b, k) for k, case in enumerate(condition.cases) for a, b in case]
    return np.array(rows).T
