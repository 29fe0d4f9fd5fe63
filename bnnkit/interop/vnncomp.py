"""The question that VNN-COMP puts to a tool: an ONNX file, a VNN-LIB file, and so many seconds.

The competition counts an answer "sat" with a wrong witness, or a wrong "unsat", as much worse
than none. Everything is decided in exact arithmetic on the numbers in the two files; in the end a
witness is checked against the specification itself.
"""

import math
import time
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from bnnkit._files import write_text
from bnnkit.interop import onnx, vnnlib
from bnnkit.network import RealNetwork
from bnnkit.solvers import WrongAnswer
from bnnkit.verification._question import checked_timeout
from bnnkit.verification.real import Condition, verify_box

_ANSWERS = {"robust": "unsat", "falsified": "sat"}
_PLACES, _SIDES = 30, (math.floor, math.ceil)  # decimal places where no float is in the box
_RESERVE, _MOST_RESERVE = 0.05, 5.0  # share of the time, and seconds, that are kept for the end


@dataclass(frozen=True)
class Result:
    """An answer.

    Attributes
    ----------
    answer : "sat", "unsat", "timeout", "unknown"
    x : ndarray of Fraction or None
        The inputs of a witness, in the file's order; with decimals that end where such a one is
        near.
    y : ndarray of float32 or None
        What the file's graph makes of them in float32 (`onnx.replay`); the exact scores where it
        cannot be run.
    replayed : bool or None
        Whether `y` fulfils the condition as well. The answer is right in any case.
    verdicts : list of BoxVerdict
        One for each box that was looked at.

    Examples
    --------
    >>> from bnnkit.interop.vnncomp import Result
    >>> print(Result("unsat").text)
    unsat
    """

    answer: str
    x: np.ndarray | None = field(default=None, repr=False)
    y: np.ndarray | None = field(default=None, repr=False)
    replayed: bool | None = None
    verdicts: list = field(default_factory=list)

    @property
    def text(self):
        """The answer as the competition reads it: a word, and a witness after "sat"."""
        if self.answer != "sat":
            return self.answer
        return f"sat\n{vnnlib.witness(self.x, self.y)}"

    def save(self, path):
        """Write `text` to a file, atomically."""
        write_text(path, self.text + "\n")


def solve(model, specification, timeout=None):
    """Answer a question.

    Parameters
    ----------
    model : path-like
        An ONNX file of a network that reads real pixels, plain or gzipped.
    specification : path-like
        A VNN-LIB 1.0 file, plain or gzipped.
    timeout : float, optional
        Seconds for everything, reading included.

    Returns
    -------
    Result

    Raises
    ------
    OSError
        A file is missing.
    ValueError
        A file is damaged, or beyond what can be decided: the network is not a binarized one, the
        condition is not made of comparisons of two outputs.

    Examples
    --------
    A network that says 1 where its pixel is at least 10, and the question whether it does so
    somewhere in [9, 11]:

    >>> import pathlib, tempfile
    >>> from bnnkit.interop import onnx
    >>> from bnnkit.interop.vnncomp import solve
    >>> from bnnkit.network import BinaryNetwork, Head, RealConv2d, RealNetwork
    >>> from bnnkit.quantiser import Quantiser
    >>> front = RealConv2d(np.ones((1, 1, 1, 1)), [10], [1])
    >>> head = Head(np.array([-1, 1]).reshape(2, 1, 1, 1), scale=2, bias=[1, 0])
    >>> tail = BinaryNetwork(Quantiser(1), [], head, (1, 1, 1))
    >>> lines = ["(declare-const X_0 Real)", "(declare-const Y_0 Real)", "(declare-const Y_1 Real)",
    ...          "(assert (>= X_0 9))", "(assert (<= X_0 11))", "(assert (>= Y_1 Y_0))"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model, question = pathlib.Path(folder, "net.onnx"), pathlib.Path(folder, "q.vnnlib")
    ...     onnx.save(RealNetwork(front, tail, (1, 1, 1)), model)
    ...     _ = question.write_text(" ".join(lines))
    ...     result = solve(model, question)
    >>> result.answer, bool(result.x.item() >= 10)
    ('sat', True)
    """
    end = math.inf
    if checked_timeout(timeout) is not None:
        end = time.perf_counter() + timeout - min(_RESERVE * timeout, _MOST_RESERVE)
    imported = onnx.read(model)
    try:
        question = vnnlib.load(specification, end)
    except TimeoutError:
        return Result("timeout")
    network, order = imported.network, imported.order
    if not isinstance(network, RealNetwork):
        raise ValueError(f"{model} rounds pixels to levels; VNN-LIB is about real ones")
    sizes = (len(order), network.n_classes)
    if (question.n_inputs, question.n_outputs) != sizes:
        raise ValueError(
            f"{specification} is about {question.n_inputs} inputs and {question.n_outputs} "
            f"outputs, {model} has {sizes[0]} and {sizes[1]}"
        )
    verdicts = []
    for case, condition in [(case, as_condition(case.condition)) for case in question.cases]:
        if condition is None:
            continue
        left = end - time.perf_counter()
        if left <= 0:
            return Result("timeout", verdicts=verdicts)
        low, high = (x[order].reshape(network.input_shape) for x in (case.low, case.high))
        left = None if left == math.inf else left
        verdicts.append(verify_box(network, low, high, condition, left))
        if verdicts[-1].status == "falsified":
            x = _checked(case, order, verdicts[-1])
            x = _with_decimals(network, order, case, x)
            y = _outputs(model, x, verdicts[-1].scores)
            return Result("sat", x, y, case.holds(x, y), verdicts)
    unknown = [verdict for verdict in verdicts if verdict.status == "unknown"]
    answer = "unsat" if not unknown else "unknown"
    if any(verdict.reason == "timeout" for verdict in unknown):
        answer = "timeout"
    return Result(answer, verdicts=verdicts)


def as_condition(condition):
    """The `Condition` of a case of a specification; None if it can never hold.

    Raises
    ------
    ValueError
        A comparison is not between two outputs.
    """
    # a product of clauses repeats few comparisons many times
    known = {id(comparison): comparison for part in condition for comparison in part}
    known = {key: _pair(comparison) for key, comparison in known.items()}
    cases = {}
    for part in condition:
        pairs = dict.fromkeys(known[id(comparison)] for comparison in part)
        if None not in pairs:
            cases[tuple(pair for pair in pairs if pair) or ((0, 0),)] = True
    return Condition(cases) if cases else None


def _pair(comparison):
    """(a, b) for Y_a >= Y_b; () for what always holds, and None for what never does."""
    used = {k: c for k, c in comparison.coefficients.items() if c != 0}
    if not used:
        return () if comparison.holds([]) else None
    if len(used) == 2 and sum(used.values()) == 0 == comparison.bound and not comparison.strict:
        b, a = sorted(used, key=used.get)
        return a, b
    raise ValueError(
        "only comparisons of two outputs, Y_a >= Y_b, can be decided: a softmax or a scale of "
        "the outputs leaves their order, and nothing else, as it is"
    )


def _checked(case, order, verdict):
    """The witness in the file's order, after a last look at the specification."""
    x = np.empty(len(order), object)
    x[order] = verdict.witness.ravel()
    if not case.holds(x, [Fraction(int(score)) for score in verdict.scores]):
        raise WrongAnswer("a witness does not fulfil its specification; please report this")
    return x


def _with_decimals(network, order, case, x):
    """A witness near `x` that can be written down, or `x` itself: a third has no last decimal."""
    y = x.copy()
    for i, value in enumerate(x.tolist()):
        if not vnnlib.has_decimal(value):
            places = 10**_PLACES
            near = [vnnlib.as_float(value), *(Fraction(f(value * places), places) for f in _SIDES)]
            y[i] = next((Fraction(v) for v in near if case.low[i] <= v <= case.high[i]), value)
    scores = network.scores(y[order].reshape(1, *network.input_shape))[0]
    return y if case.holds(y, [Fraction(int(score)) for score in scores]) else x


def _outputs(model, x, scores):
    try:
        return onnx.replay(model, x)
    except Exception:  # of foreign software, which must not cost us an answer
        return scores.astype(np.float32)
