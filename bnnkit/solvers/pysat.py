"""Solvers of PySAT: three that take cardinality sums, and those that take clauses only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from bnnkit.formula import ClauseArrays, Formula, SumArrays
from bnnkit.solvers import encodings
from bnnkit.solvers._process import ProcessSolver
from bnnkit.solvers.base import Solver

# the engines of clauses by the names that get() and PySAT have for them
ENGINES = {
    "cadical": "cadical195",
    "cadical103": "cadical103",
    "cadical153": "cadical153",
    "cadical195": "cadical195",
    "cadical300": "cadical300",
    "glucose3": "glucose3",
    "glucose4": "glucose4",
    "glucose42": "glucose42",
    "kissat": "kissat404",
    "lingeling": "lingeling",
    "maplechrono": "maplechrono",
    "maplecm": "maplecm",
    "maplesat": "maplesat",
    "mergesat3": "mergesat3",
    "minisat22": "minisat22",
    "minisat-gh": "minisat-gh",
}

# of these, the ones that cannot go on after a call; kissat does not take assumptions, either
SINGLE_USE = ("kissat404", "lingeling")


class Minicard(Solver):
    """Minicard, a MiniSat with cardinality constraints as first-class citizens.

    Reified sums are taken by repeated literals: y -> sum >= b is sum + b [not y] >= b.

    Parameters
    ----------
    formula : Formula, optional

    References
    ----------
    Liffiton, Maglalang: A cardinality solver: more expressive constraints for free. SAT 2012.
    """

    name = "minicard"
    description = "PySAT Minicard: cardinality sums natively, reified ones by repeated literals"
    abilities = frozenset({"cardinality"})
    resumes = True
    requires = ("pysat.solvers",)

    def _start(self) -> None:
        from pysat.solvers import Minicard as Engine

        self._engine = Engine()

    def _add(self, n_vars: int, clauses: ClauseArrays, sums: SumArrays) -> None:
        _add(self._engine, clauses, sums)

    def _search(self, assumptions: list[int]) -> tuple[str, Sequence[int] | None]:
        self._engine.clear_interrupt()  # of an earlier call; one for this call is repeated
        answer = self._engine.solve_limited(assumptions, expect_interrupt=True)
        if answer is None:
            return "unknown", None
        if answer:
            return "sat", self._engine.get_model()
        return "unsat", self._engine.get_core() or ()

    def _halt(self) -> None:
        self._engine.interrupt()

    def _stop(self) -> None:
        self._engine.delete()


class Gluecard4(ProcessSolver):
    """Glucose 4 with the cardinality constraints of Minicard, for sums as `Minicard` takes them.

    It hears an interrupt only when it restarts, so it runs in a child process; see `ClauseSolver`.

    Parameters
    ----------
    formula : Formula, optional
    """

    name = "gluecard4"
    description = "PySAT Gluecard 4: sums as Minicard takes them, in a search like Glucose's"
    abilities = frozenset({"cardinality"})
    requires = ("pysat.solvers",)

    def __init__(self, formula: Formula | None = None):
        super().__init__(formula, SumEngine, self.name)


class Gluecard3(Gluecard4):
    """The same with Glucose 3."""

    name = "gluecard3"
    description = Gluecard4.description.replace("4", "3")


class SumEngine:
    """What a `Gluecard4` has in its child process."""

    def __init__(self, engine: str):
        from pysat.solvers import Solver as Engine

        self._engine = Engine(engine)

    def add(self, n_vars: int, clauses: ClauseArrays, sums: SumArrays) -> None:
        """See `Solver._add`."""
        _add(self._engine, clauses, sums)

    def search(self, assumptions: list[int], seconds: float) -> tuple[str, Sequence[int]]:
        """See `Solver._search`; these engines do not mind the time."""
        if self._engine.solve(assumptions):
            return "sat", self._engine.get_model()
        return "unsat", self._engine.get_core() or ()


def _add(engine, clauses: ClauseArrays, sums: SumArrays) -> None:
    """Give clauses and sums that must hold to an engine of PySAT that knows "at most"."""
    for clause in clauses.lists():
        engine.add_clause(clause)
    for lits, _, bound, _ in sums.lists():
        engine.add_atmost([-lit for lit in lits], len(lits) - bound)


class ClauseSolver(ProcessSolver):
    """A solver of PySAT that takes clauses only, with a cardinality encoding for the sums.

    Most of these engines cannot be interrupted, so each runs in a child process, which a timeout
    kills: what it has learnt is lost, and the next call has to encode everything again.

    Parameters
    ----------
    formula : Formula, optional
    encoding : str, default "mtotalizer"
        One of "seqcounter", "sortnetwrk", "cardnetwrk", "totalizer", "mtotalizer", "kmtotalizer";
        `bnnkit.solvers.encodings` compares them.
    """

    requires = ("pysat.solvers",)
    abilities = frozenset()
    takes_encoding = True
    engine: ClassVar[str]

    def __init__(self, formula: Formula | None = None, *, encoding: str = encodings.DEFAULT):
        self.encoding = encodings.check_encoding(encoding)
        engine = SingleUseEngine if self.engine in SINGLE_USE else ClauseEngine
        super().__init__(formula, engine, self.engine, self.encoding)


class ClauseEngine:
    """What a `ClauseSolver` has in its child process: an engine and the encoder of the sums."""

    def __init__(self, engine: str, encoding: str):
        from pysat.solvers import Solver as Engine

        self._engine = Engine(engine)
        self._engine.add_clause([1])  # maplesat crashes without clauses; 1 is nothing else
        self._encoder = encodings.ClauseEncoder(encoding)

    def add(self, n_vars: int, clauses: ClauseArrays, sums: SumArrays) -> None:
        """See `Solver._add`."""
        for clause in self._encoder.add(n_vars, clauses, sums):
            self._engine.add_clause(clause)

    def search(self, assumptions: list[int], seconds: float) -> tuple[str, np.ndarray]:
        """See `Solver._search`; these engines do not mind the time."""
        if self._engine.solve(self._encoder.to_solver(np.array(assumptions, dtype=int)).tolist()):
            return "sat", self._encoder.from_solver(self._engine.get_model())
        return "unsat", self._encoder.from_solver(self._engine.get_core() or [])


class SingleUseEngine:
    """The same for engines that answer once: a new one each time, with assumptions as clauses."""

    def __init__(self, engine: str, encoding: str):
        self._name = engine
        self._clauses = [[1]]
        self._encoder = encodings.ClauseEncoder(encoding)

    def add(self, n_vars: int, clauses: ClauseArrays, sums: SumArrays) -> None:
        """See `Solver._add`."""
        self._clauses += self._encoder.add(n_vars, clauses, sums)

    def search(self, assumptions: list[int], seconds: float) -> tuple[str, Sequence[int]]:
        """See `Solver._search`; these engines do not mind the time."""
        from pysat.solvers import Solver as Engine

        assumed = self._encoder.to_solver(np.array([assumptions], dtype=int)).T.tolist()
        with Engine(self._name, bootstrap_with=self._clauses + assumed) as engine:
            if engine.solve():
                return "sat", self._encoder.from_solver(engine.get_model())
        return "unsat", assumptions


def _clause_solver(name: str, engine: str) -> type[ClauseSolver]:
    description = f"PySAT {engine}: clauses only, sums by a cardinality encoding"
    names = {"name": name, "engine": engine, "description": description, "__module__": __name__}
    return type(name, (ClauseSolver,), names)


CLAUSE_SOLVERS = {name: _clause_solver(name, engine) for name, engine in ENGINES.items()}
