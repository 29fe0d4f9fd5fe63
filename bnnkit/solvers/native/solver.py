"""The native solver as a backend."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence

import numpy as np

from bnnkit.formula import ClauseArrays, Formula, SumArrays
from bnnkit.solvers.base import Solver
from bnnkit.solvers.outcome import Outcome
from bnnkit.solvers.proof import Proof

GREATEST_PRIORITY = 1e9  # activities with it are still far from overflowing
BRIEF = 50  # conflicts that a small formula is searched for before that is left to a thread


class Native(Solver):
    """bnnkit's own solver: clause learning with reified sums as first-class constraints.

    A sum is propagated by two counters, in both directions and without auxiliary variables; the
    reason for what follows from it is found only when a conflict asks for it. What is learnt is
    kept from call to call. The first solver of an installation compiles for some 10 seconds,
    later ones load the machine code from a cache in half a second.

    Parameters
    ----------
    formula : Formula, optional
    seed : int, default 0
        Of small random differences between the variables at the beginning, 0 for none; if the
        search is `diverse`, of its random values instead.
        Searches with the same seed and formula take the same course.
    priorities : sequence of float, optional
        For the variables from 1 on, at least 0: factor of what a conflict adds to a variable's
        activity, the most active one being decided first; 1 where left out. Such as 1e-9 puts
        a variable behind those with 1.
    phases : sequence of bool, optional
        For the variables from 1 on: the value that is tried first; False where left out.
        Afterwards it is the value that the variable had last.
    diverse : bool, default False
        Decide on random values, restart by Luby's sequence and keep few clauses, instead of
        keeping values and more clauses, and restarting when recent clauses are worse than usual.
        That finds models of some formulas much sooner, above all in several runs with different
        seeds, but takes longer to prove that there is none.
    conflict_limit : int, optional
        Conflicts after which a call of `solve` gives up.
    memory_limit : int, optional
        Bytes that the search may take; when they are not enough, it gives up.
    log : bool, default False
        Keep what is learnt, so that `proof` can tell why there is no model.

    References
    ----------
    Eén, Sörensson: An extensible SAT-solver. SAT 2003.
    Jia, Rinard: Efficient exact verification of binarized neural networks. NeurIPS 2020.

    Examples
    --------
    >>> from bnnkit.formula import Formula
    >>> from bnnkit.solvers.native import Native
    >>> formula = Formula(4)
    >>> formula.add_sum([1, 2, 3], 2, output=4)
    >>> with Native(formula) as solver:
    ...     solver.solve([-1, 4]).model.tolist()
    [False, True, True, True]
    """

    name = "native"
    description = "bnnkit's own clause learning: reified sums with coefficients natively"
    abilities = frozenset({"cardinality", "reified", "coefficients"})
    requires = ("numba",)
    resumes = True
    hints = frozenset({"priorities", "diverse", "seed"})
    brief = proves = True

    def __init__(
        self,
        formula: Formula | None = None,
        *,
        seed: int = 0,
        priorities: Sequence[float] = (),
        phases: Sequence[bool] = (),
        diverse: bool = False,
        conflict_limit: int | None = None,
        memory_limit: int | None = None,
        log: bool = False,
    ):
        super().__init__(formula)
        self._options = {
            "seed": _check_seed(seed),
            "priorities": _check_priorities(priorities),
            "phases": np.array(phases, dtype=bool),
            "diverse": bool(diverse),
            "memory_limit": _check_limit("memory_limit", memory_limit),
        }
        self.conflict_limit = conflict_limit
        self._keeps_log, self._log = bool(log), None
        warm_up()

    @property
    def conflict_limit(self) -> int | None:
        """Conflicts after which a call of `solve` gives up; may be changed between calls."""
        return self._conflict_limit

    @conflict_limit.setter
    def conflict_limit(self, limit: int | None) -> None:
        self._conflict_limit = _check_limit("conflict_limit", limit)

    @property
    def statistics(self) -> dict[str, int]:
        """Conflicts, decisions, propagations, restarts, clauses learnt and deleted so far.

        Empty before the first call of `solve`.
        """
        return self._engine.statistics() if self._started else {}

    def proof(self, outcome: Outcome) -> Proof:
        """The proof of an "unsat" outcome of this solver: that its core cannot hold.

        Raises
        ------
        ValueError
            If the outcome is another one, or the solver was made without ``log=True``.
        """
        if not self._keeps_log or outcome.status != "unsat":
            raise ValueError(
                f"there is a proof of 'unsat' only, got {outcome.status!r}, "
                f"and with log=True only, got log={self._keeps_log}"
            )
        claim = [-lit for lit in outcome.core]
        return self._log.proof(claim) if self._log else Proof(claim=tuple(claim))

    def _start(self) -> None:
        from bnnkit.solvers.native.engine import Engine
        from bnnkit.solvers.native.log import StepLog

        self._log = StepLog() if self._keeps_log else None
        self._engine = Engine(**self._options, log=self._log)

    def _add(self, n_vars: int, clauses: ClauseArrays, sums: SumArrays) -> None:
        self._engine.add(n_vars, clauses, sums)

    def _search(self, assumptions: list[int]) -> tuple[str, Sequence[int] | None]:
        return self._engine.run(assumptions, self._conflict_limit)

    def _search_briefly(self, assumptions: list[int]) -> tuple[str, Sequence[int] | None] | None:
        if self._conflict_limit is not None:  # all of it here or all of it in a thread
            return self._search(assumptions) if self._conflict_limit <= BRIEF else None
        status, literals = self._engine.run(assumptions, BRIEF)
        return None if status == "unknown" else (status, literals)

    def _halt(self) -> None:
        self._engine.stop()

    def _stop(self) -> None:
        del self._engine


@functools.cache
def warm_up() -> None:
    """Compile the solver or load it from the cache, which no timeout should have to cover."""
    from bnnkit.solvers.native.engine import Engine
    from bnnkit.solvers.native.log import StepLog

    formula = Formula(3)
    formula.add_clauses([1, 2, -1, 3], [2, 2])
    formula.add_sum([1, 2, -3], 2, output=3)
    engine = Engine(0, np.zeros(0), np.zeros(0, dtype=bool), False, None, StepLog())
    engine.add(formula.n_vars, formula.clauses, formula.sums)
    engine.run([], None)
    engine._reduce()


def _check_seed(seed: int) -> int:
    if operator.index(seed) < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")
    return operator.index(seed)


def _check_priorities(priorities: Sequence[float]) -> np.ndarray:
    values = np.array(priorities, dtype=np.float64)
    if not ((values >= 0) & (values <= GREATEST_PRIORITY)).all():
        raise ValueError(f"priorities must be in [0, {GREATEST_PRIORITY:g}], got {priorities!r}")
    return values


def _check_limit(name: str, limit: int | None) -> int | None:
    if limit is not None and operator.index(limit) < 1:
        raise ValueError(f"{name} must be at least 1 or None, got {limit}")
    return limit
