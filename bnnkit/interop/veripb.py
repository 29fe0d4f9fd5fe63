"""Proofs for VeriPB, a checker from elsewhere.

A reified sum becomes two rows of OPB, see `opb.save`. What its counters conclude is what unit
propagation concludes from these rows, so each step of a proof is one line ``rup`` of VeriPB's.

Gocht, Nordström: Certifying parity reasoning efficiently using pseudo-Boolean proofs. AAAI 2021.
The format is that of VeriPB 3, https://gitlab.com/MIAOresearch/software/VeriPB.
"""

import itertools
import os

from bnnkit._files import write_text
from bnnkit.checker.text import CLAIM, DELETION, read_formula, read_proof
from bnnkit.formula import Formula
from bnnkit.interop import opb


def save(formula, proof, prefix):
    """Write a formula and its proof to PREFIX.opb and PREFIX.pbp, atomically.

    Nothing is checked but that the files can be read: that is VeriPB's work,
    ``veripb PREFIX.opb PREFIX.pbp``.

    Parameters
    ----------
    formula, proof : path
        Files as `bnnkit.checker.check` takes them.
    prefix : path

    Raises
    ------
    OSError, ValueError
        A file that cannot be read, or is none of that kind.

    Examples
    --------
    >>> import os, tempfile
    >>> from bnnkit import solvers
    >>> from bnnkit.formula import Formula
    >>> from bnnkit.interop import veripb
    >>> formula = Formula(2)
    >>> formula.add_clauses([1, 2, 1, -2, -1], [2, 2, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     formula.save(f"{folder}/no.cnf")
    ...     with solvers.get("native")(formula, log=True) as solver:
    ...         solver.proof(solver.solve()).save(f"{folder}/no.proof", f"{folder}/no.cnf")
    ...     veripb.save(f"{folder}/no.cnf", f"{folder}/no.proof", f"{folder}/no")
    ...     sorted(os.listdir(folder))
    ['no.cnf', 'no.opb', 'no.pbp', 'no.proof']
    """
    n_vars, _, _ = read_formula(formula)
    rows, _ = read_proof(proof, n_vars)
    lines = ["pseudo-Boolean proof version 3.0", *_steps(rows), "output NONE ;"]
    claims_clause = rows.end[-1] > (rows.end[-2] if len(rows.end) > 1 else 0)
    lines.append("conclusion NONE ;" if claims_clause else "conclusion UNSAT : -1 ;")
    opb.save(Formula.load(formula), f"{os.fspath(prefix)}.opb")
    write_text(f"{os.fspath(prefix)}.pbp", "\n".join([*lines, "end pseudo-Boolean proof ;", ""]))


def _steps(rows):
    """A line for each row; steps have labels, as rows of the formula have the first numbers."""
    step, flat = 0, rows.numbers.tolist()
    for kind, (begin, end) in zip(
        rows.kind.tolist(), itertools.pairwise([0, *rows.end.tolist()]), strict=True
    ):
        numbers = flat[begin:end]
        if kind == DELETION:
            yield f"del id {' '.join(f'@s{number}' for number in numbers)} ;"
            continue
        step += 1
        label = "" if kind == CLAIM else f"@s{step} "
        terms = (f"1 x{lit}" if lit > 0 else f"1 ~x{-lit}" for lit in dict.fromkeys(numbers))
        yield f"{label}rup {' '.join([*terms, '>= 1'])} ;"
