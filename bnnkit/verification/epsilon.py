"""The smallest eps with which an image is misclassified.

While eps grows, the box of reachable levels grows at finitely many radii only: where a pixel
reaches one more level. So the smallest eps is one of these radii, and is closed in on from both
sides: bounds and then UNSAT answers raise the one that is proved robust, the search and then
models lower the one that is falsified. The solver gets the formula of the greatest open radius,
and a smaller box as assumptions, so that it keeps what it has learnt. (To encode every box anew
was no faster.)
"""

import contextlib
import functools
import math
from typing import NamedTuple

import numpy as np

from bnnkit import solvers
from bnnkit._checks import as_eps
from bnnkit.network import BinaryNetwork, Head
from bnnkit.quantiser import Quantiser
from bnnkit.verification import pipeline, witness
from bnnkit.verification._compile import entry
from bnnkit.verification._question import Clock, checked_image, checked_limits, flat
from bnnkit.verification.bounds import Bounds, possible_rivals, propagate
from bnnkit.verification.circuit import circuit
from bnnkit.verification.encode import encode
from bnnkit.verification.falsify import Search
from bnnkit.verification.walk import closest_rival, move, new_walk, place

# Searching and solving take turns, first for so long, then each time longer.
SEARCH = 0.002  # seconds in one box
SOLVE = 0.03  # seconds for one question
GROWTH = 5


class _Pair(NamedTuple):
    lower: float
    upper: float


class MinimalEpsilon(_Pair):
    """The smallest eps that `bnnkit.verify` falsifies, or what is known of it: (lower, upper).

    Attributes
    ----------
    lower : float
        Every eps below it is proved robust.
    upper : float
        The smallest eps with a known misclassified image, inf if there is none.
    adversarial : ndarray or None
        A misclassified image within `upper`, shape (C, H, W); float32 in [0, 1], or uint8 where
        that was asked for.
    timings : dict of str to float
        Seconds of each stage that ran: "clean", "bounds", "falsify", "encode", "solve".
    reason : str
        Why this is an interval: "timeout", or what the solver says; empty if it is not.

    Examples
    --------
    >>> from bnnkit.verification import MinimalEpsilon
    >>> found = MinimalEpsilon(0.2, 0.3, reason="timeout")
    >>> lower, upper = found
    >>> lower, upper, found.exact
    (0.2, 0.3, False)
    """

    def __new__(cls, lower, upper, adversarial=None, timings=None, reason=""):
        pair = super().__new__(cls, lower, upper)
        pair.adversarial, pair.timings, pair.reason = adversarial, timings or {}, reason
        return pair

    def __repr__(self):
        reason = f", reason={self.reason!r}" if self.reason else ""
        return f"MinimalEpsilon(lower={self.lower}, upper={self.upper}{reason})"

    @property
    def exact(self):
        """Whether nothing is left open: lower == upper, or no image up to `max_eps`."""
        return not self.reason

    @property
    def seconds(self):
        """Total time of all stages."""
        return sum(self.timings.values())


def minimal_epsilon(
    network, image, label, solver="native", timeout=60.0, pixels="real", max_eps=1.0
):
    """The smallest eps that `verify` falsifies. Exactly, or as an interval when time runs out.

    Parameters
    ----------
    network : BinaryNetwork
    image : array_like
        One image, uint8 in 0..255 or floats in [0, 1], of shape (C, H, W), (H, W) or
        (features,).
    label : int
    solver : str
        A name of `bnnkit.solvers.available()`.
    timeout : float or None
        Seconds for all stages together, without the loading of a solver.
    pixels : "real", "uint8"
        Whether any real image counts, or only 8-bit ones (`image` must be uint8 then). The
        radii of these are multiples of 1/255.
    max_eps : float or Fraction
        The largest radius that is considered, on the [0, 1] scale.

    Returns
    -------
    MinimalEpsilon
        A tuple (lower, upper) with more attributes. `verify` gives "robust" for every eps below
        `lower`, and "falsified" for every eps from `upper` on. If `exact`, one of:

        - ``lower == upper``: the smallest eps of all floats that `verify` falsifies.
        - ``(max_eps, inf)``: there is no misclassified image up to `max_eps`, at `max_eps`
          itself neither.

        (0, 0) if the network does not give `label` to the image itself.

    Raises
    ------
    TypeError, ValueError
        For an image, label, limit, or solver name that makes no sense.

    Notes
    -----
    A pixel x reaches a level at the distance r between x and the next end of the level's cell.
    These r are rational numbers. If the end is part of the cell (half-way values go to even
    levels), eps = r suffices and r is the candidate; otherwise any eps > r does, eps = r does
    not, and the candidate is the next float: 0.05000000000000001 where r is 1/20. As for
    `verify`, a float stands for the simplest fraction that it prints as, so for 8-bit images r
    as a float is r itself; of a float image it may be rounded. Then, too, the float given is
    the smallest one that `verify` falsifies.

    Examples
    --------
    One pixel that is class 1 from level 2 on, and class 0 below:

    >>> from bnnkit.network import BinaryNetwork, Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> from bnnkit import minimal_epsilon
    >>> above = Conv2d([[[[1]]]], [2], [1])
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> network = BinaryNetwork(Quantiser(0.1), [above], head, (1, 1, 1))
    >>> lower, upper = minimal_epsilon(network, [0.0], 0)
    >>> lower, upper  # half-way between levels 1 and 2, which goes to the even one
    (0.15, 0.15)
    """
    engine = solvers.get(solver)
    image, label = checked_image(network, image, label)
    checked_limits(image, max_eps, timeout, pixels, "max_eps")
    _warm_up(solver)
    circuit(network)  # once for all images, so before the clock of this one starts
    most = float(as_eps(max_eps))
    return _Range(network, image, label, most, timeout, pixels == "uint8").narrow(engine)


@functools.cache
def _warm_up(solver):
    """Load and compile what the first image would have to wait for."""
    pipeline._warm_up(solver)
    head = Head(np.array([1, -1]).reshape(2, 1, 1, 1), 1, [0, 0])
    c = circuit(BinaryNetwork(Quantiser(1.0), [], head, (1, 1, 1)))
    zero = np.zeros(1, np.int32)
    tighten(c, new_walk(c), 1, zero, np.zeros(1, np.int64), zero.copy())


class _Range:
    """The candidates from the greatest that is proved robust to the least that is falsified.

    Candidates are counted from 0, the image itself; `proved` and `falsified` are such numbers,
    `falsified` one past the last candidate while no misclassified image is known.
    """

    def __init__(self, network, image, label, max_eps, timeout, as_uint8):
        self.network, self.image, self.label, self.max_eps = network, image, label, max_eps
        self.as_uint8 = as_uint8
        self.clock = Clock(timeout)
        self.found = None  # the levels of the least misclassified image
        self.encoded = None  # the value of `falsified` that the solver's formula is for
        self.engine = contextlib.ExitStack()
        self.reason = ""

    def narrow(self, engine):
        clean = int(self.network.predict(self.image[None])[0])
        self._find_candidates()
        self.clock.end_stage("clean")
        if clean != self.label:
            self.falsified, self.found = 0, self.levels
            return self._result(0.0)
        self._bound()
        self.clock.end_stage("bounds")
        effort = 1
        with self.engine:
            while self._open and not self.reason:
                self._search(SEARCH * effort)
                self.clock.end_stage("falsify")
                if self._open and self.clock.left:
                    self._encode(engine)
                    self._solve(SOLVE * effort)
                    self.clock.end_stage("solve")
                if self._open and not self.clock.left:
                    self.reason = "timeout"
                effort *= GROWTH
        return self._result([*self.candidates, self.max_eps][self.proved + 1])

    def _find_candidates(self):
        quantiser = self.network.quantiser
        self.circuit = circuit(self.network)
        self.levels = flat(quantiser.levels(self.image)).astype(np.int32)
        radii = quantiser.radii(self.image, self.as_uint8)
        self.radii = radii.transpose(1, 2, 0, 3).reshape(-1, quantiser.n_levels)
        self.candidates = np.unique(self.radii[self.radii <= self.max_eps])
        self.proved, self.falsified = 0, len(self.candidates)

    @property
    def _open(self):
        return self.falsified - self.proved > 1

    def _box(self, candidate):
        """Lowest and highest levels at a candidate radius."""
        within = self.radii <= self.candidates[candidate]
        high = within.shape[1] - 1 - within[:, ::-1].argmax(axis=1)
        return Bounds(within.argmax(axis=1).astype(np.int32), high.astype(np.int32))

    def _bound(self):
        """Bisect for the greatest radius that bounds alone prove robust."""
        missed = self.falsified
        while missed - self.proved > 1 and self.clock.left:
            middle = (self.proved + missed) // 2
            if len(self._rivals(middle)[1]) == 0:
                self.proved = middle
            else:
                missed = middle

    def _rivals(self, candidate):
        """The bounds at a candidate radius, and the classes that they do not rule out."""
        bounds = propagate(self.circuit, *self._box(candidate))
        return bounds, possible_rivals(self.circuit, self.label, bounds)

    def _search(self, seconds):
        """Bisect for the least radius at which the search finds an image."""
        missed = self.proved
        while self.falsified - missed > 1 and self.clock.left:
            middle = (missed + self.falsified) // 2
            search = Search(self.circuit, self._box(middle), self.levels, self.label)
            levels = search.run(min(seconds, self.clock.left))
            if levels is None:
                missed = middle
            else:
                self._falsify(levels)

    def _encode(self, engine):
        """Give the formula of the greatest open radius to a solver, if that radius is a new one."""
        if self.encoded == self.falsified:
            return
        self.engine.close()
        self.bounds, rivals = self._rivals(self.falsified - 1)
        self.question = encode(self.circuit, self.label, rivals, self.bounds)
        self.solver = self.engine.enter_context(engine(self.question.formula))
        self.encoded = self.falsified
        self.clock.end_stage("encode")

    def _solve(self, seconds):
        """Have the solver decide the greatest open radius; if that takes too long, a lesser one."""
        missed = self.falsified
        while missed - self.proved > 1 and self.clock.left:
            middle = (self.proved + missed) // 2
            target = missed - 1 if missed == self.falsified else middle
            inside = _inside(self.question, self.bounds, self._box(target))
            turn = min(seconds, self.clock.left)
            outcome = self.solver.solve(inside, timeout=turn)
            if outcome.status == "sat":
                self._falsify(self.question.levels(outcome.model).astype(np.int32))
                missed = self.falsified
            elif outcome.status == "unsat":
                self.proved = target
            elif outcome.seconds > turn / 2:  # an engine's own clock may end it early
                missed = target
            else:
                self.reason = outcome.reason
                return

    def _falsify(self, levels):
        """Note a misclassified image, after moving it towards the image itself."""
        inputs = np.arange(len(levels))
        farthest_first = np.argsort(-self.radii[inputs, levels], kind="stable")
        walk = new_walk(self.circuit)
        tighten(self.circuit, walk, self.label, self.levels, farthest_first, levels)
        self.found = levels
        radius = self.radii[inputs, levels].max()
        self.falsified = int(np.searchsorted(self.candidates, radius))

    def _result(self, lower):
        lower, upper, adversarial = float(lower), math.inf, None
        if self.found is not None:
            upper = float(self.candidates[self.falsified])
            adversarial, _ = witness.of_levels(
                self.network, self.image, self.found, self.label, upper, self.as_uint8
            )
        return MinimalEpsilon(lower, upper, adversarial, self.clock.timings, self.reason)


def _inside(question, bounds, box):
    """The literals that keep the inputs of a question in a smaller box.

    Bit i of an input says "level > low + i", so the last bit that may be true, or need not be
    false, is enough: the others follow from the order.
    """
    bits = np.bincount(question.owner, minlength=len(box.low))
    first = np.cumsum(bits) - bits + 1
    low, high = (ends[: len(bits)] for ends in bounds)
    below = -(first + box.high - low)[(bits > 0) & (box.high < high)]
    above = (first + box.low - low - 1)[(bits > 0) & (box.low > low)]
    return np.concatenate([below, above]).tolist()


@entry
def tighten(c, walk, label, image, order, levels):
    """Move the inputs in some order towards the image as far as it stays misclassified.

    Parameters
    ----------
    image : ndarray of int32, shape (n_inputs,)
    order : ndarray of int64, shape (n_inputs,)
    levels : ndarray of int32, shape (n_inputs,)
        Of a misclassified image; changed in place.
    """
    place(c, walk, levels)
    for i in order:
        while levels[i] != image[i]:
            step = 1 if levels[i] < image[i] else -1
            move(c, walk, i, step)
            if closest_rival(c, walk, label)[1] < 0:
                move(c, walk, i, -step)
                break
            levels[i] += step
