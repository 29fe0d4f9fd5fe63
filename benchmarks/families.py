"""Formulas of classic families, for tests and measurements of the solvers.

    python benchmarks/families.py [--solvers native,minisat22] [--limit 60]

prints how many seconds (wall, loading included) each solver takes for each family.
"""

import argparse
import itertools

import numpy as np

from bnnkit import solvers
from bnnkit._table import table
from bnnkit.formula import Formula


def pigeon_hole(holes):
    """One pigeon more than holes, each pigeon in a hole, no two in one: unsatisfiable.

    Hard for resolution, and so for clause learning (Haken 1985).
    """
    pigeons = holes + 1
    formula = Formula(pigeons * holes)
    sits = np.arange(1, pigeons * holes + 1).reshape(pigeons, holes)
    for pigeon in sits:
        formula.add_clause(pigeon)
    for hole in sits.T:
        for one, other in itertools.combinations(hole.tolist(), 2):
            formula.add_clause([-one, -other])
    return formula


def pigeon_sums(holes):
    """The same with one sum for each hole, which counting does not make easier."""
    pigeons = holes + 1
    formula = Formula(pigeons * holes)
    sits = np.arange(1, pigeons * holes + 1).reshape(pigeons, holes)
    for pigeon in sits:
        formula.add_clause(pigeon)
    for hole in sits.T:
        formula.add_sum(-hole, holes)
    return formula


def parity_chain(length, parity):
    """Two chains of exclusive ors over the same variables, the second one shuffled.

    Satisfiable exactly if `parity` is even; the unsatisfiable ones are like Dubois' formulas.
    """
    formula = Formula(length)
    order = np.random.default_rng(length).permutation(length) + 1
    for variables, odd in ((np.arange(1, length + 1), 0), (order, parity % 2)):
        total = int(variables[0])
        for variable in variables[1:].tolist():
            longer = formula.new_var()
            _exclusive_or(formula, total, variable, longer)
            total = longer
        formula.add_clause([-total if odd else total])
    return formula


def random_3sat(n_vars, seed, ratio=4.26):
    """Random clauses of three distinct variables; at the ratio 4.26 half of them have a model."""
    rng = np.random.default_rng(seed)
    formula = Formula(n_vars)
    for _ in range(round(ratio * n_vars)):
        variables = rng.choice(n_vars, 3, replace=False) + 1
        formula.add_clause(variables * rng.choice([-1, 1], 3))
    return formula


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


def _exclusive_or(formula, one, other, result):
    """Demand that `result` is true exactly if one of two variables is."""
    for signs in itertools.product([1, -1], repeat=3):
        if np.prod(signs) > 0:  # clauses that forbid the wrong assignments
            formula.add_clause([-signs[0] * one, -signs[1] * other, -signs[2] * result])


FAMILIES = {
    "pigeon hole 7": lambda: [pigeon_hole(7)],
    "pigeon hole 8": lambda: [pigeon_hole(8)],
    "pigeon hole 9": lambda: [pigeon_hole(9)],
    "pigeon sums 8": lambda: [pigeon_sums(8)],
    "odd parity, chains of 16": lambda: [parity_chain(16, 1)],
    "even parity, chains of 40": lambda: [parity_chain(40, 0)],
    "10 of random 3-SAT, 150 variables": lambda: [random_3sat(150, seed) for seed in range(10)],
    "10 of 50 sums of 12 terms": lambda: [random_sums(30, 50, 12, seed) for seed in range(10)],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--solvers", default="native,minisat22", help="separated by commas")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for each formula")
    options = parser.parse_args()
    names = options.solvers.split(",")
    rows = []
    for family, build in FAMILIES.items():
        formulas = build()
        answers = [[solve(formula, name, options.limit) for formula in formulas] for name in names]
        for outcomes in zip(*answers, strict=True):
            if {"sat", "unsat"} <= {outcome.status for outcome in outcomes}:
                raise SystemExit(f"{family}: the solvers disagree")
        rows.append([family, *(seconds(outcomes) for outcomes in answers)])
    print(table(["family", *names], rows))


def solve(formula, name, limit):
    with solvers.get(name)(formula) as solver:
        return solver.solve(timeout=limit)


def seconds(outcomes):
    total = f"{sum(outcome.seconds for outcome in outcomes):.2f}"
    undecided = sum(outcome.status == "unknown" for outcome in outcomes)
    return f"{total} ({undecided} undecided)" if undecided else total


if __name__ == "__main__":
    main()
