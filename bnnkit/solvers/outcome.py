"""What a solver answers, and what it must not answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np


class WrongAnswer(RuntimeError):
    """An answer that failed its check: a defect in the solver or in bnnkit, not of the question.

    What else the same solver has proved is in doubt, so this is never an ordinary error.

    Examples
    --------
    A solver that takes all variables for true:

    >>> from bnnkit.formula import Formula
    >>> from bnnkit.solvers.TEMPLATE import Backtracking
    >>> class Optimist(Backtracking):
    ...     def _search(self, assumptions):
    ...         return "sat", [variable + 1 for variable in range(self._n_vars)]
    >>> formula = Formula(1)
    >>> formula.add_clause([-1])
    >>> Optimist(formula).solve()  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    bnnkit.solvers.WrongAnswer: the solver backtracking gave a model that violates the formula ...
    """


@dataclass(frozen=True)
class Outcome:
    """The answer to one `Solver.solve`.

    Attributes
    ----------
    status : {"sat", "unsat", "unknown"}
    model : ndarray of bool, shape (n_vars,), or None
        For "sat": the value of variable v at index v - 1. It has been checked against the formula.
    core : tuple of int, or None
        For "unsat": assumptions which contradict the formula, empty if it is unsatisfiable itself.
        Not necessarily few.
    reason : str
        For "unknown": "timeout", "interrupted", or what went wrong.
    seconds : float
        Wall time of the call, `loading` included.
    loading : float
        Seconds for translating and loading what was new in the formula.

    Examples
    --------
    >>> from bnnkit import solvers
    >>> from bnnkit.formula import Formula
    >>> formula = Formula(3)
    >>> formula.add_sum([1, 2, 3], 2)
    >>> with solvers.get("native")(formula) as solver:
    ...     some, none = solver.solve([-1]), solver.solve([-1, -2])
    >>> some.status, some.model.tolist()
    ('sat', [False, True, True])
    >>> none.status, sorted(none.core)
    ('unsat', [-2, -1])
    """

    status: Literal["sat", "unsat", "unknown"]
    model: np.ndarray | None = None
    core: tuple[int, ...] | None = None
    reason: str = ""
    seconds: float = 0.0
    loading: float = 0.0
