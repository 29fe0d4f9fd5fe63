"""The options of the native solver; test_conformance.py has what all solvers must do."""

import subprocess
import sys

import pytest
from solvers.formulas import hard_formula

from bnnkit.formula import Formula
from bnnkit.solvers.native import Native
from bnnkit.solvers.native.solver import BRIEF


def test_statistics():
    with Native(hard_formula(), conflict_limit=100) as solver:
        assert solver.statistics == {}
        outcome = solver.solve([1])
        assert (outcome.status, outcome.reason) == ("unknown", "the engine gave up")
        assert solver.statistics["conflicts"] == 100
        assert solver.solve([-1]).status == "sat"


@pytest.mark.parametrize("limit", [BRIEF - 1, BRIEF, BRIEF + 1])
def test_conflict_limits_may_change_between_calls(limit):
    with Native(hard_formula(), conflict_limit=7) as solver:
        assert solver.solve([1]).reason == "the engine gave up"
        solver.conflict_limit = limit
        assert solver.solve([1]).reason == "the engine gave up"
        assert solver.statistics["conflicts"] == 7 + limit
        with pytest.raises(ValueError, match="conflict_limit must be at least 1 or None, got 0"):
            solver.conflict_limit = 0
        assert solver.conflict_limit == limit


@pytest.mark.parametrize(  # met in loading and in search
    ("limit", "easier"), [(1_000, "unknown"), (300_000, "sat"), (2_000_000, "sat")]
)
def test_out_of_memory_is_an_unknown_with_the_reason(limit, easier):
    with Native(hard_formula(), memory_limit=limit) as solver:
        outcome = solver.solve([1])
        assert outcome.status == "unknown"
        assert f"would need more than {limit} bytes" in outcome.reason
        assert solver.solve([-1]).status == easier


def test_phases_and_priorities():
    formula = Formula(3)
    formula.add_clauses([-1, 2, -3, -1], [2, 2])
    with Native(formula, phases=[True, False, True]) as solver:
        assert solver.solve().model.tolist() == [True, True, False]
    with Native(formula, phases=[True, False, True], priorities=[1, 1, 2]) as solver:
        assert solver.solve().model.tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"priorities": [1, -2]}, r"priorities must be in \[0, 1e\+09\], got \[1, -2\]"),
        ({"priorities": [float("nan")]}, "priorities must be in"),
        ({"conflict_limit": 0}, "conflict_limit must be at least 1 or None, got 0"),
        ({"memory_limit": -5}, "memory_limit must be at least 1 or None, got -5"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        Native(Formula(2), **options)


def test_importing_the_backend_is_light():
    code = "import sys, bnnkit.solvers.native; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
