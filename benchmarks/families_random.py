"""Random clauses: of three literals, of any length, and with no solution or exactly one."""

import numpy as np

from bnnkit.formula import Formula


def random_3sat(n_vars, seed, ratio=4.26):
    """Random clauses of three distinct variables; at the ratio 4.26 half of them have a model.

    Mitchell, Selman and Levesque 1992.
    """
    rng = np.random.default_rng(seed)
    formula = Formula(n_vars)
    for _ in range(round(ratio * n_vars)):
        formula.add_clause(_random_lits(n_vars, 3, rng))
    return formula


def jnh(n_clauses, seed, n_vars=100, mean_length=5):
    """Random clauses in which each variable is with the same probability.

    Clauses with less than two literals are left out. The files jnh have 100 variables and 800 to
    900 such clauses (Harche, Hooker and Thompson 1994).
    """
    rng = np.random.default_rng(seed)
    formula = Formula(n_vars)
    while len(formula.clauses) < n_clauses:
        length = rng.binomial(n_vars, mean_length / n_vars)
        if length >= 2:
            formula.add_clause(_random_lits(n_vars, length, rng))
    return formula


def aim(n_vars, ratio, satisfiable, seed):
    """About `ratio` clauses of three literals for each variable, with exactly one model or none.

    A hidden model is the only one of some clauses, one for each variable. These are replaced, one
    at a time, by two that have them as their resolvent, which adds no model and leaves the hidden
    one. One more clause excludes it if there shall be none. In the spirit of Asahiro, Iwama and
    Miyano 1996, the authors of the files aim.
    """
    rng = np.random.default_rng(seed)
    hidden = (rng.permutation(n_vars) + 1) * rng.choice([-1, 1], n_vars)  # its true literals
    clauses = [[int(hidden[i]), *(-_some(hidden[:i], min(i, 2), rng))] for i in range(n_vars)]
    n_clauses = round(ratio * n_vars) - (not satisfiable)
    while True:
        short = [clause for clause in clauses if len(clause) < 3]
        if not short and len(clauses) >= n_clauses:
            break
        clause = short[0] if short else clauses[rng.integers(len(clauses))]
        clauses.remove(clause)
        clauses += _split(clause, hidden, rng)
    if not satisfiable:
        clauses.append(-_some(hidden, 3, rng))
    formula = Formula(n_vars)
    for index in rng.permutation(len(clauses)):
        formula.add_clause(rng.permutation(clauses[index]))
    return formula


def _split(clause, hidden, rng):
    """Two clauses that `hidden` satisfies, with `clause` as resolvent."""
    new = int(_some(hidden[~np.isin(np.abs(hidden), np.abs(clause))], 1, rng)[0])
    if len(clause) < 3:
        return [[*clause, new], [*clause, -new]]
    true = int(_some(hidden[np.isin(hidden, clause)], 1, rng)[0])
    return [[*(lit for lit in clause if lit != true), new], [true, -new]]


def _some(values, n, rng):
    return rng.choice(values, n, replace=False) if n else values[:0]


def _random_lits(n_vars, length, rng):
    variables = rng.choice(n_vars, length, replace=False) + 1
    return variables * rng.choice([-1, 1], length)
