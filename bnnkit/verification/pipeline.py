"""The question about one image, cheapest stage first."""

import functools
import math
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from bnnkit import solvers
from bnnkit._options import check_number
from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.solvers import Outcome
from bnnkit.verification import witness
from bnnkit.verification._question import Clock, checked_image, checked_limits, flat
from bnnkit.verification.bounds import possible_rivals, propagate
from bnnkit.verification.certificate import write_certificate
from bnnkit.verification.circuit import circuit
from bnnkit.verification.encode import encode
from bnnkit.verification.falsify import Search
from bnnkit.verification.verdict import Verdict

TURN = 4  # how much longer each turn is than the one before
HUNT = 0.5  # seconds of a run that hunts for a model, at most
PATIENCE = 15.0  # seconds before a fallback gets its chance
PRIORITIES = np.array([1.5, 1.3, 1.1, 1.0])  # of variables of the inputs, the first layer, ...


def verify(
    network,
    image,
    label,
    eps,
    solver="native",
    timeout=60.0,
    pixels="real",
    falsify=0.002,
    fallback=None,
    certificate=None,
):
    """Is every image within `eps` of `image` given the class `label`? Exactly.

    The ball is ``{x' : |x' - x| <= eps in every pixel, 0 <= x' <= 1}``, and every level that it
    reaches is considered. The stages are the prediction of the image itself, bound
    propagation, a local search, and a complete solver.

    Parameters
    ----------
    network : BinaryNetwork
    image : array_like
        One image, uint8 in 0..255 or floats in [0, 1], of shape (C, H, W), (H, W) or
        (features,).
    label : int
    eps : float or Fraction
        Radius on the [0, 1] scale. A float stands for the simplest fraction that it prints
        as: 0.1 is 1/10, 8/255 is 8/255.
    solver : str
        A name of `bnnkit.solvers.available()`.
    timeout : float or None
        Seconds for all stages together. Loading a solver and compiling a kernel, once in a
        process, is not part of it.
    pixels : "real", "uint8"
        Whether x' may be any real image, or only 8-bit ones (`image` must be uint8 then).
    falsify : float
        Seconds of the first search for a misclassified image. If a solver can go on where it was,
        it and the search take turns then, each four times as long as the one before; otherwise
        the solver gets all the time that is left. 0 for no search at all, and no turns.
    fallback : str, optional
        A second solver for what is open after 15 s of these turns, or when the first one breaks
        down; it is asked once, for as long again, then the turns go on. "cp-sat" knows linear
        relaxations, which decide some questions that learning clauses does not.
    certificate : path, optional
        A folder for a certificate, if the answer is "robust": files by which
        `bnnkit.checker.check_certificate` can check it without the solver, see docs/formats.md.
        The solver must be native then, and there can be no fallback.

    Returns
    -------
    Verdict
        ``status`` is "robust" (proved), "falsified" (with a checked witness in
        ``adversarial``) or "unknown" (out of time).

    Raises
    ------
    TypeError, ValueError
        For an image, label, eps, timeout, or solver name that makes no sense, and for a fallback
        to a solver that does not take turns.

    Notes
    -----
    A label that the network does not give to the image itself is falsified by the image.
    Half-way values between two levels belong to both cells' ends: an adversarial pixel may
    need the real number x + eps itself, and then lies within eps up to float32 rounding.

    Examples
    --------
    >>> import bnnkit
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> image = np.zeros((1, 28, 28), np.uint8)
    >>> label = network.predict(image[None])[0]
    >>> bnnkit.verify(network, image, label, eps=0.01).status
    'robust'
    >>> verdict = bnnkit.verify(network, image, label, eps=0.3)
    >>> verdict.status, bool(network.predict(verdict.adversarial[None])[0] == label)
    ('falsified', False)
    """
    image, label = checked_image(network, image, label)
    eps = checked_limits(image, eps, timeout, pixels)
    engine, other = checked_engines(solver, timeout, fallback, falsify)
    check_certifying(solver, fallback, certificate)
    for name in filter(None, (solver, fallback)):
        _warm_up(name)
    circuit(network)  # once for all images, so before the clock of this one starts
    as_uint8 = pixels == "uint8"
    question = Question(network, image, label, eps, timeout, as_uint8, other, certificate)
    return question.answer(engine, falsify)


def checked_engines(solver, timeout, fallback, falsify):
    """The solver of a question and its fallback (or None), or an error about a wrong one."""
    engine = solvers.get(solver)
    check_number("falsify", falsify)
    if not 0 <= falsify < math.inf:
        raise ValueError(f"falsify must be a number of seconds, at least 0, got {falsify}")
    check_fallback(solver, timeout, fallback, falsify)
    return engine, None if fallback is None else solvers.get(fallback)


def check_certifying(solver, fallback, certificate):
    """Raise ValueError if no certificate could be written."""
    if certificate is None:
        return
    if not _class_of(solvers.get(solver)).proves:
        raise ValueError(f"the solver {solver} gives no proofs; for a certificate take native")
    if fallback is not None:
        raise ValueError(f"the fallback {fallback} gives no proofs; leave it out for a certificate")
    Path(certificate).mkdir(parents=True, exist_ok=True)
    (Path(certificate) / "certificate.json").unlink(missing_ok=True)  # of an earlier answer


def check_fallback(solver, timeout, fallback=None, falsify=0.002, **_):
    """Raise ValueError if there is no such `fallback`, or if it would never be asked.

    Takes the options of `verify`, and looks at those that matter.
    """
    if fallback is None:
        return
    solvers.get(fallback)
    never = f"so that the fallback {fallback} would never be asked"
    if not _class_of(solvers.get(solver)).resumes:
        raise ValueError(
            f"the solver {solver} cannot go on where it was stopped, so it gets all the time, "
            f"{never}; leave it out, or take the solver native"
        )
    if not falsify:
        raise ValueError(f"with falsify=0 the solver {solver} gets all the time, {never}")
    if timeout is not None and timeout <= PATIENCE:
        raise ValueError(
            f"timeout must be above {PATIENCE:g} s with a fallback, got {timeout:g}, {never}"
        )


def _class_of(engine):
    """The class of a solver that may be a partial with options."""
    return getattr(engine, "func", engine)


@functools.cache
def _warm_up(solver):
    """Answer a small question once: what is loaded or compiled then is no image's time.

    Two neurons that are always equal, which bounds do not see, reach every stage.
    """
    Question(*small_question()).answer(solvers.get(solver), 1e-4)


def small_question():
    """The arguments of a `Question` that only a solver can answer, at once."""
    twins = Conv2d(np.ones((2, 1, 1, 1), np.int8), [1, 1], [1, 1])
    head = Head(np.array([0, 0, 1, -1]).reshape(2, 2, 1, 1), 1, [0, 0])
    network = BinaryNetwork(Quantiser(1.0), [twins], head, (1, 1, 1))
    return network, np.zeros((1, 1, 1), np.uint8), 0, Fraction(1), None, False


class Question:
    """One question on its way through the stages."""

    def __init__(
        self, network, image, label, eps, timeout, as_uint8, fallback=None, certificate=None
    ):
        self.network, self.image, self.label, self.eps = network, image, label, eps
        self.as_uint8, self.fallback, self.certificate = as_uint8, fallback, certificate
        self.clock, self.hunts = Clock(timeout), 0

    def answer(self, engine, falsify):
        network, label = self.network, self.label
        levels = flat(network.quantiser.levels(self.image))
        self.clean = int(network.predict(self.image[None])[0])
        self.clock.end_stage("clean")
        if self.clean != label:
            return self._falsified("clean", levels)
        c = circuit(network)
        self.box = [flat(end) for end in network.quantiser.ball(self.image, self.eps)]
        bounds = propagate(c, *self.box)
        rivals = possible_rivals(c, label, bounds)
        self.clock.end_stage("bounds")
        if len(rivals) == 0:
            return self._robust("bounds")
        if self.clock.left == 0:  # building for a network of millions of weights takes seconds
            return self._verdict("unknown", "bounds", reason="timeout")
        search = Search(c, bounds, levels, label)
        found = self._search(search, falsify)
        if found is not None:
            return self._falsified("falsify", found)
        question = encode(c, label, rivals, bounds)
        self.clock.end_stage("encode")
        if self.clock.left == 0:
            return self._verdict("unknown", "solver", reason="timeout")
        return self._decide(engine, question, search, falsify)

    def _decide(self, engine, question, search, seconds):
        """Solver, hunt and search take turns, longer and longer ones, until one of them knows."""
        kind = _class_of(engine)
        hints = {"priorities": priorities(question)} if "priorities" in kind.hints else {}
        with engine(question.formula, **hints, **self._log()) as solver:
            while True:
                seconds = seconds * TURN if kind.resumes and seconds else math.inf
                outcome = self._ask(solver, self._at_most(seconds))
                self.clock.end_stage("solve", outcome.loading)
                if self._open(outcome) and "diverse" in kind.hints:
                    outcome = self._hunt(engine, question, seconds / 2)
                if self._is_fallback_due(outcome):
                    outcome = self._fall_back(question)
                self.clock.end_stage("solve")
                if outcome.status == "unsat":
                    return self._robust("solver", question)
                if outcome.status == "sat":
                    return self._falsified("solver", question.levels(outcome.model))
                if outcome.reason != "timeout" or self.clock.left == 0:
                    return self._verdict("unknown", "solver", reason=outcome.reason)
                found = self._search(search, seconds / 4)
                if found is not None:
                    return self._falsified("falsify", found)

    def _log(self):
        """The option of a solver that shall give a proof."""
        return {"log": True} if self.certificate is not None else {}

    def _ask(self, solver, timeout):
        """The solver's answer; its proof, if one is wanted, is kept."""
        outcome = solver.solve(timeout=timeout)
        if outcome.status == "unsat" and self.certificate is not None:
            self.proof = solver.proof(outcome)
        return outcome

    def _open(self, outcome):
        """Whether there is no answer yet, but time for one."""
        return outcome.reason == "timeout" and self.clock.left > 0

    def _is_fallback_due(self, outcome):
        late = outcome.reason != "timeout" or self.clock.spent >= PATIENCE
        return self.fallback and outcome.status == "unknown" and late and self.clock.left > 0

    def _fall_back(self, question):
        """Let the other solver try, once, for as long as everything has taken so far."""
        engine, self.fallback = self.fallback, None
        with engine(question.formula) as solver:
            outcome = solver.solve(timeout=self._at_most(self.clock.spent))
        return outcome if outcome.status != "unknown" else Outcome("unknown", reason="timeout")

    def _hunt(self, engine, question, seconds):
        """Short runs, each with a seed of its own, in the hope of a model.

        Their times vary by orders of magnitude, so many short runs are better than a long one
        (Gomes, Selman, Kautz: Boosting combinatorial search through randomization. AAAI 1998).
        """
        end = min(time.perf_counter() + (self._at_most(seconds) or math.inf), self.clock.deadline)
        while True:
            self.hunts += 1
            options = {"diverse": True, "seed": self.hunts, **self._log()}
            with engine(question.formula, **options) as solver:
                left = max(end - time.perf_counter(), 1e-3)
                outcome = self._ask(solver, min(HUNT, left))
            if outcome.status != "unknown" or time.perf_counter() >= end:
                return outcome

    def _search(self, search, seconds):
        if not seconds:
            return None
        found = search.run(self._at_most(seconds) or math.inf)
        self.clock.end_stage("falsify")
        return found

    def _falsified(self, stage, levels):
        adversarial, predicted = witness.of_levels(
            self.network, self.image, levels, self.label, self.eps, self.as_uint8
        )
        return self._verdict("falsified", stage, predicted, adversarial)

    def _robust(self, stage, question=None):
        """The verdict "robust", and its certificate; `question` is the formula of the proof."""
        if self.certificate is not None:
            asked = self.network, self.image, self.label, self.eps
            proof = None if question is None else self.proof
            write_certificate(self.certificate, *asked, self.box, question, proof)
            self.clock.end_stage("certificate")
        return self._verdict("robust", stage)

    def _verdict(self, status, stage, predicted=None, adversarial=None, reason=""):
        predicted = self.clean if predicted is None else predicted
        eps, timings = float(self.eps), self.clock.timings
        return Verdict(
            status, self.label, eps, self.clean, predicted, stage, adversarial, timings, reason
        )

    def _at_most(self, seconds):
        """So many seconds or what is left of them, a fallback in mind; None without a limit."""
        left = min(seconds, max(self.clock.left, 1e-3))
        if self.fallback:
            left = min(left, max(PATIENCE - self.clock.spent, 1e-3))
        return None if left == math.inf else left


def priorities(question):
    """The closer a variable is to the inputs, the sooner it is decided.

    Once the inputs are known everything follows, but the bits in between say more at once.
    """
    return PRIORITIES[np.minimum(question.depth, len(PRIORITIES) - 1)]
