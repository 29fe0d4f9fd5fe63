"""Formulas in the format that the name of a file says."""

import os
from functools import partial

from bnnkit.formula._files import COMPRESSIONS
from bnnkit.interop import dimacs, opb

_WRITERS = {
    ".cnf": partial(dimacs.save, sums="clauses"),
    ".rcnf": partial(dimacs.save, sums="reified"),
    ".bnn": partial(dimacs.save, sums="bnn"),
    ".opb": opb.save,
}


def write_formula(formula, path, comments=()):
    """Write a formula, atomically; the end of the name says in which format.

    Parameters
    ----------
    formula : Formula
    path : path-like
        ``.cnf`` for clauses alone, ``.rcnf`` for DIMACS with reified sums, ``.bnn`` for the
        lines of CryptoMiniSat, ``.opb`` for linear constraints (see `dimacs` and `opb`); each may
        be followed by .gz, .xz or .bz2. `Formula.load` reads them all.
    comments : sequence of str
        Lines for people, put at the beginning.

    Raises
    ------
    ValueError
        The name ends otherwise.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from bnnkit.formula import Formula
    >>> from bnnkit.interop import write_formula
    >>> formula = Formula(3)
    >>> formula.add_sum([1, -2], 1, output=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_formula(formula, f"{folder}/one.rcnf")
    ...     pathlib.Path(folder, "one.rcnf").read_text().splitlines()
    ['p cnf 3 1', '1 -2 >= 1 # 3']
    """
    writer_for(path)(formula, path, comments=comments)


def writer_for(path):
    """The function that writes the format of a file's name; ValueError if there is none."""
    stem, suffix = os.path.splitext(os.fspath(path))
    if suffix in COMPRESSIONS:
        suffix = os.path.splitext(stem)[1]
    if suffix not in _WRITERS:
        raise ValueError(
            f"{path} must end in {', '.join(_WRITERS)}, which may be followed by "
            f"{', '.join(COMPRESSIONS)}: the end says the format of the formula"
        )
    return _WRITERS[suffix]
