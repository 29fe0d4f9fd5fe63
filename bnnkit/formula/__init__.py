"""Propositional formulas with clauses and reified linear sums, as flat arrays."""

from bnnkit.formula._arrays import ClauseArrays, SumArrays
from bnnkit.formula._formula import Formula

__all__ = ["ClauseArrays", "Formula", "SumArrays"]
