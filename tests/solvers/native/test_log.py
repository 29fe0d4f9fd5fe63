"""The log of the native solver: steps in the order of time, deletions of what was there."""

import numpy as np
import pytest
from checker.plain import equations, rows_of, verifies
from families_counting import pigeon_hole
from solvers.formulas import add_random_constraint, random_literals, satisfiable

from bnnkit.formula import Formula
from bnnkit.solvers.native import Native, engine
from bnnkit.solvers.native.engine import MemoryLimit
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


def test_deleted_clauses_are_not_needed_any_more(eager):
    """Not even for what holds for ever: checkers of other formats forget that."""
    for seed in range(8):
        formula = pigeon_hole(4 + seed % 2)
        with Native(formula, log=True, seed=seed) as solver:
            rows = rows_of(solver.proof(solver.solve()))
        assert verifies(formula.to_text(), rows, forgetful=True)
        assert sum(kind == "d" for kind, _ in rows) > 3


def test_the_search_is_the_same_with_a_log():
    counts = []
    for log in (False, True):
        with Native(pigeon_hole(7), log=log) as solver:
            solver.solve()
            counts.append(solver.statistics)
    assert counts[0] == counts[1]


def test_memory_of_the_log_counts():
    """With it, a limit is passed that the search alone keeps to."""
    sizes = []
    for log in (False, True):
        with Native(pigeon_hole(8), log=log, conflict_limit=3000) as solver:
            solver.solve()
            one = solver._engine
            sizes.append(sum(array.nbytes for array in one.state))
    assert sizes[0] == sizes[1]
    one._memory_limit = sizes[1] + 10_000
    with pytest.raises(MemoryLimit):
        one._check_memory(0)
    one._log = None
    one._check_memory(0)


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
