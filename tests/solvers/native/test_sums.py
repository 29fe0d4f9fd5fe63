"""The propagation of sums, both directions."""

import numpy as np
import pytest
from solvers.native.engines import check, load, new_engine

from bnnkit.formula import Formula


def run(formula, assumptions):
    one = new_engine()
    assert load(one, formula)
    status, literals = one.run(assumptions, None)
    return status, sorted(literals), one.statistics()["decisions"]


@pytest.mark.parametrize(
    ("assumptions", "true", "free"),
    [
        ([1, 2], [1, 2, 5], 2),  # the bound is reached: the output
        ([-1, -2, -3], [], 1),  # it cannot be reached any more: not the output
        ([5, -1, -2], [3, 4, 5], 0),  # the output: what the bound cannot do without
        ([-5, 1], [1], 0),  # not the output: what would reach the bound
    ],
)
def test_conclusions_need_no_decision(assumptions, true, free):
    formula = Formula(5)
    formula.add_sum([1, 2, 3, 4], 2, output=5)
    status, literals, decisions = run(formula, assumptions)
    assert (status, literals) == ("sat", true)
    assert decisions == free


@pytest.mark.parametrize("reified", [False, True])
@pytest.mark.parametrize("greatest", [1, 2, 9])
def test_a_single_sum_never_leads_into_a_conflict(reified, greatest):
    """Whatever follows from a sum alone is found before a decision could go wrong."""
    rng = np.random.default_rng(10 * greatest + reified)
    for _ in range(200):
        size = int(rng.integers(2, 8))
        formula = Formula(size + 1)
        lits = np.arange(1, size + 1) * rng.choice([-1, 1], size)
        coefs = rng.integers(1, greatest + 1, size)
        output = (size + 1) * int(rng.choice([-1, 1])) if reified else None
        formula.add_sum(lits, int(rng.integers(1, coefs.sum() + 1)), coefs, output)
        one = new_engine(phases=rng.random(size + 1) < 0.5, seed=int(rng.integers(1, 1000)))
        assert load(one, formula)
        for _ in range(3):
            variables = rng.choice(size + 1, 2, replace=False) + 1
            check(one, formula, (variables * rng.choice([-1, 1], 2)).tolist())
        assert one.statistics()["conflicts"] == 0


def test_great_coefficients_do_not_overflow():
    formula = Formula(4)
    formula.add_sum([1, 2, 3], 2**30 + 1, [2**30, 2**29, 2**29 - 1], output=4)
    assert run(formula, [1, 3])[:2] == ("sat", [1, 3, 4])
    assert run(formula, [4])[0] == "sat"
    assert run(formula, [4, -1])[:2] == ("unsat", [-1, 4])
