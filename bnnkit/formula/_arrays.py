"""The flat arrays that a formula is made of."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

LIMIT = 2**31  # the coefficients of one sum add up to less than this, so int64 never overflows
MAX_REPEATS = 10_000_000  # literals that a sum may have once its coefficients are written out


@dataclass(frozen=True, eq=False)
class ClauseArrays:
    """Clauses as flat, read-only arrays.

    Attributes
    ----------
    lits : ndarray of int32
        The literals of all clauses, one clause after another.
    offsets : ndarray of int64, shape (number of clauses + 1,)
        Clause i has the literals ``lits[offsets[i]:offsets[i + 1]]``.

    Examples
    --------
    >>> from bnnkit.formula import Formula
    >>> formula = Formula(3)
    >>> formula.add_clauses([1, -2, 2, 3, -1], [2, 3])
    >>> formula.clauses.lits.tolist(), formula.clauses.offsets.tolist()
    ([1, -2, 2, 3, -1], [0, 2, 5])
    >>> formula.clauses.lists()
    [[1, -2], [2, 3, -1]]
    """

    lits: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Number of literals of each clause."""
        return self.offsets[1:] - self.offsets[:-1]

    def rows(self, start: int, stop: int) -> ClauseArrays:
        """The clauses number `start` to `stop` - 1."""
        first, last = self.offsets[start], self.offsets[stop]
        return ClauseArrays(self.lits[first:last], self.offsets[start : stop + 1] - first)

    def lists(self) -> list[list[int]]:
        """Each clause as a list of Python integers."""
        return _split(self.lits, self.offsets)


@dataclass(frozen=True, eq=False)
class SumArrays:
    """Linear sums ``output <-> coefs @ lits >= bound`` as flat, read-only arrays.

    Attributes
    ----------
    lits, coefs : ndarray of int32
        The terms of all sums, one sum after another.
    offsets : ndarray of int64, shape (number of sums + 1,)
        Sum i has the terms ``offsets[i]`` to ``offsets[i + 1] - 1``.
    bounds : ndarray of int64, shape (number of sums,)
    outputs : ndarray of int32, shape (number of sums,)
        The literal that is equivalent to the sum reaching its bound; 0 where the sum must.

    Examples
    --------
    >>> from bnnkit.formula import Formula
    >>> formula = Formula(4)
    >>> formula.add_sum([1, -2, 3], 2, output=4)  # x4 <-> two of x1, not x2, x3
    >>> formula.add_sum([1, 3], 4, coefs=[2, 3])
    >>> formula.sums.bounds.tolist(), formula.sums.outputs.tolist()
    ([2, 4], [4, 0])
    >>> list(formula.sums.lists())
    [([1, -2, 3], [1, 1, 1], 2, 4), ([1, 3], [2, 3], 4, 0)]
    """

    lits: np.ndarray
    coefs: np.ndarray
    offsets: np.ndarray
    bounds: np.ndarray
    outputs: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Number of terms of each sum."""
        return self.offsets[1:] - self.offsets[:-1]

    def rows(self, start: int, stop: int) -> SumArrays:
        """The sums number `start` to `stop` - 1."""
        first, last = self.offsets[start], self.offsets[stop]
        return SumArrays(
            self.lits[first:last],
            self.coefs[first:last],
            self.offsets[start : stop + 1] - first,
            self.bounds[start:stop],
            self.outputs[start:stop],
        )

    def repeated(self) -> SumArrays:
        """The same sums with all coefficients 1: a literal with coefficient 3 stands there thrice.

        A negative coefficient -c of a literal l becomes c times not l, and adds c to the bound.

        Raises
        ------
        ValueError
            If a sum would get more than 10,000,000 literals.
        """
        repeats = np.abs(self.coefs)
        _check_repeats(row_sums(repeats, self.offsets))
        lits = np.repeat(np.where(self.coefs < 0, -self.lits, self.lits), repeats)
        offsets = offsets_of(repeats)[self.offsets]
        bounds = self.bounds + row_sums(np.maximum(-self.coefs, 0), self.offsets)
        return SumArrays(lits, np.ones_like(lits), offsets, bounds, self.outputs)

    def lists(self) -> Iterator[tuple[list[int], list[int], int, int]]:
        """Each sum as (literals, coefficients, bound, output) of Python integers."""
        lits, coefs = _split(self.lits, self.offsets), _split(self.coefs, self.offsets)
        return zip(lits, coefs, self.bounds.tolist(), self.outputs.tolist(), strict=True)


class Column:
    """An array that grows at its end; its pieces are joined when it is read.

    It keeps the arrays that it is given, so they must be nobody else's.
    """

    def __init__(self, dtype: type, start: Sequence[int] = ()):
        self._dtype = dtype
        self._pieces = [np.array(start, dtype=dtype)]
        self.last = start[-1] if start else None

    def append(self, values: np.ndarray) -> None:
        if len(values):
            self._pieces.append(np.asarray(values, dtype=self._dtype))
            self.last = self._pieces[-1][-1]

    def copy(self) -> Column:
        twin = copy.copy(self)
        twin._pieces = [self.array]
        return twin

    @property
    def array(self) -> np.ndarray:
        if len(self._pieces) > 1:
            self._pieces = [np.concatenate(self._pieces)]
        self._pieces[0].flags.writeable = False
        return self._pieces[0]


def row_sums(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Sum of each row ``values[offsets[i]:offsets[i + 1]]``, exact in int64; 0 for empty rows."""
    ends = offsets_of(values)[offsets]
    return ends[1:] - ends[:-1]


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Where rows of some lengths begin and end: 0 and the cumulative sums, int64."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def portions(offsets: np.ndarray, start: int, size: int) -> Iterator[tuple[int, int]]:
    """Split the rows from `start` on into runs of about `size` items, at least one row each."""
    while start < len(offsets) - 1:
        stop = int(np.searchsorted(offsets, offsets[start] + size, side="right")) - 1
        stop = max(stop, start + 1)
        yield start, stop
        start = stop


def _split(flat: np.ndarray, offsets: np.ndarray) -> list[list[int]]:
    items = flat.tolist()
    return [items[start:stop] for start, stop in itertools.pairwise(offsets.tolist())]


def _check_repeats(totals: np.ndarray) -> None:
    longest = totals.max(initial=0)
    if longest > MAX_REPEATS:
        raise ValueError(
            f"the coefficients of a sum written as repeated literals take {longest} literals, more "
            f"than {MAX_REPEATS}; use a solver that takes coefficients as they are, such as cp-sat"
        )
