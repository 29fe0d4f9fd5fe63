"""`Proof`: why a formula has no model, for others to check; see docs/formats.md."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
from dataclasses import dataclass, field

import numpy as np

from bnnkit._files import atomic_path
from bnnkit.formula._files import GZIP_LEVEL, read_file


@dataclass(frozen=True)
class Proof:
    """Clauses that follow one after another by unit propagation, up to a claim.

    Attributes
    ----------
    steps : tuple of (bool, ndarray of int32)
        In their order: False and clauses, each ending in 0; or True and the numbers of steps that
        are not needed any more, and a 0. Only clauses count as steps, from 1 on.
    claim : tuple of int
        The clause that is proved; empty if the formula has no model at all.

    Examples
    --------
    >>> from bnnkit import solvers
    >>> from bnnkit.formula import Formula
    >>> formula = Formula(3)
    >>> formula.add_clauses([1, 2, 1, -2], [2, 2])  # so x1
    >>> with solvers.get("native")(formula, log=True) as solver:
    ...     solver.proof(solver.solve([-1])).claim
    (1,)
    """

    steps: tuple = field(default=(), repr=False)
    claim: tuple = ()

    @property
    def n_steps(self) -> int:
        """Number of clauses before the claim."""
        return sum(np.count_nonzero(numbers == 0) for deletes, numbers in self.steps if not deletes)

    def save(
        self, path: str | os.PathLike, formula: str | os.PathLike, names: np.ndarray | None = None
    ) -> None:
        """Write the proof to a file, atomically; gzipped if its name ends in .gz.

        Parameters
        ----------
        path : path
        formula : path
            The file with the formula; the proof has its SHA-256.
        names : ndarray of int, optional
            If the formula has other numbers for the variables: that of variable v at index v.
        """
        digest = hashlib.sha256(read_file(formula)[1]).hexdigest()
        zipped = os.fspath(path).endswith(".gz")
        with atomic_path(path) as temporary, open(temporary, "wb") as raw:
            file = gzip.GzipFile("", "wb", GZIP_LEVEL, raw, mtime=0) if zipped else raw
            with io.TextIOWrapper(file, encoding="ascii") as text:
                text.write(f"p bnnkit-proof 1 {digest}\n")
                for deletes, numbers in self.steps:
                    text.write("d " * deletes + _lines(numbers, None if deletes else names))
                text.write("claim " + _lines(np.array([*self.claim, 0]), names))


def _lines(numbers: np.ndarray, names: np.ndarray | None) -> str:
    """Numbers as text, a line for each 0."""
    if names is not None:
        numbers = np.sign(numbers) * names[np.abs(numbers)]
    return " ".join(map(str, numbers.tolist())).replace(" 0 ", " 0\n") + "\n"
