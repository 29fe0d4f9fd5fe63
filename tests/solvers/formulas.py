"""Formulas for the tests of the solvers, and the truth about them by brute force."""

import itertools

import numpy as np

from bnnkit.formula import Formula


def all_assignments(n_vars):
    """Every assignment, shape (2**n_vars, n_vars)."""
    return np.array(list(itertools.product([False, True], repeat=n_vars)), dtype=bool).reshape(
        2**n_vars, n_vars
    )


def models(formula):
    """For each of `all_assignments` whether it satisfies the formula."""
    values = all_assignments(formula.n_vars)
    good = np.ones(len(values), dtype=bool)
    for clause in formula.clauses.lists():
        good &= np.any([truth(values, lit) for lit in clause], axis=0)
    for lits, coefs, bound, output in formula.sums.lists():
        total = sum(
            (coef * truth(values, lit) for lit, coef in zip(lits, coefs, strict=True)),
            start=np.zeros(len(values), dtype=int),
        )
        good &= (total >= bound) == (truth(values, output) if output else True)
    return good


def truth(values, lit):
    """The value of a literal in each of several assignments."""
    return values[:, abs(lit) - 1] == (lit > 0)


def satisfiable(formula, assumptions=()):
    """Whether the formula has a model under assumptions."""
    good, values = models(formula), all_assignments(formula.n_vars)
    return bool((good & np.all([truth(values, a) for a in assumptions] or [True], axis=0)).any())


def random_formula(rng, n_vars=None):
    """A small formula with any kind of constraint that is allowed."""
    formula = Formula(rng.integers(1, 9) if n_vars is None else n_vars)
    for _ in range(rng.integers(0, 6)):
        add_random_constraint(formula, rng)
    return formula


def add_random_constraint(formula, rng):
    """Add a clause or a sum to a formula, or to a solver."""
    n_vars = getattr(formula, "formula", formula).n_vars
    size = rng.choice([0, 1, 2, 3, 5, 8], p=[0.02, 0.08, 0.2, 0.3, 0.2, 0.2])
    lits = random_literals(rng, n_vars, size)  # repeated and opposite ones included
    if rng.random() < 0.2:
        formula.add_clause(lits)
        return
    styles = [np.ones(size, int), rng.integers(-2, 3, size), rng.integers(0, 8, size) * 3]
    coefs = styles[rng.integers(3)]
    bound = rng.integers(min(0, coefs.sum()) - 1, max(0, coefs.sum()) + 2)
    bound = rng.choice([bound, -(10**12), 10**12], p=[0.98, 0.01, 0.01])
    output = int(random_literals(rng, n_vars, 1)[0])  # may be one of the terms
    formula.add_sum(lits, bound, coefs, output if rng.random() < 0.8 else None)


def random_literals(rng, n_vars, size):
    """Literals, drawn with replacement."""
    return rng.integers(1, n_vars + 1, size) * rng.choice([-1, 1], size)


def hard_formula():
    """Equations that no solver here solves; variable 1 switches them on."""
    return market_split(40, 12)


def market_split(n_vars, n_equations):
    """Equations with coefficients, for variables from 2 on; variable 1 switches them on.

    Cornuéjols and Dawande (1998).
    """
    rng = np.random.default_rng(1)
    formula = Formula(n_vars + 1)
    for _ in range(n_equations):
        coefs = rng.integers(1, 4, n_vars)
        for sign in (1, -1):
            reached = formula.new_var()
            half = sign * int(coefs.sum() // 2)
            formula.add_sum(range(2, n_vars + 2), half, sign * coefs, output=reached)
            formula.add_clause([-1, reached])
    return formula
