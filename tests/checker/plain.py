"""Proofs checked by definition, in plain Python, and formulas that have proofs of some length."""

import hashlib

import numpy as np
from solvers.formulas import add_random_constraint, random_literals

from bnnkit.formula import Formula
from bnnkit.solvers import get


def read_formula(text):
    """Clauses, and sums as (literals, bound, output), of a text with a constraint a line."""
    clauses, sums = [], []
    for line in text.splitlines()[1:]:
        words = line.split()
        if "#" in words:
            *lits, relation, bound, _, output = words
            below = relation == "<="
            sums.append((list(map(int, lits)), int(bound) + below, int(output) * (1 - 2 * below)))
        else:
            clauses.append([int(word) for word in words[:-1]])
    return clauses, sums


def read_proof(text):
    """Rows (kind, numbers) with the kinds "", "d" and "claim"."""
    rows = []
    for line in text.splitlines()[1:]:
        words = line.split()
        kind = words.pop(0) if words[0] in ("d", "claim") else ""
        rows.append((kind, [int(word) for word in words[:-1]]))
    return rows


def write_proof(rows, formula_text):
    lines = [f"p bnnkit-proof 1 {hashlib.sha256(formula_text.encode()).hexdigest()}"]
    lines += [
        " ".join(map(str, [*([kind] if kind else []), *numbers, 0])) for kind, numbers in rows
    ]
    return "\n".join(lines) + "\n"


def verifies(formula_text, rows, forgetful=False):
    """Whether each clause of a proof follows by reverse unit propagation, the claim included.

    A forgetful checker does not know any more what followed from clauses that are deleted.
    """
    clauses, sums = read_formula(formula_text)
    given, steps = clauses, []  # a step that is deleted is None
    known = closure(given, sums, set())
    for kind, numbers in rows:
        if kind == "d":
            for number in numbers:
                steps[number - 1] = None
            continue
        alive = given + [step for step in steps if step is not None]
        if forgetful and known is not None:
            known = closure(alive, sums, set())
        if (
            known is not None
            and closure(alive, sums, known | {-lit for lit in numbers}) is not None
        ):
            return False
        steps.append(numbers)
        if known is not None:  # what is known stays known, whatever is deleted
            known = closure([*alive, numbers], sums, known)
    return True


def closure(clauses, sums, true):
    """All literals that follow from some true ones by propagation; None for a contradiction."""
    true = set(true)
    while True:
        before = len(true)
        for clause in clauses:
            open_lits = {lit for lit in clause if -lit not in true}
            if len(open_lits) == 1 and not open_lits & true:
                true |= open_lits
            if not open_lits:
                return None
        for lits, bound, output in sums:
            true |= conclusions(*merged(lits, bound), output, true)
        if any(-lit in true for lit in true):
            return None
        if len(true) == before:
            return true


def merged(lits, bound):
    """Weights by literal, all positive and of different variables, and the bound for them."""
    weights = {}
    for lit in lits:
        weights[abs(lit)] = weights.get(abs(lit), 0) + (1 if lit > 0 else -1)
        bound -= lit < 0
    bound += sum(-w for w in weights.values() if w < 0)
    return {v if w > 0 else -v: abs(w) for v, w in weights.items() if w}, bound


def conclusions(weights, bound, output, true):
    """What a sum says about its output and its literals."""
    least = sum(w for lit, w in weights.items() if lit in true)
    most = sum(w for lit, w in weights.items() if -lit not in true)
    found = set()
    if least >= bound:
        found.add(output)
    if most < bound:
        found.add(-output)
    for lit, w in weights.items():
        if lit not in true and -lit not in true:
            if output in true and most - w < bound:
                found.add(lit)
            if -output in true and least + w >= bound:
                found.add(-lit)
    return found


def proved_formula(rng, n_vars=7, tries=1000):
    """A formula without models as a text, and its proof as rows, of some steps."""
    for _ in range(tries):
        formula = equations(rng, n_vars)
        with get("native")(formula, log=True) as solver:
            outcome = solver.solve()
            if outcome.status == "unsat":
                proof = solver.proof(outcome)
                if proof.n_steps > 2:
                    return formula.to_text(), rows_of(proof)
    raise AssertionError("no formula with a proof found")


def equations(rng, n_vars):
    """Two or three equations of sums with random coefficients, and other constraints."""
    formula = Formula(n_vars)
    for _ in range(rng.integers(2, 4)):
        coefs = rng.integers(1, 4, n_vars)
        lits = np.arange(1, n_vars + 1) * rng.choice([-1, 1], n_vars)
        for sign in (1, -1):
            formula.add_sum(lits, sign * int(coefs.sum() // 2), sign * coefs, formula.new_var())
            formula.add_clause([formula.n_vars, *random_literals(rng, n_vars, rng.integers(0, 2))])
    for _ in range(rng.integers(0, 3)):
        add_random_constraint(formula, rng)
    return formula


def rows_of(proof):
    """The rows of a `Proof`."""
    rows = []
    for deletes, numbers in proof.steps:
        row = []
        for number in numbers.tolist():
            if number:
                row.append(number)
            else:
                rows.append(("d" if deletes else "", row))
                row = []
    return [*rows, ("claim", list(proof.claim))]
