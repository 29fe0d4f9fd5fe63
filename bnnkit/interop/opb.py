"""Formulas in the OPB format of the pseudo-Boolean competitions."""

from bnnkit.formula import Formula
from bnnkit.formula._files import write_file
from bnnkit.solvers.translate import adapt

load = Formula.load


def save(formula, path, comments=()):
    """Write a formula as linear constraints, atomically; compressed if the name says so.

    A reified sum y <-> s >= b, with positive coefficients that add up to t, becomes two rows::

        s - b y >= 0                  y demands the sum
        s - (t - b + 1) y <= b - 1    not y forbids it

    Parameters
    ----------
    formula : Formula
        Its variables 1, 2, ... are called x1, x2, ...
    path : path-like
        The file may end in .gz, .xz or .bz2.
    comments : sequence of str
        Lines for people.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from bnnkit.formula import Formula
    >>> from bnnkit.interop import opb
    >>> formula = Formula(3)
    >>> formula.add_sum([1, 2], 2, output=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     opb.save(formula, f"{folder}/one.opb")
    ...     print(pathlib.Path(folder, "one.opb").read_text(), end="")
    * #variable= 3 #constraint= 3
    +1 x3 -1 x1 -1 x2 >= -1 ;
    -1 x3 +1 x1 >= 0 ;
    -1 x3 +1 x2 >= 0 ;
    """
    clauses, sums = adapt(formula.sums, ("cardinality", "coefficients"))
    rows = [(lits, [1] * len(lits), 1) for lits in formula.clauses.lists() + clauses.lists()]
    rows += [(lits, coefs, bound) for lits, coefs, bound, _ in sums.lists()]
    header = f"* #variable= {max(formula.n_vars, 1)} #constraint= {len(rows)}"
    lines = [header, *(f"* {line}" for comment in comments for line in comment.splitlines())]
    lines += [_row(*row) for row in rows]
    write_file(path, "\n".join(lines) + "\n")


def _row(lits, coefs, bound):
    """A line in terms of variables: c [not x] is c - c [x]."""
    by_variable = {}
    for lit, coef in zip(lits, coefs, strict=True):
        if lit < 0:
            bound, coef = bound - coef, -coef
        by_variable[abs(lit)] = by_variable.get(abs(lit), 0) + coef
    terms = [f"{coef:+d} x{variable}" for variable, coef in by_variable.items()]
    return f"{' '.join(terms) or '+0 x1'} >= {bound} ;"
