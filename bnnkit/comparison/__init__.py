"""The same questions through several solvers: who answers how many, how fast, and do they agree?"""

from bnnkit.comparison.asking import (
    compare,
    compare_formulas,
    formula_questions,
    iter_records,
    network_questions,
)
from bnnkit.comparison.results import Comparison, Record, Summary, written

__all__ = [
    "Comparison",
    "Record",
    "Summary",
    "compare",
    "compare_formulas",
    "formula_questions",
    "iter_records",
    "network_questions",
    "written",
]
