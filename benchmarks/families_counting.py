"""Formulas about counting: pigeons in holes, and random reified sums."""

import itertools

import numpy as np

from bnnkit.formula import Formula


def pigeon_hole(holes):
    """One pigeon more than holes, each pigeon in a hole, no two in one: unsatisfiable.

    Hard for resolution, and so for clause learning (Haken 1985).
    """
    formula, sits = _pigeons_in_holes(holes)
    for hole in sits.T:
        for one, other in itertools.combinations(hole.tolist(), 2):
            formula.add_clause([-one, -other])
    return formula


def pigeon_sums(holes):
    """The same with one sum for each hole, which counting does not make easier."""
    formula, sits = _pigeons_in_holes(holes)
    for hole in sits.T:
        formula.add_sum(-hole, holes)
    return formula


def _pigeons_in_holes(holes):
    """Each pigeon in a hole; the formula, and its variables by pigeon and hole."""
    formula = Formula()
    sits = formula.new_vars((holes + 1) * holes).reshape(holes + 1, holes)
    for pigeon in sits:
        formula.add_clause(pigeon)
    return formula, sits


def random_sums(n_vars, n_sums, length, seed, planted=True):
    """Random reified sums with small coefficients, their outputs in random clauses.

    With `planted`, there is a model; without, bounds and clauses are arbitrary.
    """
    rng = np.random.default_rng(seed)
    formula = Formula(n_vars + n_sums)
    hidden = rng.random(n_vars) < 0.5
    reached = np.zeros(n_sums, dtype=bool)
    for i in range(n_sums):
        variables = rng.choice(n_vars, length, replace=False)
        signs, coefs = rng.choice([-1, 1], length), rng.choice([1, 1, 1, 2, 3], length)
        bound = int(coefs.sum() // 2 + rng.integers(-1, 2))
        reached[i] = coefs[hidden[variables] == (signs > 0)].sum() >= bound
        formula.add_sum((variables + 1) * signs, bound, coefs, output=n_vars + 1 + i)
    for _ in range(3 * n_sums):
        outputs = rng.choice(n_sums, 3, replace=False)
        signs = rng.choice([-1, 1], 3)
        if planted and not ((signs > 0) == reached[outputs]).any():
            signs[0] *= -1
        formula.add_clause((n_vars + 1 + outputs) * signs)
    return formula
