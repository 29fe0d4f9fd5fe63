"""Every rewriting of sums against brute force over all assignments."""

import math

import numpy as np
import pytest
from solvers.formulas import all_assignments, models, random_formula

from bnnkit.formula import ClauseArrays, Formula
from bnnkit.solvers.translate import (
    adapt,
    extract_clauses,
    join_clauses,
    join_sums,
    normalise,
    split_reified,
)

CASES = 300


def rebuilt(n_vars, clauses=None, sums=None):
    """The formula that consists of some clauses and sums."""
    formula = Formula(n_vars)
    if clauses is not None:
        formula.add_clauses(clauses.lits, np.diff(clauses.offsets))
    if sums is not None:
        lengths = np.diff(sums.offsets)
        formula.add_sums(sums.lits, lengths, sums.bounds, sums.coefs, sums.outputs)
    return formula


def random_sums():
    """Small formulas with sums of any kind and no clauses."""
    rng = np.random.default_rng(0)
    for _ in range(CASES):
        formula = random_formula(rng)
        yield rebuilt(formula.n_vars, sums=formula.sums)


def assert_same_models(formula, other):
    assert np.array_equal(models(formula), models(other)), f"{formula}\n{other}"


def test_normalise():
    for formula in random_sums():
        result = normalise(formula.sums)
        assert_same_models(formula, rebuilt(formula.n_vars, sums=result))
        assert len(result) == len(formula.sums)
        for lits, coefs, bound, _ in result.lists():
            assert len({abs(lit) for lit in lits}) == len(lits)
            assert all(1 <= coef <= max(bound, 1) for coef in coefs)
            assert math.gcd(*coefs) in (0, 1)


@pytest.mark.parametrize(
    ("lits", "coefs", "bound", "result"),
    [
        ([1, -2, 3], [1, 2, 1], 2, ([1, -2, 3], [1, 2, 1], 2)),  # normal already
        ([3, 1, -2], [1, 1, 2], 2, ([1, -2, 3], [1, 2, 1], 2)),
        ([1, 1, 2], [1, 1, 1], 2, ([1, 2], [2, 1], 2)),
        ([1, 2, -2], [1, 1, 1], 2, ([1], [1], 1)),
        ([1, 2, 3], [1, 9, 1], 2, ([1, 2, 3], [1, 2, 1], 2)),
        ([1, 2, 3], [2, 2, 4], 5, ([1, 2, 3], [1, 1, 2], 3)),
        ([1, 2, 3], [1, 0, 1], 2, ([1, 3], [1, 1], 2)),
        ([1, 2], [1, -1], 1, ([1, -2], [1, 1], 2)),
    ],
)
def test_the_normal_form_of_a_sum_beside_normal_ones(lits, coefs, bound, result):
    formula = Formula(4)
    formula.add_sum([2, 4], 1)
    formula.add_sum(lits, bound, coefs, output=-4)
    formula.add_sum([1, -3], 2)
    first, second, third = normalise(formula.sums).lists()
    assert (first, third) == (([2, 4], [1, 1], 1, 0), ([1, -3], [1, 1], 2, 0))
    assert second == (*result, -4)


def test_extract_clauses():
    for formula in random_sums():
        clauses, sums = extract_clauses(normalise(formula.sums))
        assert_same_models(formula, rebuilt(formula.n_vars, clauses, sums))
        for _, coefs, bound, _ in sums.lists():
            assert 1 < bound <= sum(coefs) - min(coefs), "should have become clauses"


def test_split_reified():
    for formula in random_sums():
        clauses, sums = extract_clauses(normalise(formula.sums))
        result = split_reified(sums)
        assert_same_models(formula, rebuilt(formula.n_vars, clauses, result))
        assert not result.outputs.any()


@pytest.mark.parametrize(
    "abilities",
    [(), ("cardinality",), ("cardinality", "reified"), ("cardinality", "reified", "coefficients")],
)
def test_adapt(abilities):
    for formula in random_sums():
        clauses, sums = adapt(formula.sums, abilities)
        assert_same_models(formula, rebuilt(formula.n_vars, clauses, sums))
        if abilities == ("cardinality",):
            assert not sums.outputs.any()
            assert not any(-lit in lits for lits, *_ in sums.lists() for lit in lits)
        if "coefficients" not in abilities:
            assert (sums.coefs == 1).all()


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (([1, 2], 1, [1, 1], 3), [[-3, 1, 2], [3, -1], [3, -2]]),
        (([1, 2], 2, [1, 1], 3), [[3, -1, -2], [-3, 1], [-3, 2]]),
        (([1, 2], 7, [9, 7], None), [[1, 2]]),
        (([1, 2], 9, [7, 4], None), [[1], [2]]),
        (([1, 2], 0, [1, 1], -3), [[-3]]),
        (([1, 2], 3, [1, 1], -3), [[3]]),
        (([1, 2], 3, [1, 1], None), [[]]),
        (([1, 2], -3, [-1, -1], None), []),
        (([1, -1], 1, [5, 5], 2), [[2]]),
    ],
)
def test_sums_that_are_clauses(terms, expected):
    formula = Formula(3)
    formula.add_sum(*terms)
    clauses, sums = extract_clauses(normalise(formula.sums))
    assert clauses.lists() == expected
    assert len(sums) == 0


def test_reified_cardinality_takes_few_repetitions():
    # 2 of 5 reified: 2 copies of the output on one side, 4 on the other
    formula = Formula(6)
    formula.add_sum([1, 2, 3, 4, 5], 2, output=6)
    _, sums = adapt(formula.sums, ("cardinality",))
    assert sorted(map(len, (lits for lits, *_ in sums.lists()))) == [7, 9]


def test_enormous_coefficients_are_refused_where_they_must_be_repeated():
    formula = Formula(3)
    formula.add_sum([1, 2, 3], 10**8 + 1, [10**8 - 1, 10**8, 10**8 + 7], output=1)
    assert models(
        rebuilt(3, *adapt(formula.sums, ("cardinality", "reified", "coefficients")))
    ).any()
    with pytest.raises(ValueError, match="more than 10000000; use a solver that takes"):
        adapt(formula.sums, ("cardinality",))


@pytest.mark.parametrize("bound", [-(2**63), 2**63 - 1])
def test_extreme_bounds_do_not_overflow(bound):
    formula = Formula(2)
    formula.add_sums([-1, -1], [2], [bound], [3, -7], [2])
    clauses, sums = adapt(formula.sums, ())
    assert clauses.lists() == [[2 if bound < 0 else -2]]
    assert len(sums) == 0


def test_joining():
    formula = random_formula(np.random.default_rng(5))
    doubled = rebuilt(
        formula.n_vars,
        join_clauses(formula.clauses, formula.clauses),
        join_sums(formula.sums, formula.sums),
    )
    assert len(doubled.sums) == 2 * len(formula.sums)
    assert_same_models(formula, doubled)


def test_nothing_from_nothing():
    clauses, sums = adapt(Formula().sums, ())
    assert isinstance(clauses, ClauseArrays)
    assert (len(clauses), len(sums)) == (0, 0)
    assert len(all_assignments(0)) == 1
