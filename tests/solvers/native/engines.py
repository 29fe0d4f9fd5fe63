"""An engine for a formula, and the check of its answers by brute force."""

import numpy as np
from solvers.formulas import all_assignments, models, truth

from bnnkit.solvers import translate
from bnnkit.solvers.native import Native
from bnnkit.solvers.native.engine import Engine


def new_engine(**options):
    defaults = {"seed": 0, "priorities": (), "phases": (), "diverse": False, "memory_limit": None}
    return Engine(**{**defaults, **options})


def load(one, formula, first_clause=0, first_sum=0):
    """Add what a formula has from some row on; False if a clause is empty."""
    clauses, sums = formula.clauses, formula.sums
    translated, sums = translate.adapt(sums.rows(first_sum, len(sums)), Native.abilities)
    clauses = translate.join_clauses(clauses.rows(first_clause, len(clauses)), translated)
    if (np.diff(clauses.offsets) == 0).any():
        return False
    one.add(formula.n_vars, clauses, sums)
    return True


def check(one, formula, assumptions):
    good, values = models(formula), all_assignments(formula.n_vars)
    status, literals = one.run(assumptions, None)
    expected = good & np.all([truth(values, lit) for lit in assumptions] or [True], axis=0)
    assert status == ("sat" if expected.any() else "unsat"), f"{assumptions}\n{formula}"
    if status == "sat":
        model = np.isin(np.arange(1, formula.n_vars + 1), literals)
        assert expected[(values == model).all(axis=1)].all(), f"{model}\n{formula}"
    else:
        assert set(literals) <= set(assumptions)
        core = np.all([truth(values, lit) for lit in literals] or [True], axis=0)
        assert not (good & core).any(), f"{literals}\n{formula}"
