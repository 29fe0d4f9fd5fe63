"""The engine against brute force, and its limits, growth and options."""

import numpy as np
import pytest
from families_counting import pigeon_hole
from solvers.formulas import (
    add_random_constraint,
    hard_formula,
    market_split,
    models,
    random_literals,
)
from solvers.native.engines import check, load, new_engine

from bnnkit.formula import Formula
from bnnkit.solvers.native import engine
from bnnkit.solvers.native.engine import MemoryLimit


def consistent_literals(rng, n_vars):
    return list({abs(lit): lit for lit in random_literals(rng, n_vars, 4).tolist()}.values())


@pytest.mark.parametrize("batch", range(4))
def test_random_formulas(batch):
    rng = np.random.default_rng(100 + batch)
    for _ in range(500):
        formula = Formula(rng.integers(1, 9))
        for _ in range(rng.integers(0, 14)):
            add_random_constraint(formula, rng)
        one = new_engine(seed=int(rng.integers(3)), diverse=bool(rng.integers(2)))
        if not load(one, formula):
            assert not models(formula).any()
            continue
        for assumptions in ([], consistent_literals(rng, formula.n_vars)):
            check(one, formula, assumptions)


def test_formulas_that_grow():
    rng = np.random.default_rng(3)
    for _ in range(150):
        formula, one = Formula(3), new_engine()
        for _ in range(6):
            formula.new_vars(rng.integers(0, 2))
            rows = len(formula.clauses), len(formula.sums)
            for _ in range(rng.integers(0, 3)):
                add_random_constraint(formula, rng)
            if not load(one, formula, *rows):
                break
            check(one, formula, consistent_literals(rng, formula.n_vars))


def random_equations(rng, n_vars, n_equations):
    """Equations with few solutions or none, each as two reified sums: they take conflicts."""
    formula = Formula(n_vars)
    for _ in range(n_equations):
        coefs = rng.integers(1, 4, n_vars)
        lits = np.arange(1, n_vars + 1) * rng.choice([-1, 1], n_vars)
        for sign in (1, -1):
            output = int(random_literals(rng, n_vars, 1)[0]) if rng.random() < 0.2 else None
            formula.add_sum(lits, sign * int(coefs.sum() // 2), sign * coefs, output)
    return formula


@pytest.mark.parametrize("eager", [False, True])
def test_formulas_with_conflicts(eager, monkeypatch):
    """Also with a database that is reduced and simplified all the time."""
    if eager:
        for name in ("REDUCE_FIRST", "REDUCE_STEP", "DIVERSE_FIRST", "DIVERSE_STEP"):
            monkeypatch.setattr(engine, name, 2)
        monkeypatch.setattr(engine, "SIMPLIFY_STEP", 1)
    rng = np.random.default_rng(4)
    conflicts = 0
    for _ in range(150):
        formula = random_equations(rng, 10, 4)
        one = new_engine(seed=int(rng.integers(3)), diverse=bool(rng.integers(2)))
        if load(one, formula):
            check(one, formula, [])
            check(one, formula, consistent_literals(rng, 10)[:1])
            conflicts += one.statistics()["conflicts"]
    assert conflicts > 1000


def test_memory_grows_in_the_middle_of_a_search():
    one = new_engine()
    load(one, hard_formula())
    sizes = len(one.state.arena), len(one.state.pool)
    assert one.run([1], 20_000) == ("unknown", None)
    assert (len(one.state.arena) > sizes[0], len(one.state.pool) > sizes[1]) == (True, True)
    assert one.run([-1], None)[0] == "sat"


def test_memory_limit():
    one = new_engine(memory_limit=2_000_000)
    load(one, hard_formula())
    with pytest.raises(MemoryLimit, match="more than 2000000 bytes"):
        one.run([1], None)


def test_conflict_limit_is_for_each_run():
    one = new_engine()
    load(one, hard_formula())
    for runs in (1, 2):
        assert one.run([1], 50) == ("unknown", None)
        assert one.statistics()["conflicts"] == 50 * runs


def test_many_short_runs_take_little_more_than_a_long_one():
    conflicts = []
    for limit in (None, 20):
        one = new_engine()
        load(one, market_split(20, 6))
        while one.run([1], limit)[0] == "unknown":
            pass
        conflicts.append(one.statistics()["conflicts"])
    assert 200 < conflicts[1] < 3 * conflicts[0]


def test_statistics_of_a_search():
    one = new_engine()
    load(one, hard_formula())
    one.run([1], 10_000)
    numbers = one.statistics()
    assert numbers["conflicts"] == 10_000
    assert numbers["learnt"] >= numbers["deleted"] > 0
    assert numbers["restarts"] > 0
    assert numbers["propagations"] > numbers["decisions"] > 0


def test_propagations_before_a_conflict_of_a_clause_are_counted():
    formula = Formula(3)
    formula.add_clauses([-1, 2, -2, 3, -3, -1], [2, 2, 2])
    one = new_engine()
    load(one, formula)
    assert one.run([1], None)[0] == "unsat"
    # the constant true; 1, and 2 or -3 (a conflict before the other one); the learnt unit -1
    assert one.statistics()["propagations"] == 1 + 2 + 1


def test_units_between_runs_are_not_forgotten(monkeypatch):
    """The database is simplified by them at most once, as there are no conflicts."""
    formula = Formula(9)
    formula.add_sum(range(1, 9), 4, output=9)
    formula.add_clause([1, 2, 3])
    one = new_engine()
    load(one, formula)
    check(one, formula, [])
    rebuild, calls = one._rebuild, []
    monkeypatch.setattr(one, "_rebuild", lambda: calls.append(rebuild()))
    for unit in (-1, -2, 9, -4, -5, -6, -3):
        formula.add_clause([unit])
        load(one, formula, len(formula.clauses) - 1, len(formula.sums))
        check(one, formula, [])
        check(one, formula, [7, -8])
    assert len(calls) <= 1


@pytest.mark.parametrize("diverse", [False, True])
def test_same_seed_same_search(diverse):
    runs = []
    for seed in (0, 0, 1):
        one = new_engine(seed=seed, diverse=diverse)
        load(one, hard_formula())
        one.run([1], 500)
        runs.append(one.statistics())
    assert runs[0] == runs[1] != runs[2]


def test_phases_are_tried_first():
    formula = Formula(4)
    formula.add_clause([1, 2, 3, 4])
    one = new_engine(phases=np.array([True, False, True]))
    load(one, formula)
    assert one.run([], None)[1].tolist() == [1, 3]


def test_priorities_are_decided_first():
    formula = Formula(3)
    formula.add_clauses([-3, 1, -3, 2], [2, 2])
    one = new_engine(priorities=np.array([0, 0, 5.0]), phases=np.array([True, True, True]))
    load(one, formula)
    one.run([], None)
    assert one.statistics()["decisions"] == 1


def test_diverse_decisions_try_both_values():
    values = set()
    for seed in range(4):
        one = new_engine(seed=seed, diverse=True)
        load(one, Formula(64))
        values.add(len(one.run([], None)[1]))
    assert len(values) > 1
    assert 16 < min(values) <= max(values) < 48


def test_diverse_restarts_follow_lubys_sequence(monkeypatch):
    monkeypatch.setattr(engine, "DIVERSE_FIRST", 10**6)  # a reduction is a restart, too
    one = new_engine(diverse=True)
    load(one, pigeon_hole(9))
    places, restarts = [0], 0
    for _ in range(1250):
        one.run([], 1)  # a restart is noticed after the conflict that it comes with
        if one.statistics()["restarts"] > restarts:
            restarts = one.statistics()["restarts"]
            places.append(one.statistics()["conflicts"])
    steps = np.diff(places) // 100
    assert steps[1:8].tolist() == [1, 1, 2, 1, 1, 2, 4]
