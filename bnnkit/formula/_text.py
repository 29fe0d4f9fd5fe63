"""Writing formulas: words for people, the reified-cardinality dialect of DIMACS for solvers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bnnkit.formula._arrays import SumArrays
    from bnnkit.formula._formula import Formula

SHOWN = 50  # constraints of each kind that a description spells out


def describe(formula: Formula) -> str:
    """The formula in words, at most 50 clauses and 50 sums of it."""
    clauses, sums = formula.clauses, formula.sums
    kinds = (formula.n_vars, "variable"), (len(clauses), "clause"), (len(sums), "sum")
    lines = [", ".join(_count(*kind) for kind in kinds)]
    lines += map(_clause_words, clauses.rows(0, min(SHOWN, len(clauses))).lists())
    lines += _hidden(len(clauses), "more clause")
    lines += [_sum_words(*terms) for terms in sums.rows(0, min(SHOWN, len(sums))).lists()]
    lines += _hidden(len(sums), "more sum")
    return "\n".join(lines)


def write_text(formula: Formula) -> str:
    """See `Formula.to_text`."""
    sums = formula.sums.repeated()
    return dimacs(formula.n_vars, formula.clauses.lists(), sums, _sum_line)


def dimacs(
    n_vars: int,
    clauses: list[list[int]],
    sums: SumArrays,
    sum_line: Callable[[list[int], int, int], str],
) -> str:
    """DIMACS with lines for sums; those that must hold get an output that a clause makes true.

    Parameters
    ----------
    n_vars : int
    clauses : list of list of int
    sums : SumArrays
        With coefficients 1.
    sum_line : callable
        The line for the literals, the bound and the output of a sum.
    """
    true = n_vars + 1
    if (sums.outputs == 0).any():
        n_vars, clauses = true, [*clauses, [true]]
    lines = [f"p cnf {n_vars} {len(clauses) + len(sums)}"]
    lines += [" ".join(map(str, [*clause, 0])) for clause in clauses]
    lines += [sum_line(lits, bound, output or true) for lits, _, bound, output in sums.lists()]
    return "\n".join(lines) + "\n"


def _sum_line(lits: list[int], bound: int, output: int) -> str:
    # not y <-> (sum >= b)  is  y <-> (sum <= b - 1)
    end = f"<= {bound - 1} # {-output}" if output < 0 else f">= {bound} # {output}"
    return " ".join([*map(str, lits), end])


def _hidden(total: int, noun: str) -> list[str]:
    return [f"... {_count(total - SHOWN, noun)}"] if total > SHOWN else []


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _literal_word(lit: int) -> str:
    return f"x{lit}" if lit > 0 else f"not x{-lit}"


def _clause_words(lits: list[int]) -> str:
    return " or ".join(map(_literal_word, lits)) or "false"


def _sum_words(lits: list[int], coefs: list[int], bound: int, output: int) -> str:
    terms = [
        _literal_word(lit) if coef == 1 else f"{coef} * {_literal_word(lit)}"
        for lit, coef in zip(lits, coefs, strict=True)
    ]
    relation = f"{' + '.join(terms) or 0} >= {bound}"
    return relation if output == 0 else f"{_literal_word(output)} <-> {relation}"
