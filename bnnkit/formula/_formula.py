"""Propositional formulas: clauses and reified linear sums."""

from __future__ import annotations

import copy
import operator
import os
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from bnnkit.formula._arrays import (
    LIMIT,
    ClauseArrays,
    Column,
    SumArrays,
    offsets_of,
    row_sums,
)
from bnnkit.formula._dimacs import read_dimacs
from bnnkit.formula._files import read_file, write_file
from bnnkit.formula._opb import is_opb, read_opb
from bnnkit.formula._text import describe, write_text


class Formula:
    """Clauses and reified linear sums over Boolean variables 1, 2, ..., `n_vars`.

    A literal is +v or -v, as in DIMACS files. A formula only grows.

    Parameters
    ----------
    n_vars : int, default 0
        Number of variables to begin with.

    Examples
    --------
    The third variable is to say whether at least two of x1, not x2, x2 or x1 hold:

    >>> from bnnkit.formula import Formula
    >>> formula = Formula()
    >>> x1, x2, y = formula.new_vars(3).tolist()
    >>> formula.add_clause([x1, -x2])
    >>> formula.add_sum([x1, -x2], 2, output=y)
    >>> print(formula)
    3 variables, 1 clause, 1 sum
    x1 or not x2
    x3 <-> x1 + not x2 >= 2
    >>> formula.holds([True, False, True])
    True
    """

    def __init__(self, n_vars: int = 0):
        self._n_vars = 0
        self._clause_lits = Column(np.int32)
        self._clause_offsets = Column(np.int64, [0])
        self._sum_lits = Column(np.int32)
        self._sum_coefs = Column(np.int32)
        self._sum_offsets = Column(np.int64, [0])
        self._sum_bounds = Column(np.int64)
        self._sum_outputs = Column(np.int32)
        self.new_vars(n_vars)

    @property
    def n_vars(self) -> int:
        """Number of variables."""
        return self._n_vars

    @property
    def clauses(self) -> ClauseArrays:
        """All clauses, as flat arrays."""
        return ClauseArrays(self._clause_lits.array, self._clause_offsets.array)

    @property
    def sums(self) -> SumArrays:
        """All sums, as flat arrays."""
        return SumArrays(
            self._sum_lits.array,
            self._sum_coefs.array,
            self._sum_offsets.array,
            self._sum_bounds.array,
            self._sum_outputs.array,
        )

    def new_var(self) -> int:
        """Make one new variable."""
        return int(self.new_vars(1)[0])

    def new_vars(self, n: int) -> np.ndarray:
        """Make `n` new variables.

        Returns
        -------
        ndarray of int32, shape (n,)
            Consecutive numbers, the first one greater than all variables so far.
        """
        n = operator.index(n)
        if not 0 <= n < LIMIT - self._n_vars:
            raise ValueError(f"the number of new variables must be in [0, 2**31), got {n}")
        first, self._n_vars = self._n_vars + 1, self._n_vars + n
        return np.arange(first, self._n_vars + 1, dtype=np.int32)

    def add_clause(self, lits: Sequence[int]) -> None:
        """Demand that at least one of `lits` holds; the empty clause never does."""
        lits = self._literals(lits, "a clause")
        self._append_clauses(lits, np.array([len(lits)]))

    def add_clauses(self, lits_flat: Sequence[int], lengths: Sequence[int]) -> None:
        """Add many clauses at once.

        Parameters
        ----------
        lits_flat : array-like of int
            The literals of all clauses, one clause after another.
        lengths : array-like of int
            How many of them each clause has.
        """
        lits = self._literals(lits_flat, "the clauses")
        self._append_clauses(lits, _lengths(lengths, len(lits)))

    def add_sum(
        self,
        lits: Sequence[int],
        bound: int,
        coefs: Sequence[int] | None = None,
        output: int | None = None,
    ) -> None:
        """Add the sum ``coefs[0] * [lits[0]] + coefs[1] * [lits[1]] + ... >= bound``.

        Parameters
        ----------
        lits : array-like of int
            Literals; each occurrence of a repeated one counts. May be empty.
        bound : int
            Any integer.
        coefs : array-like of int, optional
            Any integers with absolute values below 2**31 in total; all 1 if left out.
        output : int, optional
            A literal that shall be true exactly if the sum reaches the bound.
            Left out, the sum must reach it.
        """
        if output is not None and operator.index(output) == 0:
            raise ValueError("output must be a literal, got 0; leave it out if the sum must hold")
        bound = max(-LIMIT, min(operator.index(bound), LIMIT))
        self.add_sums(lits, [len(lits)], [bound], coefs, [output or 0])

    def add_sums(
        self,
        lits_flat: Sequence[int],
        lengths: Sequence[int],
        bounds: Sequence[int],
        coefs_flat: Sequence[int] | None = None,
        outputs: Sequence[int] | None = None,
    ) -> None:
        """Add many sums at once.

        Parameters
        ----------
        lits_flat : array-like of int
            The literals of all sums, one sum after another.
        lengths, bounds : array-like of int
            Number of terms and bound of each sum.
        coefs_flat : array-like of int, optional
            A coefficient for each literal; all 1 if left out.
        outputs : array-like of int, optional
            The output literal of each sum, 0 where the sum must hold; all 0 if left out.
        """
        lits = self._literals(lits_flat, "the sums")
        lengths = _lengths(lengths, len(lits))
        # no sum reaches 2**31 or stays below -2**31, so clipping a bound there changes nothing
        bounds = np.clip(_integers(bounds, "bounds"), -LIMIT, LIMIT)
        coefs = np.ones(len(lits)) if coefs_flat is None else _integers(coefs_flat, "coefs")
        outputs = np.zeros(len(bounds)) if outputs is None else _integers(outputs, "outputs")
        _same_length(len(lits), "literals", coefs, "coefficients")
        _same_length(len(lengths), "sums", bounds, "bounds")
        _same_length(len(lengths), "sums", outputs, "outputs")
        self._literals(outputs[outputs != 0].astype(np.int64), "the outputs")
        offsets = offsets_of(lengths)
        _check_coefs(coefs, offsets)
        self._sum_lits.append(lits)
        self._sum_coefs.append(coefs)
        self._sum_offsets.append(self._sum_offsets.last + offsets[1:])
        self._sum_bounds.append(bounds)
        self._sum_outputs.append(outputs)

    def copy(self) -> Formula:
        """A formula that grows on its own from here; the constraints so far are shared."""
        twin = copy.copy(self)
        for name, column in vars(self).items():
            if isinstance(column, Column):
                setattr(twin, name, column.copy())
        return twin

    def holds(self, assignment: Sequence[bool]) -> bool:
        """Whether an assignment satisfies every clause and every sum.

        Parameters
        ----------
        assignment : array-like of bool, shape (n_vars,)
            The value of variable v at index v - 1.
        """
        values = np.asarray(assignment)
        if values.shape != (self.n_vars,) or (values.size and values.dtype != bool):
            raise ValueError(
                f"assignment must be {self.n_vars} bools, one for each variable, "
                f"got shape {values.shape} of {values.dtype}"
            )
        clauses, sums = self.clauses, self.sums
        if not row_sums(_truth(clauses.lits, values), clauses.offsets).all():
            return False
        reached = row_sums(sums.coefs * _truth(sums.lits, values), sums.offsets) >= sums.bounds
        wanted = np.ones(len(sums), dtype=bool)
        reified = sums.outputs != 0
        wanted[reified] = _truth(sums.outputs[reified], values)
        return bool((reached == wanted).all())

    def __str__(self) -> str:
        return describe(self)

    def __repr__(self) -> str:
        return f"<Formula: {str(self).splitlines()[0]}>"

    def to_text(self) -> str:
        """The formula in the reified-cardinality dialect of DIMACS.

        A clause is a line of literals that ends in 0; the line ``1 -2 3 >= 2 # 5`` says that
        variable 5 is true exactly if at least two of the literals 1, -2, 3 are, ``<=`` likewise.
        Coefficients are written as repeated literals. The dialect has no sums without an output:
        they get one more variable, which a unit clause makes true.

        Raises
        ------
        ValueError
            If a sum has more than 10,000,000 literals once its coefficients are written out.
        """
        return write_text(self)

    @classmethod
    def from_text(cls, text: str) -> Formula:
        r"""Read DIMACS CNF, the dialect that `to_text` writes, lines of CryptoMiniSat, or OPB.

        In DIMACS a clause may go over several lines, a line may have several clauses, and lines
        that begin with c may stand anywhere; a line that begins with % ends the text. The line
        ``b 1 -2 3 0 2 5 0`` says what ``1 -2 3 >= 2 # 5`` does; without the 5 the sum must reach
        its bound. OPB are the linear constraints of the pseudo-Boolean competitions, with
        ``>=``, ``<=`` or ``=``, and without an objective. More constraints than announced are
        read all the same.

        Raises
        ------
        ValueError
            If the text is in none of them (the message gives the line), or has fewer
            constraints than it announces: it may be cut short.

        Examples
        --------
        >>> print(Formula.from_text("p cnf 3 2\n1 -2 0\n1 2 3 >= 2 # -3\n"))
        3 variables, 1 clause, 1 sum
        x1 or not x2
        not x3 <-> x1 + x2 + x3 >= 2
        >>> print(Formula.from_text("+2 x1 -1 x2 +1 ~x3 >= 1 ;"))
        3 variables, 0 clauses, 1 sum
        2 * x1 + -1 * x2 + not x3 >= 1
        """
        return _read(text.encode(errors="replace"), cls)

    def save(self, path: str | os.PathLike) -> None:
        """Write what `to_text` gives to a file, atomically.

        It is compressed if its name ends in .gz, .xz or .bz2. For other formats see
        `bnnkit.interop.write_formula`.
        """
        write_file(path, self.to_text())

    @classmethod
    def load(cls, file: str | os.PathLike | BinaryIO) -> Formula:
        """Read a file of the kind that `from_text` describes.

        Parameters
        ----------
        file : path, or binary file that can be read
            Plain or compressed by gzip, xz or bzip2; the content decides, not the name.

        Raises
        ------
        OSError
            If there is no such file.
        ValueError
            If its content is wrong or damaged; the message gives the file and the line.

        Examples
        --------
        >>> import tempfile
        >>> from bnnkit.formula import Formula
        >>> formula = Formula(3)
        >>> formula.add_clause([1, -2])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     formula.save(f"{folder}/small.cnf.gz")
        ...     print(Formula.load(f"{folder}/small.cnf.gz"))
        3 variables, 1 clause, 0 sums
        x1 or not x2
        """
        name, data = read_file(file)
        try:
            return _read(data, cls)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error

    def _literals(self, lits: Sequence[int], where: str) -> np.ndarray:
        lits = _integers(lits, "literals")
        wrong = lits[(lits == 0) | (lits < -self.n_vars) | (lits > self.n_vars)]
        if wrong.size:
            raise ValueError(
                f"{where}: a literal must be +v or -v with v in [1, {self.n_vars}], "
                f"got {wrong[0]}; make variables with new_vars first"
            )
        return lits

    def _append_clauses(self, lits: np.ndarray, lengths: np.ndarray) -> None:
        self._clause_lits.append(lits)
        self._clause_offsets.append(self._clause_offsets.last + np.cumsum(lengths))


def _read(data: bytes, new_formula: type[Formula]) -> Formula:
    return (read_opb if is_opb(data) else read_dimacs)(data, new_formula)


def _truth(lits: np.ndarray, values: np.ndarray) -> np.ndarray:
    return values[np.abs(lits) - 1] ^ (lits < 0)


def _integers(values: Sequence[int], what: str) -> np.ndarray:
    array = np.asarray(values)
    unsuitable = array.dtype.kind not in "iu" or array.dtype == np.uint64
    if array.ndim != 1 or (array.size and unsuitable):
        raise ValueError(
            f"{what} must be a flat sequence of integers below 2**63, "
            f"got shape {array.shape} of {array.dtype}"
        )
    return array.astype(np.int64)


def _lengths(lengths: Sequence[int], total: int) -> np.ndarray:
    lengths = _integers(lengths, "lengths")
    if (lengths < 0).any() or lengths.sum() != total:
        raise ValueError(
            f"lengths must be non-negative and add up to the {total} literals given, "
            f"got a sum of {lengths.sum()}"
        )
    return lengths


def _same_length(n: int, items: str, others: np.ndarray, what: str) -> None:
    if len(others) != n:
        raise ValueError(f"there must be as many {what} as {items} ({n}), got {len(others)}")


def _check_coefs(coefs: np.ndarray, offsets: np.ndarray) -> None:
    # each is clipped first, so that the totals themselves cannot overflow
    totals = row_sums(np.minimum(np.abs(np.clip(coefs, -LIMIT, LIMIT)), LIMIT), offsets)
    if (totals >= LIMIT).any():
        raise ValueError(
            "the absolute values of the coefficients of a sum must add up to less than 2**31, "
            f"got {totals.max()} or more; divide the sum by a common factor"
        )
