"""The engine against brute force, and its limits, growth and options."""

import numpy as np
import pytest
from solvers.formulas import add_random_constraint, hard_formula, models, random_literals
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
        one = new_engine(seed=int(rng.integers(3)))
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
        monkeypatch.setattr(engine, "REDUCE_FIRST", 3)
        monkeypatch.setattr(engine, "REDUCE_STEP", 1)
        monkeypatch.setattr(engine, "SIMPLIFY_STEP", 1)
    rng = np.random.default_rng(4)
    conflicts = 0
    for _ in range(150):
        formula = random_equations(rng, 10, 4)
        one = new_engine(seed=int(rng.integers(3)))
        if load(one, formula):
            check(one, formula, [])
            check(one, formula, consistent_literals(rng, 10)[:1])
            conflicts += one.statistics()["conflicts"]
    assert conflicts > 1000


def test_memory_grows_in_the_middle_of_a_search():
    one = new_engine(conflict_limit=20_000)
    load(one, hard_formula())
    sizes = len(one.state.arena), len(one.state.pool)
    assert one.run([1]) == ("unknown", None)
    assert (len(one.state.arena) > sizes[0], len(one.state.pool) > sizes[1]) == (True, True)
    assert one.run([-1])[0] == "sat"


def test_memory_limit():
    one = new_engine(memory_limit=2_000_000)
    load(one, hard_formula())
    with pytest.raises(MemoryLimit, match="more than 2000000 bytes"):
        one.run([1])


def test_conflict_limit_is_for_each_run():
    one = new_engine(conflict_limit=50)
    load(one, hard_formula())
    for runs in (1, 2):
        assert one.run([1]) == ("unknown", None)
        assert one.statistics()["conflicts"] == 50 * runs


def test_statistics_of_a_search():
    one = new_engine(conflict_limit=10_000)
    load(one, hard_formula())
    one.run([1])
    numbers = one.statistics()
    assert numbers["conflicts"] == 10_000
    assert numbers["learnt"] >= numbers["deleted"] > 0
    assert numbers["restarts"] > 10
    assert numbers["propagations"] > numbers["decisions"] > 0


def test_same_seed_same_search():
    runs = []
    for seed in (0, 0, 1):
        one = new_engine(conflict_limit=500, seed=seed)
        load(one, hard_formula())
        one.run([1])
        runs.append(one.statistics())
    assert runs[0] == runs[1] != runs[2]


def test_phases_are_tried_first():
    formula = Formula(4)
    formula.add_clause([1, 2, 3, 4])
    one = new_engine(phases=np.array([True, False, True]))
    load(one, formula)
    assert one.run([])[1].tolist() == [1, 3]


def test_priorities_are_decided_first():
    formula = Formula(3)
    formula.add_clauses([-3, 1, -3, 2], [2, 2])
    one = new_engine(priorities=np.array([0, 0, 5.0]), phases=np.array([True, True, True]))
    load(one, formula)
    one.run([])
    assert one.statistics()["decisions"] == 1
