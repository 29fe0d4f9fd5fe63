"""Cardinality sums as clauses, for solvers that take nothing else.

Of the encodings that PySAT has, the modulo totalizer is the default. On random two-layer networks
of reified sums, 20 to 300 literals long, 20 satisfiable and 10 unsatisfiable ones, CaDiCaL took so
many seconds in total, encoding included (limit 6 and 15 seconds, all solved):

============ =========== =========== ================================= =====================
encoding     satisfiable     unsat.  clauses, 100 literals, bound 50   the same, 300 and 150
============ =========== =========== ================================= =====================
seqcounter          18.0         6.2                            10,000                90,000
sortnetwrk          19.3         3.9                             8,800                58,400
cardnetwrk          18.9         3.5                             8,100                53,800
totalizer           13.9         6.1                            11,200                94,700
mtotalizer          10.2         1.3                             3,600                17,400
kmtotalizer         10.5         1.0                             3,000                13,700
============ =========== =========== ================================= =====================

Glucose ranks them alike. That unit propagation is incomplete with the modulo totalizers costs less
than their size saves.
"""

from __future__ import annotations

import numpy as np

from bnnkit._names import unknown
from bnnkit.formula import ClauseArrays, SumArrays

# "pairwise", "bitwise" and "ladder" exist in PySAT too, but only for the bound 1
ENCODINGS = ("seqcounter", "sortnetwrk", "cardnetwrk", "totalizer", "mtotalizer", "kmtotalizer")
DEFAULT = "mtotalizer"


class ClauseEncoder:
    """Encodes a growing set of constraints as clauses.

    Auxiliary variables come in between the variables of the formula, so the solver of the clauses
    has its own numbering. Its variable 1 occurs in no clause that is made here.

    Parameters
    ----------
    encoding : str
        One of `ENCODINGS`.
    """

    def __init__(self, encoding: str = DEFAULT):
        self._encoding = check_encoding(encoding)
        self._theirs = np.zeros(1, dtype=np.int64)  # of each variable of the formula; 0 has none
        # of each of the solver's; 0 for auxiliary ones, of which the first is left to the solver
        self._ours = np.zeros(2, dtype=np.int64)

    def add(self, n_vars: int, clauses: ClauseArrays, sums: SumArrays) -> list[list[int]]:
        """The clauses for new constraints over variables up to `n_vars`.

        Parameters
        ----------
        n_vars : int
        clauses : ClauseArrays
        sums : SumArrays
            As `translate.adapt` returns them for a solver without abilities.
        """
        self._number_variables(n_vars)
        result = ClauseArrays(self.to_solver(clauses.lits), clauses.offsets).lists()
        outputs = self.to_solver(sums.outputs).tolist()
        lits = ClauseArrays(self.to_solver(sums.lits), sums.offsets).lists()
        top = len(self._ours) - 1
        for terms, bound, output in zip(lits, sums.bounds.tolist(), outputs, strict=True):
            encoded, top = encode(terms, bound, output, self._encoding, top)
            result += encoded
        self._ours = np.append(self._ours, np.zeros(top + 1 - len(self._ours), dtype=np.int64))
        return result

    def to_solver(self, lits: np.ndarray) -> np.ndarray:
        """Literals of the formula in the numbering of the solver."""
        return np.sign(lits) * self._theirs[np.abs(lits)]

    def from_solver(self, lits: list[int]) -> np.ndarray:
        """Literals of the solver in the numbering of the formula, without auxiliary ones."""
        lits = np.array(lits, dtype=np.int64)
        ours = np.sign(lits) * self._ours[np.abs(lits)]
        return ours[ours != 0]

    def _number_variables(self, n_vars: int) -> None:
        ours = np.arange(len(self._theirs), n_vars + 1)
        self._theirs = np.append(self._theirs, len(self._ours) + np.arange(len(ours)))
        self._ours = np.append(self._ours, ours)


def encode(
    lits: list[int], bound: int, output: int, encoding: str, top: int
) -> tuple[list[list[int]], int]:
    """Clauses for one cardinality sum, reified or not, by an encoding of `pysat.card`.

    For ``output -> sum >= bound`` the clauses of the plain constraint are taken, and the negated
    output is added to those of them that have no positive auxiliary literal:

    - Where the output is true, nothing has changed.
    - Where it is false, making every auxiliary variable true satisfies all clauses, so nothing
      is demanded of the sum.
    - If unit propagation finds that the plain constraint is violated (as it does with all but the
      modulo totalizers), the clause that becomes empty has the negated output left instead, so
      that is propagated.

    Parameters
    ----------
    lits : list of int
        May have repeated literals.
    bound : int
        From 1 to the number of literals.
    output : int
        0 if the sum must hold.
    encoding : str
        One of `ENCODINGS`.
    top : int
        The greatest variable in use.

    Returns
    -------
    clauses : list of list of int
    top : int
        The greatest variable in use now.

    References
    ----------
    Sinz (2005), sequential counters; Asín et al. (2009), sorting and cardinality networks;
    Bailleux and Boufkhad (2003), totalizers; Ogawa et al. (2013) and Morgado et al. (2014),
    modulo and k-modulo totalizers.
    """
    clauses, top = _at_least(lits, bound, -output, encoding, top)
    if output == 0:
        return clauses, top
    too_few = len(lits) - bound + 1  # negated literals, for the sum to stay below its bound
    more_clauses, top = _at_least([-lit for lit in lits], too_few, output, encoding, top)
    return clauses + more_clauses, top


def check_encoding(encoding: str) -> str:
    """Return the name of a cardinality encoding, or raise a ValueError that lists them."""
    if encoding not in ENCODINGS:
        raise ValueError(unknown("encoding", encoding, ENCODINGS))
    return encoding


def _at_least(
    lits: list[int], bound: int, escape: int, encoding: str, top: int
) -> tuple[list[list[int]], int]:
    """Clauses for sum >= bound; a literal `escape` other than 0 satisfies them, too."""
    from pysat.card import CardEnc, EncType

    encoded = CardEnc.atleast(lits, bound, top_id=top, encoding=getattr(EncType, encoding))
    clauses = encoded.clauses
    if escape:
        for clause in clauses:
            if all(lit <= top for lit in clause):
                clause.append(escape)
    return clauses, max(top, encoded.nv)
