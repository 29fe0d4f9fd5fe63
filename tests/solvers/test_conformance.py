"""What every solver must do: pytest --solver=NAME,NAME or --solver=all."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from solvers.formulas import (
    add_random_constraint,
    hard_formula,
    market_split,
    random_formula,
    random_literals,
    satisfiable,
)

from bnnkit.formula import Formula


def check(outcome, formula, assumptions=()):
    """Compare an outcome with the truth."""
    expected = satisfiable(formula, assumptions)
    assert outcome.status == ("sat" if expected else "unsat"), f"{assumptions}\n{formula}"
    if expected:
        chosen = [int(v + 1) if value else -int(v + 1) for v, value in enumerate(outcome.model)]
        assert satisfiable(formula, chosen), formula
        assert set(assumptions) <= set(chosen)
        assert outcome.core is None
    else:
        assert set(outcome.core) <= set(assumptions)
        assert not satisfiable(formula, outcome.core), f"{outcome.core}\n{formula}"
        assert outcome.model is None


@pytest.mark.parametrize("batch", range(10))
def test_random_formulas_with_assumptions(solver, batch):
    rng = np.random.default_rng(batch)
    for _ in range(200):
        formula = random_formula(rng)
        with solver(formula) as one:
            check(one.solve(), formula)
            assumptions = random_literals(rng, formula.n_vars, rng.integers(1, 5)).tolist()
            check(one.solve(assumptions), formula, assumptions)


def test_formulas_may_grow_between_calls(solver):
    rng = np.random.default_rng(7)
    for _ in range(40):
        formula = random_formula(rng, n_vars=3)
        one = solver(formula)
        for _ in range(5):
            check(one.solve(), formula)
            assert np.array_equal(one.new_vars(1), formula.new_vars(1))
            seed = rng.integers(2**32)
            for target in (one, formula):  # the same constraint for both
                add_random_constraint(target, np.random.default_rng(seed))
            assumptions = random_literals(rng, formula.n_vars, 2).tolist()
            check(one.solve(assumptions), formula, assumptions)
        one.close()


CASES = {
    "no variables": (0, lambda f: None),
    "no constraints": (3, lambda f: None),
    "empty clause": (1, lambda f: f.add_clause([])),
    "tautology": (1, lambda f: f.add_clause([1, -1])),
    "repeated literal": (1, lambda f: f.add_clause([-1, -1])),
    "contradiction": (1, lambda f: f.add_clauses([1, -1], [1, 1])),
    "empty sum >= 0": (1, lambda f: f.add_sum([], 0)),
    "empty sum >= 1": (1, lambda f: f.add_sum([], 1)),
    "output of the empty sum >= 1": (1, lambda f: f.add_sum([], 1, output=1)),
    "negated output of the empty sum >= 0": (1, lambda f: f.add_sum([], 0, output=-1)),
    "negative bound": (2, lambda f: f.add_sum([1], -5, output=2)),
    "bound out of reach": (3, lambda f: f.add_sum([1, 2], 10**30, output=3)),
    "all literals": (4, lambda f: f.add_sum([1, -2, 3], 3, output=4)),
    "repeated literals count": (3, lambda f: f.add_sum([1, 1, 2], 2, output=-3)),
    "opposite literals": (3, lambda f: f.add_sum([1, -1, 2, 3], 2)),
    "negative coefficients": (4, lambda f: f.add_sum([1, 2, -3], -2, [-3, 2, -1], output=4)),
    "zero coefficients": (3, lambda f: f.add_sum([1, 2, 3], 1, [0, 1, 0])),
    "cancelled": (2, lambda f: f.add_sum([1, 1], 0, [5, -5], output=2)),
    "output in its own sum": (3, lambda f: f.add_sum([1, 2, 3], 2, output=3)),
    "negated output in its own sum": (3, lambda f: f.add_sum([1, 2, -3, -3], 2, output=3)),
    "output that denies itself": (1, lambda f: f.add_sum([-1], 1, output=1)),
    "two sums with one output": (
        4,
        lambda f: f.add_sums([1, 2, 3] * 2, [3, 3], [1, 3], outputs=[4, 4]),
    ),
    "opposite outputs": (3, lambda f: f.add_sums([1, 2, 1, 2], [2, 2], [1, 1], outputs=[3, -3])),
    "great coefficients": (4, lambda f: f.add_sum([1, 2, 3], 900, [500, 400, 300], output=4)),
}


@pytest.mark.parametrize("case", CASES)
def test_corner_cases(solver, case):
    n_vars, build = CASES[case]
    formula = Formula(n_vars)
    build(formula)
    one = solver(formula)
    check(one.solve(), formula)
    for v in range(1, n_vars + 1):
        check(one.solve([v]), formula, [v])
        check(one.solve([-v]), formula, [-v])
    check(one.solve(), formula)


def test_assumptions_may_repeat_or_contradict_each_other(solver):
    formula = Formula(3)
    formula.add_sum([1, 2, 3], 2)
    one = solver(formula)
    for assumptions in ([1, 1, -2], [1, -1], [-2, 3, 2, -3], [-1, -2, -1]):
        check(one.solve(assumptions), formula, assumptions)


def test_assumptions_are_for_one_call(solver):
    formula = Formula(2)
    formula.add_clause([1, 2])
    one = solver(formula)
    assert one.solve([-1, -2]).status == "unsat"
    assert one.solve().status == "sat"
    assert one.solve([-1]).model.tolist() == [False, True]


def test_unsatisfiable_stays_unsatisfiable(solver):
    one = solver(Formula(2))
    for clause in ([1, 2], [1, -2], [-1, 2], [-1, -2]):
        assert one.solve().status == "sat"
        one.add_clause(clause)
    for _ in range(2):
        assert one.solve().core == ()
        one.add_sum([1, 2], 0)
    assert one.solve([one.new_var()]).status == "unsat"


def test_the_users_formula_is_not_touched(solver):
    formula = Formula(1)
    one = solver(formula)
    one.add_clause([one.new_var()])
    one.solve()
    formula.add_clause([])
    assert formula.n_vars == 1
    assert one.solve().status == "sat"


def test_variables_without_constraints_have_values(solver):
    outcome = solver(Formula(4)).solve([-2, 4])
    assert outcome.model.tolist()[1::2] == [False, True]
    assert outcome.model.dtype == bool


@pytest.mark.parametrize("timeout", [0.2, 0.7])
def test_timeouts_are_honoured_within_20_percent(solver, timeout):
    one = solver(hard_formula())
    for _ in range(2):
        started = time.monotonic()
        outcome = one.solve([1], timeout=timeout)
        elapsed = time.monotonic() - started
        assert (outcome.status, outcome.reason) == ("unknown", "timeout")
        assert 0.8 * timeout < elapsed < 1.2 * timeout + 0.05
        assert outcome.seconds == pytest.approx(elapsed, abs=0.01)


def test_timeout_leaves_the_solver_usable(solver):
    one = solver(hard_formula())
    assert one.solve([1], timeout=0.1).status == "unknown"
    one.add_clause([-1, 2])
    assert one.solve([-2]).status == "sat"
    assert one.solve([1, -2]).status == "unsat"


@pytest.mark.parametrize("n_equations", [2, 4])
def test_slices_of_time_come_to_the_same_answer(solver, n_equations):
    """Where the solver goes on where it was, the slices need not become longer."""
    formula = market_split(12, n_equations)
    expected = solver(formula).solve([1]).status
    one, seconds = solver(formula), 1e-3
    for _ in range(2000):
        outcome = one.solve([1], timeout=seconds)
        if outcome.status != "unknown":
            break
        assert outcome.reason == "timeout"
        seconds *= 1 if one.resumes else 2
    assert outcome.status == expected


def test_timeout_covers_loading(solver):
    n, rows = 2000, 6000
    lits = np.random.default_rng(0).integers(1, n + 1, n * rows)
    formula = Formula(n + rows)
    formula.add_sums(lits, [n] * rows, [n // 2] * rows, outputs=range(n + 1, n + rows + 1))
    outcome = solver(formula).solve(timeout=0.5)
    assert (outcome.status, outcome.reason) == ("unknown", "timeout")
    assert outcome.seconds < 1.2 * 0.5 + 0.05


def test_interruption_from_another_thread(solver):
    one = solver(hard_formula())
    threading.Timer(0.3, one.interrupt).start()
    outcome = one.solve([1], timeout=20)
    assert (outcome.status, outcome.reason) == ("unknown", "interrupted")
    assert 0.25 < outcome.seconds < 0.8
    assert one.solve([-1]).status == "sat"


def test_interruption_without_a_search_does_nothing(solver):
    one = solver(Formula(1))
    one.interrupt()
    assert one.solve().status == "sat"
    one.interrupt()
    assert one.solve().status == "sat"


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_keyboard_interrupt_leaves_the_solver_usable(solver):
    one = solver(hard_formula())
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        one.solve([1], timeout=20)
    assert time.monotonic() - started < 0.8
    assert one.solve([-1]).status == "sat"


def test_two_threads_cannot_solve_with_one_solver(solver):
    one = solver(hard_formula())
    thread = threading.Thread(target=one.solve, args=([1], 20))
    thread.start()
    time.sleep(0.2)
    with pytest.raises(RuntimeError, match="is solving in another thread"):
        one.solve()
    one.interrupt()
    thread.join()


def test_several_solvers_at_once(solver):
    first, second = Formula(2), Formula(2)
    first.add_clause([1])
    second.add_clause([-1])
    one, two = solver(first), solver(second)
    assert one.solve().model[0]
    assert not two.solve().model[0]
    assert one.solve([-1]).status == "unsat"
    assert two.solve([-1]).status == "sat"


def test_after_closing_everything_is_refused(solver):
    one = solver(Formula(1))
    one.solve()
    one.close()
    one.close()
    for call in (one.solve, one.new_var, lambda: one.add_clause([1]), lambda: one.add_sum([1], 1)):
        with pytest.raises(RuntimeError, match="is closed"):
            call()


def test_closing_ends_a_search(solver):
    one = solver(hard_formula())
    threading.Timer(0.2, one.close).start()
    outcome = one.solve([1], timeout=20)
    assert outcome.status == "unknown"
    assert outcome.seconds < 1


@pytest.mark.parametrize("lit", [0, 4, -4])
def test_assumptions_must_be_literals(solver, lit):
    with pytest.raises(ValueError, match=f"got {lit}"):
        solver(Formula(3)).solve([lit])


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_timeouts_must_not_be_negative(solver, timeout):
    with pytest.raises(ValueError, match="timeout"):
        solver(Formula(1)).solve(timeout=timeout)
