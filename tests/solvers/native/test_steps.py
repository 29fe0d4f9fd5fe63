import itertools

import numpy as np
import pytest

from bnnkit.formula import Formula
from bnnkit.solvers.native.steps import Step, trace


def random_formula(rng):
    """Up to 7 variables, clauses and reified sums with coefficients and of both signs."""
    n = int(rng.integers(3, 8))
    formula = Formula(n)
    for _ in range(rng.integers(0, 6)):
        formula.add_clause(literals(rng, n, rng.integers(1, 4)))
    for _ in range(rng.integers(1, 6)):
        lits = literals(rng, n, rng.integers(0, n + 1))
        output = int(literals(rng, n, 1)[0]) if rng.random() < 0.8 else None
        coefs = rng.integers(-2, 4, len(lits))
        formula.add_sum(lits, int(rng.integers(-2, 6)), coefs, output)
    return formula


def literals(rng, n, size):
    return (rng.permutation(n)[:size] + 1) * rng.choice([-1, 1], size)


def models(formula):
    rows = itertools.product([False, True], repeat=formula.n_vars)
    return [row for row in rows if formula.holds(row)]


def follows(found, premises, conclusion):
    """Whether each model with the premises has one of the literals of the conclusion."""
    return all(
        any(model[abs(lit) - 1] == (lit > 0) for lit in conclusion)
        for model in found
        if all(model[abs(lit) - 1] == (lit > 0) for lit in premises)
    )


@pytest.mark.parametrize("seed", range(150))
def test_each_step_follows_and_what_is_learnt_does(seed):
    rng = np.random.default_rng(seed)
    formula = random_formula(rng)
    found, decisions = models(formula), []
    while True:
        walk = trace(formula, decisions)
        true = set()
        for step in walk.trail:
            if step.reason is None:
                assert step.lit == decisions[step.level - 1]
            else:
                assert set(step.reason) <= true
                assert follows(found, step.reason, [step.lit])
            true.add(step.lit)
        assert sorted(map(abs, true)) == sorted({abs(lit) for lit in true})
        if walk.conflict is not None:
            break
        free = [v for v in range(1, formula.n_vars + 1) if v not in true and -v not in true]
        if not free:
            assert formula.holds([v in true for v in range(1, formula.n_vars + 1)])
            return
        decisions.append(int(rng.choice(free) * rng.choice([-1, 1])))
    assert set(walk.conflict) <= true
    assert follows(found, walk.conflict, [])
    assert follows(found, [], walk.learnt)
    levels = {step.lit: step.level for step in walk.trail}
    assert all(-lit in true for lit in walk.learnt)
    if not walk.learnt:
        assert not found
        return
    current, *others = [levels[-lit] for lit in walk.learnt]
    assert current == max(levels.values())
    assert walk.back == max(others, default=0) < current


def test_what_always_holds_has_level_0():
    formula = Formula(4)
    formula.add_clauses([-2, 2, 3, 1, 4], [1, 2, 2])
    walk = trace(formula, [-1])
    assert walk.trail[:2] == [Step(-2, 0, ()), Step(3, 0, ())]
    assert walk.trail[2:] == [Step(-1, 1, None), Step(4, 1, (-1,))]


def test_a_decision_that_is_false_is_refused():
    formula = Formula(2)
    formula.add_clause([-1, -2])
    with pytest.raises(ValueError, match="decision 2 is false already"):
        trace(formula, [1, 2])
    with pytest.raises(ValueError, match=r"got 3"):
        trace(formula, [3])


def test_a_contradiction_without_decisions():
    formula = Formula(1)
    formula.add_clauses([1, -1], [1, 1])
    assert trace(formula, [1]).learnt == ()
