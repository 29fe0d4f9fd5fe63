"""A template for a new backend: copy this file, and replace what this solver does.

What a backend has to do is below, in about 80 lines, for a solver that really works: it tries
assignments one variable after another. Checking arguments, timing, threads, loading what is new,
translating what the engine does not take, and checking the answers are the base class's work.

1. Fill in the class attributes and the five hooks; import the engine inside of them, and name its
   module in `requires`, so that nobody loads it who does not use it.
2. Make its name known: in a package of your own by an entry point in its
   pyproject.toml, and then ``pip install -e .``, after which commands and tests have it as well::

       [project.entry-points."bnnkit.solvers"]
       backtracking = "my_package.backtracking:Backtracking"

   In a script ``bnnkit.solvers.register("backtracking", Backtracking)`` does, for its process.
3. Run the conformance suite of bnnkit's repository: ``pytest tests/solvers --solver backtracking``.
   For a file inside of it, tests/solvers/conftest.py has the line that registers the template.

An engine that neither looks at a flag while it searches nor releases the interpreter's lock cannot
be stopped from another thread: see cpsat.py, which has its engine in a child process.
"""

from __future__ import annotations

from collections.abc import Sequence

from bnnkit.formula import ClauseArrays, SumArrays
from bnnkit.solvers.base import Solver


class Backtracking(Solver):
    """Depth-first search for an assignment, with a bound on every constraint.

    For a handful of variables.

    Parameters
    ----------
    formula : Formula, optional
    """

    name = "backtracking"
    description = "depth-first search in Python, a template for new backends"
    # Sums that must hold, sums with an output literal, coefficients other than 1: all natively.
    # Leave out what the engine does not take, and it is rewritten before it comes to `_add`.
    abilities = frozenset({"cardinality", "reified", "coefficients"})
    requires = ()
    # Whether the engine keeps what it knows when a search is halted, so that asking again with
    # more time is not asking from the beginning. This one does not.
    resumes = False

    def _start(self) -> None:
        self._n_vars = 0
        self._constraints = []  # (literals, coefficients, bound, output), the output 0 for clauses

    def _add(self, n_vars: int, clauses: ClauseArrays, sums: SumArrays) -> None:
        self._n_vars = n_vars
        self._constraints += [(lits, [1] * len(lits), 1, 0) for lits in clauses.lists()]
        self._constraints += sums.lists()

    def _search(self, assumptions: list[int]) -> tuple[str, Sequence[int] | None]:
        self._halted = False  # a request that came too early is repeated
        true = set(assumptions)
        if self._extend(true):
            return "sat", list(true)
        # some of the assumptions contradict the formula, if only all of them together
        return ("unknown", None) if self._halted else ("unsat", assumptions)

    def _halt(self) -> None:
        self._halted = True

    def _stop(self) -> None:
        del self._constraints

    def _extend(self, true: set[int]) -> bool:
        """Extend a set of true literals to all variables if that is possible."""
        possible = (not self._halted and _possible(*terms, true) for terms in self._constraints)
        if not all(possible):
            return False
        free = (v for v in range(1, self._n_vars + 1) if v not in true and -v not in true)
        variable = next(free, None)
        if variable is None:
            return True
        for lit in (variable, -variable):
            true.add(lit)
            if self._extend(true):
                return True
            true.remove(lit)
        return False


def _possible(lits: list[int], coefs: list[int], bound: int, output: int, true: set[int]) -> bool:
    """Whether a constraint can still hold; the coefficients are positive."""
    least = sum(coef for lit, coef in zip(lits, coefs, strict=True) if lit in true)
    most = sum(coef for lit, coef in zip(lits, coefs, strict=True) if -lit not in true)
    if output == 0 or output in true:
        return most >= bound
    return -output not in true or least < bound
