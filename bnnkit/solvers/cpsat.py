"""OR-Tools CP-SAT: clause learning with integer reasoning and linear relaxations."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

from bnnkit.formula import ClauseArrays, Formula, SumArrays
from bnnkit.formula._arrays import row_sums
from bnnkit.solvers._process import ProcessSolver

UNBOUNDED = 2**40  # beyond every sum of a formula


class CpSat(ProcessSolver):
    """CP-SAT, with reified sums as linear constraints that the output literal enforces.

    Every call presolves and searches from the beginning: what it learns is not kept. The engine
    runs in a child process, as it does not always end at its time limit.

    Parameters
    ----------
    formula : Formula, optional
    workers : int, default 1
        Number of threads; with more than one the answer can take different ways each time.
    seed : int, default 0
        For the random decisions of the search.

    References
    ----------
    Perron, Didier, Gay: The CP-SAT-LP solver. CP 2023.
    """

    name = "cp-sat"
    description = "OR-Tools CP-SAT: reified sums with coefficients natively, linear relaxations"
    abilities = frozenset({"cardinality", "reified", "coefficients"})
    requires = ("ortools.sat.python.cp_model",)

    def __init__(self, formula: Formula | None = None, *, workers: int = 1, seed: int = 0):
        if operator.index(workers) < 1:
            raise ValueError(f"workers must be at least 1, got {workers}")
        super().__init__(formula, CpSatEngine, workers, operator.index(seed))


class CpSatEngine:
    """What a `CpSat` has in its child process."""

    def __init__(self, workers: int, seed: int):
        from ortools.sat.python import cp_model

        self._model = cp_model.CpModel()
        self._solver = cp_model.CpSolver()
        self._solver.parameters.num_workers = workers
        self._solver.parameters.random_seed = seed
        self._answers = {
            cp_model.OPTIMAL: "sat",
            cp_model.FEASIBLE: "sat",
            cp_model.INFEASIBLE: "unsat",
            cp_model.UNKNOWN: "unknown",
        }

    def add(self, n_vars: int, clauses: ClauseArrays, sums: SumArrays) -> None:
        """See `Solver._add`."""
        proto = self._model.proto
        for _ in range(n_vars - len(proto.variables)):
            proto.variables.add().domain.extend([0, 1])
        for clause in _references(clauses).lists():
            proto.constraints.add().bool_or.literals.extend(clause)
        for variables, coefs, bound, output in over_variables(sums).lists():
            reached, missed = [bound, UNBOUNDED], [-UNBOUNDED, bound - 1]
            self._add_linear(variables, coefs, reached, output)
            if output:
                self._add_linear(variables, coefs, missed, -output)

    def search(self, assumptions: list[int], seconds: float) -> tuple[str, Sequence[int] | None]:
        """See `Solver._search`; ends soon after some seconds by itself, but not always."""
        literals = {_reference(lit): lit for lit in assumptions}
        self._model.proto.assumptions.clear()
        self._model.proto.assumptions.extend(list(literals))
        self._solver.parameters.max_time_in_seconds = max(seconds, 0)
        status = self._answers[self._solver.solve(self._model)]
        if status == "sat":
            return status, np.flatnonzero(self._solver.response_proto.solution) + 1
        if status == "unsat":
            core = self._solver.sufficient_assumptions_for_infeasibility()
            # An assumption that the others refute may come back negated and alone, which is no
            # core; all of them are one.
            known = all(reference in literals for reference in core)
            return status, [literals[reference] for reference in core] if known else assumptions
        return status, None

    def _add_linear(self, variables: list[int], coefs: list[int], domain: list[int], when: int):
        constraint = self._model.proto.constraints.add()
        if when:
            constraint.enforcement_literal.append(_reference(when))
        constraint.linear.vars.extend(variables)
        constraint.linear.coeffs.extend(coefs)
        constraint.linear.domain.extend(domain)


def _reference(lit: int) -> int:
    """CP-SAT's name of a literal: variables count from 0, and not i is -i - 1."""
    return lit - 1 if lit > 0 else lit


def _references(clauses: ClauseArrays) -> ClauseArrays:
    lits = clauses.lits
    return ClauseArrays(np.where(lits > 0, lits - 1, lits), clauses.offsets)


def over_variables(sums: SumArrays) -> SumArrays:
    """The sums over variables instead of literals, which count from 0: c [not v] = c - c [v]."""
    negative = sums.lits < 0
    bounds = sums.bounds - row_sums(np.where(negative, sums.coefs, 0), sums.offsets)
    coefs = np.where(negative, -sums.coefs, sums.coefs)
    return SumArrays(np.abs(sums.lits) - 1, coefs, sums.offsets, bounds, sums.outputs)
