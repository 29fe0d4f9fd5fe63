"""From bits of the first layer back to pixels, or a proof that there are none.

A linear program looks for pixels that keep every wanted sign as far from its threshold as can be.
If it finds none, its dual weights say which signs exclude each other. Both are floats, and both
are only proposals: pixels are replayed by the exact network, weights are rounded to integers and
their sum is evaluated in integers (`SignRows.exclude`).
"""

from typing import NamedTuple

import numpy as np

_PLACES = 16  # binary places of rounded dual weights
_MOST_CLAUSES = 50  # for one choice of bits
_LONGEST = 1e6  # seconds of a program


class Outcome(NamedTuple):
    """What became of a choice of bits; both are empty if floats could not tell.

    Attributes
    ----------
    pixels : ndarray of float64 or None, shape (inputs,)
        Near the box, in (row, column, channel) order, and perhaps with the bits.
    clauses : list of list of (row, sign)
        Signs that exclude each other, proved in integers.
    """

    pixels: np.ndarray | None
    clauses: list


class Coupling:
    """The linear program of a first layer over a box.

    Parameters
    ----------
    rows : SignRows
    """

    def __init__(self, rows):
        from ortools.linear_solver import pywraplp

        self._rows = rows
        self._solver = solver = pywraplp.Solver.CreateSolver("GLOP")
        unit = rows.unit
        self._pixels = {}
        for i in np.flatnonzero(rows.weights.any(axis=0)).tolist():
            low, high = rows.centre[i] - rows.radius[i], rows.centre[i] + rows.radius[i]
            self._pixels[i] = solver.NumVar(low / unit, high / unit, "")
        self._slack = solver.NumVar(-solver.infinity(), solver.infinity(), "")
        self._constraints = []
        for weights in rows.weights:
            constraint = solver.RowConstraint(-solver.infinity(), solver.infinity(), "")
            for i in np.flatnonzero(weights).tolist():
                constraint.SetCoefficient(self._pixels[i], float(weights[i]))
            self._constraints.append(constraint)
        solver.Maximize(self._slack)

    def realise(self, signs, seconds):
        """Look for pixels with these signs.

        Parameters
        ----------
        signs : ndarray of int, shape (rows,)
            1 and -1; 0 where either will do.
        seconds : float

        Returns
        -------
        Outcome
        """
        clauses = []
        self._demand(signs)
        while len(clauses) < _MOST_CLAUSES:
            self._solver.SetTimeLimit(int(1000 * min(max(seconds, 1e-3), _LONGEST)))
            if self._solver.Solve() != self._solver.OPTIMAL:
                break
            if not clauses and self._slack.solution_value() > 0:
                return Outcome(self._values(), [])
            clause = self._clause(signs)
            if clause is None and not clauses:  # on the very edge, perhaps
                return Outcome(self._values(), [])
            if clause is None:
                break
            clauses.append(clause)
            for row, _ in clause:  # without these, others may exclude each other
                self._free(row)
        return Outcome(None, clauses)

    def _demand(self, signs):
        infinity, rows = self._solver.infinity(), self._rows
        for row, (constraint, sign) in enumerate(
            zip(self._constraints, signs.tolist(), strict=True)
        ):
            if sign == 0:
                self._free(row)
                continue
            limit = -sign * float(rows.offset[sign][row] / rows.unit)
            constraint.SetCoefficient(self._slack, float(-sign))
            constraint.SetBounds(*((limit, infinity) if sign > 0 else (-infinity, limit)))

    def _free(self, row):
        self._constraints[row].SetBounds(-self._solver.infinity(), self._solver.infinity())

    def _values(self):
        values = (self._rows.centre / self._rows.unit).astype(np.float64)
        for i, variable in self._pixels.items():
            values[i] = variable.solution_value()
        return values

    def _clause(self, signs):
        """Signs with weight in the dual, if integers agree that they exclude each other."""
        weights = np.abs([constraint.dual_value() for constraint in self._constraints])
        if not weights.any():
            return None
        weights = np.rint(weights / weights.max() * 2**_PLACES).astype(np.int64)
        rows = np.flatnonzero((weights > 0) & (signs != 0)).tolist()
        chosen = [int(signs[row]) for row in rows]
        if not self._rows.exclude(rows, chosen, weights[rows].tolist()):
            return None
        return list(zip(rows, chosen, strict=True))
