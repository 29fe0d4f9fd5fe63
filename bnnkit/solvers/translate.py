"""What a solver does not take natively is rewritten here: free functions on flat arrays.

The way of a sum, each step only as far as the solver needs it::

    normalise          positive coefficients on distinct variables, none above the bound
    extract_clauses    sums that are always or never true, ORs and ANDs become clauses
    split_reified      y <-> sum >= b  becomes two sums that must hold
    SumArrays.repeated a coefficient 3 becomes a literal that stands there thrice

For solvers that take clauses only, `bnnkit.solvers.encodings` does the rest.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from bnnkit.formula import ClauseArrays, SumArrays
from bnnkit.formula._arrays import offsets_of, row_sums

ABILITIES = ("cardinality", "reified", "coefficients")


def adapt(sums: SumArrays, abilities: Collection[str]) -> tuple[ClauseArrays, SumArrays]:
    """Rewrite sums into clauses and those sums that a solver with some abilities takes.

    Parameters
    ----------
    sums : SumArrays
    abilities : collection of str
        "cardinality" for sums that must hold, "reified" for those with an output literal,
        "coefficients" for positive coefficients other than 1. For a solver without
        "cardinality" sums stay reified: `bnnkit.solvers.encodings` takes them so.

    Returns
    -------
    clauses : ClauseArrays
    sums : SumArrays
        Normalised, and neither trivial nor a clause.
    """
    clauses, sums = extract_clauses(normalise(sums))
    if "cardinality" in abilities and "reified" not in abilities:
        # an output that occurs in its own sum meets itself here, so normalise once more
        more_clauses, sums = extract_clauses(normalise(split_reified(sums)))
        clauses = join_clauses(clauses, more_clauses)
    if "coefficients" not in abilities:
        sums = sums.repeated()
    return clauses, sums


def normalise(sums: SumArrays) -> SumArrays:
    """Equivalent sums in a normal form.

    Every coefficient is positive and at most the bound, every variable occurs once in a sum,
    and the coefficients of a sum have no common divisor. A sum that is always true gets a
    bound of at most 0.

    Examples
    --------
    >>> from bnnkit import formula
    >>> f = formula.Formula(3)
    >>> f.add_sum([1, 2, -2, 3], 2, coefs=[4, 3, 1, -6])
    >>> list(normalise(f.sums).lists())
    [([1, 2, -3], [2, 1, 3], 4, 0)]
    """
    rows = np.repeat(np.arange(len(sums)), sums.lengths)
    if _is_normal(sums, rows):
        return sums
    negative = sums.lits < 0
    coefs = sums.coefs.astype(np.int64)
    # c [not v] = c - c [v]: first everything in terms of variables
    bounds = sums.bounds - row_sums(np.where(negative, coefs, 0), sums.offsets)
    rows, lits, coefs = _merge(rows, np.abs(sums.lits), np.where(negative, -coefs, coefs))
    offsets = np.searchsorted(rows, np.arange(len(sums) + 1))
    # -c [v] = c [not v] - c: then positive coefficients
    bounds = bounds + row_sums(np.maximum(-coefs, 0), offsets)
    lits, coefs = np.where(coefs < 0, -lits, lits).astype(np.int32), np.abs(coefs)
    coefs = np.minimum(coefs, np.maximum(bounds, 1)[rows])
    divisors = _row_gcds(coefs, offsets)
    coefs, bounds = coefs // divisors[rows], -(-bounds // divisors)
    return SumArrays(lits, coefs.astype(np.int32), offsets, bounds, sums.outputs)


def extract_clauses(sums: SumArrays) -> tuple[ClauseArrays, SumArrays]:
    """Split normalised sums into those that are clauses, as clauses, and the other ones.

    Clauses are the sums that are always or never true (a unit clause of the output, if there is
    one), those of which one literal is enough (OR), and those which need every literal (AND).
    """
    totals = row_sums(sums.coefs, sums.offsets)
    never = totals < sums.bounds
    always = sums.bounds <= 0
    one_is_enough = ~never & (sums.bounds == 1)
    all_needed = ~never & ~always & ~one_is_enough
    all_needed &= totals - _row_minima(sums.coefs, sums.offsets) < sums.bounds
    must = sums.outputs == 0
    equivalent = (one_is_enough | all_needed) & ~must
    clauses = join_clauses(
        _units(sums.outputs[always & ~must]),
        _units(-sums.outputs[never & ~must]),
        _empty_clauses(np.count_nonzero(never & must)),
        _clauses_of(_select(sums, one_is_enough & must)),
        _units(_select(sums, all_needed & must).lits),
        _equivalences(_negate(_select(sums, equivalent), all_needed[equivalent])),
    )
    return clauses, _select(sums, ~(never | always | one_is_enough | all_needed))


def split_reified(sums: SumArrays) -> SumArrays:
    """Replace each y <-> sum >= b by two sums that must hold; sums that must hold stay.

    For a sum of positive coefficients with the total t::

        y -> sum >= b            is   sum + b [not y] >= b
        not y -> t - sum > t - b is   (t - sum) + (t - b + 1) [y] >= t - b + 1

    where t - sum is the sum of the negated literals. With repeated literals in place of b and
    t - b + 1 this is how a solver of plain cardinality constraints takes reified ones.
    """
    must, reified = _select(sums, sums.outputs == 0), _select(sums, sums.outputs != 0)
    lacking = row_sums(reified.coefs, reified.offsets) - reified.bounds + 1
    negated = SumArrays(-reified.lits, reified.coefs, reified.offsets, lacking, -reified.outputs)
    return join_sums(must, _implied(reified), _implied(negated))


def join_clauses(*parts: ClauseArrays) -> ClauseArrays:
    """All clauses of several arrays in one."""
    parts = [part for part in parts if len(part)] or parts[:1]
    if len(parts) == 1:
        return parts[0]
    return ClauseArrays(_flat(parts, "lits"), _join_offsets(parts))


def join_sums(*parts: SumArrays) -> SumArrays:
    """All sums of several arrays in one."""
    lits, coefs = _flat(parts, "lits"), _flat(parts, "coefs")
    return SumArrays(
        lits, coefs, _join_offsets(parts), _flat(parts, "bounds"), _flat(parts, "outputs")
    )


def _is_normal(sums: SumArrays, rows: np.ndarray) -> bool:
    """Whether sums have the normal form already, as far as this is seen without sorting."""
    variables = np.abs(sums.lits)
    ascending = (variables[1:] > variables[:-1]) | (rows[1:] > rows[:-1])
    return bool(
        ascending.all()
        and (sums.coefs > 0).all()
        and (sums.coefs <= np.maximum(sums.bounds, 1)[rows]).all()
        and (_row_minima(sums.coefs, sums.offsets) == 1).all()
    )


def _merge(rows: np.ndarray, variables: np.ndarray, coefs: np.ndarray):
    """Add up the coefficients of each variable in each row; drop those that cancel out."""
    key = rows * (int(variables.max(initial=0)) + 1) + variables
    order = np.argsort(key, kind="stable")
    key, rows, variables, coefs = key[order], rows[order], variables[order], coefs[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    if len(first) < len(key):
        coefs = np.add.reduceat(coefs, first)
        rows, variables = rows[first], variables[first]
    kept = coefs != 0
    return rows[kept], variables[kept], coefs[kept]


def _row_gcds(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    return _reduce_rows(np.gcd, values, offsets)


def _row_minima(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    return _reduce_rows(np.minimum, values, offsets)


def _reduce_rows(reduction: np.ufunc, values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The reduction of each row; 1 for empty rows, which reduceat does not know."""
    result = np.ones(len(offsets) - 1, dtype=np.int64)
    filled = offsets[1:] > offsets[:-1]
    if filled.any():
        result[filled] = reduction.reduceat(values, offsets[:-1][filled])
    return result


def _select(sums: SumArrays, chosen: np.ndarray) -> SumArrays:
    n_chosen = np.count_nonzero(chosen)
    if n_chosen in (0, len(sums)):
        return sums.rows(0, n_chosen)
    lengths = sums.lengths
    terms = np.repeat(chosen, lengths)
    offsets = offsets_of(lengths[chosen])
    bounds, outputs = sums.bounds[chosen], sums.outputs[chosen]
    return SumArrays(sums.lits[terms], sums.coefs[terms], offsets, bounds, outputs)


def _negate(sums: SumArrays, chosen: np.ndarray) -> SumArrays:
    """The literals and the output of some sums negated: ANDs become ORs."""
    signs = np.where(chosen, np.int32(-1), np.int32(1))
    lits = sums.lits * np.repeat(signs, sums.lengths)
    return SumArrays(lits, sums.coefs, sums.offsets, sums.bounds, sums.outputs * signs)


def _implied(sums: SumArrays) -> SumArrays:
    """The sums that must hold for output -> sum >= bound."""
    starts = sums.offsets[:-1]
    lits = np.insert(sums.lits, starts, -sums.outputs)
    coefs = np.insert(sums.coefs.astype(np.int64), starts, sums.bounds)
    offsets = sums.offsets + np.arange(len(sums.offsets))
    return SumArrays(lits, coefs, offsets, sums.bounds, np.zeros_like(sums.outputs))


def _units(lits: np.ndarray) -> ClauseArrays:
    return ClauseArrays(lits, np.arange(len(lits) + 1))


def _empty_clauses(n: int) -> ClauseArrays:
    return ClauseArrays(np.zeros(0, dtype=np.int32), np.zeros(n + 1, dtype=np.int64))


def _clauses_of(sums: SumArrays) -> ClauseArrays:
    return ClauseArrays(sums.lits, sums.offsets)


def _equivalences(sums: SumArrays) -> ClauseArrays:
    """The clauses of output <-> OR of the literals."""
    if not len(sums):
        return _empty_clauses(0)
    long = ClauseArrays(
        np.insert(sums.lits, sums.offsets[:-1], -sums.outputs),
        sums.offsets + np.arange(len(sums.offsets)),
    )
    outputs = np.repeat(sums.outputs, sums.lengths)
    short = np.column_stack([outputs, -sums.lits]).ravel()
    return join_clauses(long, ClauseArrays(short, np.arange(len(sums.lits) + 1) * 2))


def _flat(parts: tuple, field: str) -> np.ndarray:
    return np.concatenate([getattr(part, field) for part in parts])


def _join_offsets(parts: tuple) -> np.ndarray:
    return offsets_of(np.concatenate([part.lengths for part in parts]))
