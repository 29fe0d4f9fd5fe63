"""Solvers for formulas: one interface, any engine.

``get(name)(formula).solve(timeout=...)``; `available` lists the names.
"""

from bnnkit.solvers.base import Solver
from bnnkit.solvers.cpsat import CpSat
from bnnkit.solvers.native import Native
from bnnkit.solvers.outcome import Outcome, WrongAnswer
from bnnkit.solvers.pysat import CLAUSE_SOLVERS, Gluecard3, Gluecard4, Minicard
from bnnkit.solvers.registry import available, get, register

__all__ = ["Outcome", "Solver", "WrongAnswer", "available", "get", "register"]

register("minicard", Minicard)
register("cp-sat", CpSat)
register("native", Native)
register("gluecard3", Gluecard3)
register("gluecard4", Gluecard4)
for _name, _solver in CLAUSE_SOLVERS.items():
    register(_name, _solver)
