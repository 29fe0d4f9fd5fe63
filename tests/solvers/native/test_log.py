"""The log of the native solver: steps in the order of time, deletions of what was there."""

import numpy as np
import pytest
from checker.plain import equations, rows_of, verifies
from families_counting import pigeon_hole
from solvers.formulas import add_random_constraint, random_literals, satisfiable

from bnnkit.formula import Formula
from bnnkit.solvers.native import Native, engine
from bnnkit.solvers.native.log import StepLog


@pytest.fixture
def eager(monkeypatch):
    for name in ("REDUCE_FIRST", "REDUCE_STEP", "DIVERSE_FIRST", "DIVERSE_STEP"):
        monkeypatch.setattr(engine, name, 2)
    monkeypatch.setattr(engine, "SIMPLIFY_STEP", 1)


def test_formulas_that_grow(eager):
    """Steps from earlier calls, also under assumptions, count for later ones."""
    rng = np.random.default_rng(0)
    proofs = 0
    for _ in range(60):
        formula = equations(rng, 6)
        with Native(formula, log=True, diverse=bool(rng.integers(2))) as solver:
            for _ in range(4):
                assumptions = random_literals(rng, 6, rng.integers(3)).tolist()
                outcome = solver.solve(assumptions)
                if outcome.status == "unsat":
                    proof = solver.proof(outcome)
                    assert set(proof.claim) == {-lit for lit in outcome.core}
                    assert verifies(formula.to_text(), rows_of(proof))
                    proofs += proof.n_steps > 0
                state = rng.bit_generator.state
                add_random_constraint(formula, rng)
                rng.bit_generator.state = state
                add_random_constraint(solver, rng)
    assert proofs > 30


def test_deletions_name_steps_that_are_there(eager):
    with Native(pigeon_hole(6), log=True) as solver:
        rows = rows_of(solver.proof(solver.solve()))
        statistics = solver.statistics
    alive, steps = set(), 0
    for kind, numbers in rows[:-1]:
        if kind == "d":
            assert set(numbers) <= alive
            alive -= set(numbers)
        else:
            steps += 1
            alive.add(steps)
    assert steps >= statistics["learnt"]
    assert statistics["deleted"] <= steps - len(alive)
    assert statistics["deleted"] > 100


def test_the_search_is_the_same_with_a_log():
    counts = []
    for log in (False, True):
        with Native(pigeon_hole(7), log=log) as solver:
            solver.solve()
            counts.append(solver.statistics)
    assert counts[0] == counts[1]


def test_memory_of_the_log_counts():
    """With it, a limit is passed that the search alone keeps to."""
    limit = {"memory_limit": 3_000_000, "conflict_limit": 20_000}
    for log, reason in ((False, "gave up"), (True, "bytes")):
        with Native(pigeon_hole(9), log=log, **limit) as solver:
            assert reason in solver.solve().reason


def test_no_log_no_proof():
    formula = Formula(1)
    with Native(formula, log=True) as solver:
        with pytest.raises(ValueError, match="got 'sat'"):
            solver.proof(solver.solve())
        proof = solver.proof(solver.solve([1, -1]))
    assert sorted(proof.claim) == [-1, 1]
    formula.add_clause([])
    with Native(formula) as solver, pytest.raises(ValueError, match="log=False"):
        solver.proof(solver.solve())


def test_an_empty_clause_needs_no_engine():
    formula = Formula(1)
    formula.add_clause([])
    with Native(formula, log=True) as solver:
        proof = solver.proof(solver.solve())
    assert proof.claim == ()
    assert verifies(formula.to_text(), rows_of(proof))
    assert not satisfiable(formula)


def test_a_new_log_is_empty():
    assert StepLog().proof([1]).n_steps == 0
    assert StepLog().nbytes == 0
