"""Formulas as DIMACS: plain clauses, and the two dialects with reified sums.

============== =========================== ======================================
sums           a line                      read by
============== =========================== ======================================
``"clauses"``  (none: they become clauses) every SAT solver
``"reified"``  ``1 -2 3 >= 2 # 5``         bnnkit, MiniSatCS
``"bnn"``      ``b 1 -2 3 0 2 5 0``        bnnkit, CryptoMiniSat with BNN support
============== =========================== ======================================

In both dialects variable 5 is true exactly if at least two of the literals 1, -2, 3 are.
"""

from bnnkit.formula import Formula
from bnnkit.formula._files import write_file
from bnnkit.formula._text import dimacs as dimacs_text
from bnnkit.solvers.encodings import DEFAULT, encode
from bnnkit.solvers.translate import adapt

load = Formula.load


def save(formula, path, sums="reified", comments=()):
    """Write a formula as DIMACS, atomically; compressed if the name ends in .gz, .xz or .bz2.

    Parameters
    ----------
    formula : Formula
    path : path-like
    sums : "clauses", "reified", "bnn"
        How sums are written. The variables of the formula keep their numbers; encodings add
        variables behind them.
    comments : sequence of str
        Lines for people, put at the beginning.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from bnnkit.formula import Formula
    >>> from bnnkit.interop import dimacs
    >>> formula = Formula(3)
    >>> formula.add_sum([1, 2], 2, output=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for sums in ("clauses", "reified"):
    ...         dimacs.save(formula, f"{folder}/one.cnf", sums=sums)
    ...         print(pathlib.Path(folder, "one.cnf").read_text().splitlines())
    ['p cnf 3 3', '3 -1 -2 0', '-3 1 0', '-3 2 0']
    ['p cnf 3 1', '1 2 >= 2 # 3']
    """
    if sums not in _TEXTS:
        raise ValueError(f"sums must be one of {', '.join(_TEXTS)}, got {sums!r}")
    lines = [f"c {line}\n" for comment in comments for line in comment.splitlines()]
    write_file(path, "".join(lines) + _TEXTS[sums](formula))


def to_clauses(formula, encoding=DEFAULT):
    """An equivalent formula of clauses alone.

    Parameters
    ----------
    formula : Formula
    encoding : str
        How sums are encoded: one of `bnnkit.solvers.encodings.ENCODINGS`.

    Returns
    -------
    Formula
        Its models, without the variables beyond those of `formula`, are the models of `formula`.
    """
    more, sums = adapt(formula.sums, ())
    clauses, top = [], formula.n_vars
    for lits, _, bound, output in sums.lists():
        encoded, top = encode(lits, bound, output, encoding, top)
        clauses += encoded
    pure = Formula(top)
    for part in (formula.clauses, more):
        pure.add_clauses(part.lits, part.lengths)
    pure.add_clauses([lit for clause in clauses for lit in clause], list(map(len, clauses)))
    return pure


def _bnn_text(formula):
    """Lines of CryptoMiniSat: distinct variables, coefficients as repeated literals, no empty sum.

    Every sum has an output, as readers differ in how they want it left out.
    """
    more, sums = adapt(formula.sums, ("cardinality", "reified"))
    return dimacs_text(formula.n_vars, formula.clauses.lists() + more.lists(), sums, _bnn_line)


def _bnn_line(lits, bound, output):
    return f"b {' '.join(map(str, lits))} 0 {bound} {output} 0"


_TEXTS = {
    "clauses": lambda formula: to_clauses(formula).to_text(),
    "reified": Formula.to_text,
    "bnn": _bnn_text,
}
