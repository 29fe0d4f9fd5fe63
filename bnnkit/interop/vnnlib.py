"""VNN-LIB 1.0, the format of questions about networks, as VNN-COMP uses it.

A file asks: are there inputs X in a box for which the outputs Y fulfil a condition (that the
network misclassifies, say)? "sat" is the answer yes, with a witness; "unsat" is no.
"""

import itertools
import math
import re
import time
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, localcontext
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bnnkit._files import read_bounded
from bnnkit.interop._sexpr import SyntaxProblem, expressions

_LARGEST_FILE = 2**28  # bytes, unpacked
_MOST_VARIABLES = 10**7
_MOST_CONJUNCTIONS = 100_000
_MOST_ATOMS = 2**20  # of all conjunctions of a condition, and
_MOST_ENDS = 2**22  # of all boxes: inputs times boxes
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_VARIABLE = re.compile(r"([XY])_(\d{1,8})", re.ASCII)
_LONGEST_DECIMAL = 40  # characters


class Comparison(NamedTuple):
    """sum of coefficients * outputs >= bound, or > bound where `strict`.

    Attributes
    ----------
    coefficients : dict of int to Fraction
        By the number of the output.
    bound : Fraction
    strict : bool
    """

    coefficients: dict
    bound: Fraction
    strict: bool

    def holds(self, y):
        """Whether outputs `y`, a sequence of numbers, fulfil it, exactly."""
        total = sum(c * Fraction(y[k]) for k, c in self.coefficients.items())
        return total > self.bound if self.strict else total >= self.bound


class Case(NamedTuple):
    """A box of inputs, and what the outputs must fulfil in it for the answer "sat".

    Attributes
    ----------
    low, high : ndarray of Fraction (dtype object), shape (n_inputs,)
        Both ends belong to the box.
    condition : tuple of tuple of Comparison
        One of the inner tuples must be fulfilled, which means all of its comparisons.
    """

    low: np.ndarray
    high: np.ndarray
    condition: tuple

    def holds(self, x, y):
        """Whether inputs `x` (flat) and outputs `y` are an answer "sat", exactly."""
        values = [Fraction(v) for v in np.asarray(x, object).ravel().tolist()]
        inside = len(values) == len(self.low) and all(
            low <= v <= high for low, v, high in zip(self.low, values, self.high, strict=True)
        )
        y = np.asarray(y, object).ravel().tolist()
        return inside and any(all(c.holds(y) for c in part) for part in self.condition)


class Specification(NamedTuple):
    """What a VNN-LIB file asks: is some case fulfilled?

    Attributes
    ----------
    n_inputs, n_outputs : int
    cases : tuple of Case
        Those whose box is not empty; without any, the answer is "unsat".

    Examples
    --------
    >>> from bnnkit.interop.vnnlib import Specification
    >>> hopeless = Specification(n_inputs=784, n_outputs=10, cases=())  # every box was empty
    >>> len(hopeless.cases)
    0
    """

    n_inputs: int
    n_outputs: int
    cases: tuple


def load(path, deadline=math.inf):
    """Read a VNN-LIB 1.0 file, plain or gzipped; decimals are read as exact fractions.

    Parameters
    ----------
    path : path-like
    deadline : float, optional
        A time of `time.perf_counter`.

    Returns
    -------
    Specification

    Raises
    ------
    OSError
        There is no such file.
    TimeoutError
        The deadline has passed.
    ValueError
        With the line: not VNN-LIB 1.0; an input without bounds; conditions that are not linear, or
        that join inputs to each other or to outputs; no condition at all.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from bnnkit.interop.vnnlib import load
    >>> lines = ["(declare-const X_0 Real)", "(declare-const Y_0 Real)", "(declare-const Y_1 Real)",
    ...          "(assert (>= X_0 0.25))", "(assert (<= X_0 0.5))", "(assert (>= Y_1 Y_0))"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "question.vnnlib")
    ...     _ = path.write_text(" ".join(lines))
    ...     specification = load(path)
    >>> specification.n_inputs, specification.n_outputs, len(specification.cases)
    (1, 2, 1)
    """
    try:
        text = read_bounded(Path(path), _LARGEST_FILE).decode("ascii")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a VNN-LIB file: byte {error.start} is no ASCII") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    reader = _Reader(deadline)
    try:
        for statement in expressions(text):
            reader.read(statement)
        return reader.specification()
    except SyntaxProblem as error:
        raise ValueError(f"{path}, line {error.line}: {error.problem}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


class _Bound(NamedTuple):
    """x[index] >= value where `lower`, else x[index] <= value."""

    index: int
    value: Fraction
    lower: bool


class _Reader:
    """Collects declarations and assertions."""

    def __init__(self, deadline):
        self._deadline = deadline
        self.declared = {"X": set(), "Y": set()}
        self.atoms = []  # that all must hold
        self.choices = []  # disjunctions of conjunctions of atoms
        self.last_line = 1

    def read(self, statement):
        self.check_time()
        self.last_line = statement.line
        words = [part.word for part in statement.items or ()]
        if words[:1] in (["declare-const"], ["declare-fun"]):
            self._declare(statement, words)
        elif words[:1] == ["assert"] and len(words) == 2:
            parts = self._formula(statement.items[1])
            if len(parts) == 1:
                self.atoms += parts[0]
            else:
                self.choices.append(parts)
        elif words[:1] in (["vnnlib-version"], ["declare-network"]):
            raise SyntaxProblem(statement.line, "this is VNN-LIB 2; version 1.0 is read")
        else:
            raise SyntaxProblem(statement.line, "expected (declare-const ..) or (assert ..)")

    def _declare(self, statement, words):
        variable = _VARIABLE.fullmatch(words[1]) if len(words) > 1 else None
        arguments = statement.items[2:-1]
        function = words[0] == "declare-fun"
        well_formed = arguments and arguments[0].items == [] if function else not arguments
        if not variable or words[-1] != "Real" or len(words) != 3 + function or not well_formed:
            raise SyntaxProblem(statement.line, "expected (declare-const X_0 Real), or Y_0")
        kind, number = variable[1], int(variable[2])
        if number in self.declared[kind] or number >= _MOST_VARIABLES:
            raise SyntaxProblem(
                statement.line, f"{words[1]} is declared twice, or beyond the limit"
            )
        self.declared[kind].add(number)

    def _formula(self, part):
        """A formula as a list of conjunctions, which are lists of atoms."""
        operator = part.items[0].word if part.items else None
        if operator in ("and", "or"):
            inner = [self._formula(item) for item in part.items[1:]]
            if operator == "and":
                return _product(part.line, inner)
            _check_size(part.line, sum(map(len, inner)))
            return list(itertools.chain(*inner))
        if operator in ("<=", ">=", "<", ">") and len(part.items) == 3:
            left, right = (self._term(item) for item in part.items[1:])
            if operator.startswith("<"):
                left, right = right, left
            return [[self._atom(part.line, _added(left, right, -1), len(operator) == 1)]]
        raise SyntaxProblem(part.line, "expected (and ..), (or ..) or a comparison of two terms")

    def _term(self, part):
        """A linear term as {variable: coefficient}; None stands for 1."""
        if part.items is None:
            variable = _VARIABLE.fullmatch(part.word)
            if variable is None:
                return {None: _number(part)}
            key = variable[1], int(variable[2])
            if key[1] not in self.declared[key[0]]:
                raise SyntaxProblem(part.line, f"{part.word} is not declared")
            return {key: Fraction(1)}
        operator = part.items[0].word if part.items else None
        terms = [self._term(item) for item in part.items[1:]]
        if operator == "+" and terms:
            return _summed(terms, 1)
        if operator == "-" and terms:
            return _summed([{}, *terms] if len(terms) == 1 else terms, -1)
        if operator == "*" and len(terms) == 2:
            constant, term = sorted(terms, key=lambda t: t.keys() != {None})
            if constant.keys() == {None}:
                return {key: value * constant[None] for key, value in term.items()}
        raise SyntaxProblem(part.line, "expected a number, a variable, or a linear (+ ..), (* ..)")

    def _atom(self, line, term, strict):
        """The atom term >= 0, or > 0."""
        bound = -term.pop(None, Fraction(0))
        used = {key: value for key, value in term.items() if value != 0}
        kinds = {kind for kind, _ in used}
        if "X" not in kinds:
            return Comparison({number: c for (_, number), c in used.items()}, bound, strict)
        if len(used) > 1 or strict:
            raise SyntaxProblem(
                line, "an input may only be bounded by numbers, with <= or >=; boxes are supported"
            )
        ((_, number), factor), *_ = used.items()
        return _Bound(number, bound / factor, lower=factor > 0)

    def specification(self):
        n_inputs, n_outputs = (self._count(kind) for kind in "XY")
        everything = itertools.chain(self.atoms, *itertools.chain(*self.choices))
        if not any(isinstance(atom, Comparison) for atom in everything):
            raise ValueError("no assertion is about the outputs; is the file cut short?")
        bounds, always = _parted(self.atoms)
        boxes = {}
        for atoms in _product(self.last_line, self.choices):
            more, condition = _parted(atoms)
            boxes.setdefault(tuple(more), []).append((*always, *condition))
        if len(boxes) * n_inputs > _MOST_ENDS:
            raise ValueError(
                f"{len(boxes)} boxes of {n_inputs} inputs; {_MOST_ENDS} ends are supported"
            )
        ends = _narrowed(np.full((2, n_inputs), None, object), bounds)
        unsure = [i for i, (low, high) in enumerate(ends.T) if None in (low, high) or low > high]
        cases = []
        for more, condition in boxes.items():
            self.check_time()
            low, high = _narrowed(ends, more)
            if _is_box(low, high, {*unsure, *(bound.index for bound in more)}):
                cases.append(Case(low, high, tuple(condition)))
        return Specification(n_inputs, n_outputs, tuple(cases))

    def check_time(self):
        if time.perf_counter() > self._deadline:
            raise TimeoutError("reading takes too long")

    def _count(self, kind):
        numbers = self.declared[kind]
        if not numbers or max(numbers) != len(numbers) - 1:
            raise ValueError(f"{kind}_0, {kind}_1, ... must be declared without a gap")
        return len(numbers)


def _parted(atoms):
    """The bounds and the comparisons among atoms."""
    bounds = [atom for atom in atoms if isinstance(atom, _Bound)]
    return bounds, [atom for atom in atoms if not isinstance(atom, _Bound)]


def _product(line, factors):
    """The conjunction of disjunctions of conjunctions."""
    size = 1
    for factor in factors:
        size *= len(factor)
        _check_size(line, size)
    n_atoms = sum(size // len(factor) * sum(map(len, factor)) for factor in factors)
    if n_atoms > _MOST_ATOMS:
        raise SyntaxProblem(
            line, f"cases of {n_atoms} comparisons in all; {_MOST_ATOMS} are supported"
        )
    return [list(itertools.chain(*choice)) for choice in itertools.product(*factors)]


def _check_size(line, size):
    if not 1 <= size <= _MOST_CONJUNCTIONS:
        raise SyntaxProblem(
            line, f"a condition of {size} cases or more; 1 to {_MOST_CONJUNCTIONS} are supported"
        )


def _summed(terms, sign):
    total = terms[0]
    for term in terms[1:]:
        total = _added(total, term, sign)
    return total


def _added(left, right, sign):
    total = dict(left)
    for key, value in right.items():
        total[key] = total.get(key, Fraction(0)) + sign * value
    return total


def _number(part):
    if not _NUMBER.fullmatch(part.word):
        raise SyntaxProblem(part.line, f"{part.word[:40]!r} is no number and no variable")
    return Fraction(part.word)


def _narrowed(ends, bounds):
    """Ends (low, high) of a box, object (2, inputs), with more bounds; None is no bound yet."""
    low, high = ends = ends.copy()
    for index, value, lower in bounds:
        if lower:
            low[index] = value if low[index] is None else max(low[index], value)
        else:
            high[index] = value if high[index] is None else min(high[index], value)
    return ends


def _is_box(low, high, places):
    """Whether a box holds anything, which is in doubt at some `places`."""
    for i in sorted(places):
        for name, end in (("lower", low[i]), ("upper", high[i])):
            if end is None:
                raise ValueError(f"X_{i} has no {name} bound; inputs must be in a box")
    return all(low[i] <= high[i] for i in places)


def witness(x, y):
    """The witness of an answer "sat" in the form that VNN-COMP asks for.

    Parameters
    ----------
    x, y : array_like of numbers
        Inputs and outputs in the order of the file's variables. Floats stand for their exact
        values, and are read back as them; a number whose decimals have no end, such as a third, is
        rounded.

    Returns
    -------
    str

    Examples
    --------
    >>> from bnnkit.interop.vnnlib import witness
    >>> print(witness([0.5, 3], np.float32([0.1])))
    ((X_0 0.5)
     (X_1 3)
     (Y_0 0.100000001490116119384765625))
    """
    names = [("X", np.asarray(x).ravel()), ("Y", np.asarray(y).ravel())]
    rows = [
        f"({k}_{i} {_decimal(v)})" for k, values in names for i, v in enumerate(values.tolist())
    ]
    return "(" + "\n ".join(rows) + ")"


def _decimal(value):
    """A number in decimal digits: exactly if there are few, else those that make its float.

    Of other numbers all digits are written if they end, else so many that the rest is far below
    what a float can tell.
    """
    exact = Fraction(value)
    short = _digits(exact, _LONGEST_DECIMAL)
    if short is not None and len(short) <= _LONGEST_DECIMAL:
        return short
    if as_float(exact) == exact:
        return repr(as_float(exact))
    return _digits(exact, _n_digits(exact)) or _digits(exact, _LONGEST_DECIMAL, rounded=True)


def _digits(exact, most, rounded=False):
    """A Fraction in decimal digits, None if it has more than `most` (and is not to be rounded)."""
    with localcontext(Context(prec=most, Emax=MAX_EMAX, Emin=MIN_EMIN)) as context:
        text = f"{Decimal(exact.numerator) / Decimal(exact.denominator):f}"
        return text if rounded or not context.flags[Inexact] else None


def _n_digits(exact):
    """As many digits as a Fraction can have if it has an end; 1 if it has none."""
    if not has_decimal(exact):
        return 1
    return len(f"{Decimal(exact.numerator):f}") + exact.denominator.bit_length()


def has_decimal(exact):
    """Whether the decimal digits of a Fraction have an end: its denominator is 2**a * 5**b."""
    return pow(10, exact.denominator.bit_length(), exact.denominator) == 0


def as_float(exact):
    """The float that is nearest to a Fraction, infinite beyond all floats."""
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf
