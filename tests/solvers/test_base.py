"""The work that the base class does for every backend, shown with backends that misbehave."""

import threading
import time

import numpy as np
import pytest
from solvers.formulas import hard_formula

from bnnkit import solvers
from bnnkit.formula import Formula
from bnnkit.solvers._job import EngineLost
from bnnkit.solvers.base import SLICE, SMALL
from bnnkit.solvers.TEMPLATE import Backtracking


class Recording(Backtracking):
    """Keeps what it is given."""

    def _start(self):
        super()._start()
        self.portions = []

    def _add(self, n_vars, clauses, sums):
        super()._add(n_vars, clauses, sums)
        self.portions.append((n_vars, clauses.lists(), list(sums.lists())))


def answering(*answers):
    """A solver that gives these answers one after another, or raises them."""

    class Answering(Recording):
        given = iter(answers)

        def _search(self, assumptions):
            answer = next(self.given)
            if isinstance(answer, Exception):
                raise answer
            return answer

    return Answering


def test_wrong_models_are_found_out():
    formula = Formula(2)
    formula.add_sum([1, 2], 2)
    with pytest.raises(RuntimeError, match="backtracking gave a model that violates"):
        answering(("sat", [1, -2]))(formula).solve()


def test_models_that_violate_an_assumption_are_found_out():
    with pytest.raises(RuntimeError, match="a model that violates"):
        answering(("sat", [1]))(Formula(1)).solve([-1])


def test_cores_of_other_literals_are_found_out():
    with pytest.raises(RuntimeError, match=r"a core \(2,\) that is not among the assumptions"):
        answering(("unsat", [2]))(Formula(2)).solve([1])


def test_a_lost_engine_is_an_unknown_and_the_next_call_starts_afresh():
    formula = Formula(2)
    formula.add_clause([1, 2])
    solver = answering(EngineLost("out of memory"), ("sat", [1]))(formula)
    outcome = solver.solve()
    assert (outcome.status, outcome.reason, outcome.model) == ("unknown", "out of memory", None)
    solver.add_clause([1])
    assert solver.solve().status == "sat"
    assert [clauses for _, clauses, _ in solver.portions] == [[[1, 2], [1]]]


def test_an_engine_may_give_up():
    outcome = answering(("unknown", None))(Formula(1)).solve()
    assert (outcome.status, outcome.reason) == ("unknown", "the engine gave up")


def test_exceptions_of_the_engine_come_through_and_the_next_call_starts_afresh():
    formula = Formula(1)
    formula.add_clause([1])
    solver = answering(ZeroDivisionError("oops"), ("sat", [1]))(formula)
    with pytest.raises(ZeroDivisionError, match="oops"):
        solver.solve()
    assert solver.solve().status == "sat"


def test_only_what_is_new_is_loaded():
    formula = Formula(3)
    formula.add_clause([1, -2])
    formula.add_sum([1, 2, 3], 2)
    solver = Recording(formula)
    solver.solve()
    assert solver.portions == [(3, [[1, -2]], []), (3, [], [([1, 2, 3], [1, 1, 1], 2, 0)])]
    solver.portions.clear()
    solver.solve()
    assert solver.portions == []
    solver.new_var()
    solver.solve()
    assert solver.portions == [(4, [], [])]


def test_loading_in_portions_loses_nothing():
    rng = np.random.default_rng(0)
    formula = Formula(50)
    lengths = [3, 0, 5 * SLICE, 1, SLICE, 2, 2]
    formula.add_clauses(rng.integers(1, 51, sum(lengths)), lengths)
    solver = Recording(formula)
    assert solver.solve().core == ()  # there is an empty clause
    loaded = [clause for _, clauses, _ in solver.portions for clause in clauses]
    assert loaded == [clause for clause in formula.clauses.lists() if clause]
    assert len(solver.portions) > 2


def test_a_contradiction_is_final():
    formula = Formula(1)
    formula.add_sum([1], 2)
    solver = answering(("sat", [1]))(formula)
    assert solver.solve().core == ()
    solver.add_clause([1])
    assert solver.solve([1]).core == ()


def test_a_late_answer_is_an_answer():
    class Late(Backtracking):
        def _search(self, assumptions):
            time.sleep(0.1)
            return "sat", [1]

    assert Late(Formula(1)).solve(timeout=0.05).status == "sat"


class Brief(Recording):
    """Decides at once, or leaves it to the thread."""

    brief = True

    def _search_briefly(self, assumptions):
        self.briefly = threading.current_thread()
        return super()._search(assumptions) if assumptions == [1] else None

    def _search(self, assumptions):
        self.at_length = threading.current_thread()
        time.sleep(0.2)
        return super()._search(assumptions)


def test_a_brief_search_needs_no_thread():
    solver = Brief(Formula(2))
    assert solver.solve([1]).status == "sat"
    assert solver.briefly is threading.current_thread()
    assert not hasattr(solver, "at_length")


def test_what_is_not_decided_briefly_is_left_to_a_thread():
    solver = Brief(Formula(2))
    used = time.thread_time()
    assert solver.solve([2]).status == "sat"
    assert time.thread_time() - used < 0.1  # this thread sleeps meanwhile
    assert solver.briefly is threading.current_thread() is not solver.at_length


def test_great_formulas_are_not_searched_briefly():
    formula = Formula(2)
    formula.add_clauses([1] * (SMALL + 1), [SMALL + 1])
    solver = Brief(formula)
    assert solver.solve([1]).status == "sat"
    assert not hasattr(solver, "briefly")


def test_errors_of_a_brief_search_come_through():
    class Failing(Brief):
        def _search_briefly(self, assumptions):
            raise EngineLost("it died") if assumptions else ZeroDivisionError("oops")

    solver = Failing(Formula(1))
    assert solver.solve([1]).reason == "it died"
    with pytest.raises(ZeroDivisionError, match="oops"):
        solver.solve()


def test_zero_seconds_are_a_timeout():
    outcome = Backtracking(hard_formula()).solve([1], timeout=0)
    assert (outcome.status, outcome.reason) == ("unknown", "timeout")
    assert outcome.seconds < 0.1


def test_context_manager_closes_and_repr_tells():
    with Backtracking(Formula(2)) as solver:
        assert repr(solver) == "<Solver backtracking: Formula: 2 variables, 0 clauses, 0 sums>"
        solver.solve()
    with pytest.raises(RuntimeError, match="this backtracking solver is closed"):
        solver.solve()


def test_the_time_of_translation_is_told():
    """Of 2,000 sums, and only in the call that loads them."""
    formula = Formula(30)
    rng = np.random.default_rng(0)
    for _ in range(2000):
        formula.add_sum(rng.permutation(30) + 1, 10)
    with solvers.get("cadical:totalizer")(formula) as solver:
        first, again = solver.solve(), solver.solve()
    assert first.loading > first.seconds / 2
    assert again.loading < first.loading / 10


def test_translation_that_is_cut_off_is_no_search():
    formula = Formula(300)
    rng = np.random.default_rng(0)
    for _ in range(1500):
        formula.add_sum(rng.permutation(300)[:200] + 1, 60)
    with solvers.get("cadical:totalizer")(formula) as solver:
        outcome = solver.solve(timeout=0.5)
    assert outcome.status == "unknown"
    assert outcome.loading > 0.4
