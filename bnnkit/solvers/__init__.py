"""Solvers for formulas: one interface, any engine.

``get(name)(formula).solve(timeout=...)``; `available` lists the names.
"""

from bnnkit.solvers.base import Solver
from bnnkit.solvers.cpsat import CpSat
from bnnkit.solvers.native import Native
from bnnkit.solvers.outcome import Outcome, WrongAnswer
from bnnkit.solvers.pysat import CLAUSE_SOLVERS, Minicard
from bnnkit.solvers.registry import available, get, register

__all__ = ["Outcome", "Solver", "WrongAnswer", "available", "get", "register"]

register("minicard", Minicard)
register("cp-sat", CpSat)
register("native", Native)
for _name, _solver in CLAUSE_SOLVERS.items():
    register(_name, _solver)
