"""The question about a box of real inputs, cheapest stage first."""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from bnnkit.network import Margins, RealNetwork
from bnnkit.verification._question import Clock, checked_timeout
from bnnkit.verification.real.ascent import Ascent
from bnnkit.verification.real.box import Box, Grid
from bnnkit.verification.real.condition import Condition
from bnnkit.verification.real.prover import Prover

FIRST = 1.0  # seconds of the first search
FIRST_SHARE = 0.2  # of the time that there is, at most, for it
LONGEST = 20.0  # of a later one, while a proof is tried
PATIENCE = 3  # seconds of waiting for the proof, for each one of search


@dataclass(frozen=True)
class BoxVerdict:
    """The answer to "is there a counterexample in the box?".

    Attributes
    ----------
    status : "robust", "falsified", "unknown"
        There is none (proved); there is `witness`; or undecided.
    stage : "clean", "bounds", "falsify", "prove"
        What gave the answer; "clean": the centre of the box.
    witness : ndarray of Fraction (dtype object), shape (C, H, W), or None
    scores : ndarray of int64, shape (classes,), or None
        Of the witness.
    margins : Margins or None
        Of the witness: how far it is from where some bit flips.
    timings : dict of str to float
        Seconds of each stage that ran.
    reason : str
        Why an "unknown" is one.

    Examples
    --------
    >>> from bnnkit.verification.real import BoxVerdict
    >>> verdict = BoxVerdict("robust", "prove", timings={"bounds": 0.25, "prove": 0.5})
    >>> verdict.status, verdict.seconds
    ('robust', 0.75)
    """

    status: str
    stage: str
    witness: np.ndarray | None = field(default=None, repr=False)
    scores: np.ndarray | None = field(default=None, repr=False)
    margins: Margins | None = None
    timings: dict[str, float] = field(default_factory=dict)
    reason: str = ""

    @property
    def seconds(self):
        """Total time of all stages."""
        return sum(self.timings.values())


def verify_box(network, low, high, condition, timeout=60.0, seed=0):
    """Does a box of real inputs hold a counterexample? Exactly.

    The stages are the centre of the box, a gradient search, interval bounds, and a proof: for
    each case, that its leads are out of reach together for all bits of the first layer that the
    box leaves open, then for all that some pixels have. Search and proof take turns.

    Parameters
    ----------
    network : RealNetwork
    low, high : array_like of Fraction, int or float, shape (C, H, W)
        Ends of the box, which belong to it.
    condition : Condition or int
        What a counterexample is; an int is a label: some other class has at least its score.
    timeout : float or None
        Seconds for all stages. Compiling kernels, once in a process, is part of it.
    seed : int
        Of the search.

    Returns
    -------
    BoxVerdict
        "falsified" has a witness that exact inference has confirmed, away from ties and from
        thresholds of the first layer as far as that was easy. "robust" rests on integer
        arithmetic, and on CP-SAT's word where the stage is "prove".

    Raises
    ------
    TypeError, ValueError
        Wrong arguments.

    Examples
    --------
    One pixel, and a network that says 1 from 5/2 on:

    >>> from fractions import Fraction
    >>> from bnnkit.network import BinaryNetwork, Head, RealConv2d, RealNetwork
    >>> from bnnkit.quantiser import Quantiser
    >>> from bnnkit.verification.real import verify_box
    >>> front = RealConv2d(np.ones((1, 1, 1, 1)), [Fraction(5, 2)], [1])
    >>> head = Head(np.array([-1, 1]).reshape(2, 1, 1, 1), scale=2, bias=[1, 0])
    >>> tail = BinaryNetwork(Quantiser(1), [], head, (1, 1, 1))
    >>> network = RealNetwork(front, tail, (1, 1, 1))
    >>> verify_box(network, [[[0]]], [[[2.25]]], 0).status
    'robust'
    >>> verify_box(network, [[[0]]], [[[2.5]]], 0).witness.item()
    Fraction(5, 2)
    """
    if not isinstance(network, RealNetwork):
        raise TypeError(
            f"network must be a RealNetwork, got {type(network).__name__}; "
            "for a BinaryNetwork use bnnkit.verify"
        )
    box = Box(low, high)
    if box.shape != network.input_shape:
        raise ValueError(f"the box has shape {box.shape}, the network takes {network.input_shape}")
    if not isinstance(condition, Condition):
        condition = Condition.not_class(condition, network.n_classes)
    condition.check(network.n_classes)
    return Question(network, box, condition, checked_timeout(timeout), seed, FIRST).answer()


class Question:
    """One question and the time that its stages have taken.

    Its first search is `first` seconds, and those beside a proof begin as short; if it is 0, there
    is none before a proof has ended.
    """

    def __init__(self, network, box, condition, timeout, seed, first):
        self._network, self._box, self._condition = network, box, condition
        self._clock, self._seed, self._first = Clock(timeout), seed, first

    def answer(self):
        if self._is_counterexample(self._box.centre):
            return self._falsified("clean", self._box.centre)
        self._clock.end_stage("clean")
        self._grid = Grid(self._box, self._network.front)
        self._ascent = Ascent(self._network, self._grid, self._condition, self._seed)
        point = self._search(min(self._first, self._clock.left * FIRST_SHARE))
        if point is not None:
            return self._falsified("falsify", point)
        if self._clock.left == 0:
            return self._verdict("unknown", "falsify", reason="timeout")
        prover = Prover(
            *(self._network, self._box, self._condition, self._holds_near, self._clock.deadline)
        )
        tractable = not prover.refuted and prover.tractable
        if tractable:
            prover.tighten()
        self._clock.end_stage("bounds")
        if prover.refuted:
            return self._verdict("robust", "bounds")
        if tractable:
            verdict = self._prove(prover)
            if verdict is not None:
                return verdict
        point = self._search(self._clock.left)
        if point is not None:
            return self._falsified("falsify", point)
        return self._verdict("unknown", "prove", reason="timeout")

    def _prove(self, prover):
        """Let the proof run, and search meanwhile; a verdict, or None if no proof is expected."""
        turn = self._first / PATIENCE or math.inf
        try:
            prover.start()
            while not prover.wait(min(PATIENCE * turn, self._clock.left)):
                self._clock.end_stage("prove")
                point = self._search(turn)
                if point is not None:
                    return self._falsified("falsify", point)
                if self._clock.left == 0:
                    return self._verdict("unknown", "prove", reason="timeout")
                turn = min(2 * turn, LONGEST)
        finally:
            prover.close()
            self._clock.end_stage("prove")
        if prover.found is not None:
            return self._falsified("prove", self._point_near(prover.found))
        return self._verdict("robust", "prove") if prover.refuted else None

    def _search(self, seconds):
        """A counterexample, away from ties and thresholds if possible, or None."""
        end = self._clock.spent + min(seconds, self._clock.left)
        while self._grid.radius > 0 and self._clock.spent < end:
            position = self._ascent.run(end - self._clock.spent)
            if position is None:
                break
            for candidate in (self._ascent.polish(position), position):
                point = self._grid.point(candidate)
                if self._is_counterexample(point):
                    return point
        self._clock.end_stage("falsify")
        return None

    def _is_counterexample(self, point):
        scores = self._network.scores(point[None])[0]
        return self._box.contains(point) and bool(self._condition.holds(scores))

    def _holds_near(self, pixels):
        return self._point_near(pixels) is not None

    def _point_near(self, pixels):
        """A counterexample next to float pixels (inputs,), or None.

        It is on the grid; or at these numbers; or where floats fall short of an end of the box
        that the pixels mean to reach, and perhaps nothing less will do, at the end itself.
        """
        c, h, w = self._box.shape
        exact = np.array([Fraction(v) for v in pixels.tolist()], object)
        exact = exact.reshape(h, w, c).transpose(2, 0, 1)
        points = self._grid.point(self._grid.nearest(exact)), self._box.nearest(exact)
        for point in (*points, self._box.snapped(exact)):
            if self._is_counterexample(point):
                return point
        return None

    def _falsified(self, stage, point):
        scores, margins = self._network.scores(point[None])[0], self._network.margins(point)
        return self._verdict("falsified", stage, point, scores, margins)

    def _verdict(self, status, stage, *witness: Any, reason=""):
        self._clock.end_stage(stage)
        point, scores, margins = witness or (None, None, None)
        return BoxVerdict(status, stage, point, scores, margins, self._clock.timings, reason)
