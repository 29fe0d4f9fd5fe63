"""Whether a proof proves what it claims about a formula."""

from dataclasses import dataclass

import numpy as np

from bnnkit.checker.rup import check as check_portion
from bnnkit.checker.rup import new_state
from bnnkit.checker.text import CLAIM, CLAUSE, read_formula, read_proof

_PORTION = 500  # rows between two looks at the keyboard


@dataclass(frozen=True)
class Checked:
    """What came of a check.

    Attributes
    ----------
    verified : bool
    claim : str
        What was to be proved.
    reason : str
        Why it is not verified, and where.

    Examples
    --------
    >>> from bnnkit.checker import Checked
    >>> Checked(False, claim="the formula has no model", reason="step 3 does not follow").verified
    False
    """

    verified: bool
    claim: str
    reason: str = ""


def check(formula, proof):
    """Check each step of a proof by reverse unit propagation.

    Parameters
    ----------
    formula, proof : path
        Files as docs/formats.md defines them, plain or gzipped.

    Returns
    -------
    Checked

    Raises
    ------
    OSError, ValueError
        A file that cannot be read, or is none of that kind.

    Examples
    --------
    The native solver refutes a formula, and its proof is checked:

    >>> import tempfile
    >>> from bnnkit import solvers
    >>> from bnnkit.checker import check
    >>> from bnnkit.formula import Formula
    >>> formula = Formula(2)
    >>> formula.add_clauses([1, 2, 1, -2, -1, 2, -1, -2], [2, 2, 2, 2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     formula.save(f"{folder}/no.cnf")
    ...     with solvers.get("native")(formula, log=True) as solver:
    ...         solver.proof(solver.solve()).save(f"{folder}/no.proof", f"{folder}/no.cnf")
    ...     check(f"{folder}/no.cnf", f"{folder}/no.proof").verified
    True
    """
    clause, wrong = check_rows(*read_formula(formula), proof)
    claim = f"the clause {list(clause)} follows" if clause else "there is no solution"
    return Checked(not wrong, f"{claim}: {formula}", wrong)


def check_rows(n_vars, constraints, digest, proof):
    """Check a proof about a formula that has been read.

    Returns
    -------
    claim : tuple of int
        The clause that is to be proved; empty if that the formula has no model.
    wrong : str
        What is wrong with the proof; empty if nothing is.
    """
    rows, of_formula = read_proof(proof, n_vars)
    claim = tuple(_numbers(rows, len(rows.kind) - 1))
    if of_formula != digest:
        return claim, "the proof is about another formula, its SHA-256 says"
    state = new_state(constraints, rows)
    n_formula = np.count_nonzero(constraints.kind == CLAUSE)
    row, clause, n_rows = 0, n_formula, len(rows.kind)
    while row < n_rows:
        stop = min(row + _PORTION, n_rows)
        place = row, stop, clause, n_formula
        row, clause = check_portion(state, rows.kind, rows.numbers, rows.end, *place)
        if row < stop:
            name = "the claim" if rows.kind[row] == CLAIM else f"step {clause - n_formula + 1}"
            return claim, f"{name}, {_numbers(rows, row)}, does not follow by unit propagation"
    return claim, ""


def _numbers(rows, row):
    return rows.numbers[rows.end[row - 1] if row else 0 : rows.end[row]].tolist()
