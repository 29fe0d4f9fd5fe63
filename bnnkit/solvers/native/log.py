"""The log of a search: what was learnt, in its order, and what was discarded of it.

The search writes nothing for it. Learnt clauses lie in the arena in the order in which they were
learnt, units in a list of their own with their place among them (also given ones: those of a sum
that counts its own output do not follow by propagation alone), so it is enough to read them
before the database is simplified. Whatever else the solver does (propagation by counters,
simplification at level 0, sums without their constants) is unit propagation on the formula and on
what was learnt, so each clause of the log follows by reverse unit propagation from those before.

Goldberg, Novikov: Verification of proofs of unsatisfiability for CNF formulas. DATE 2003.
"""

import numpy as np

from bnnkit.solvers.native.clause_database import list_steps
from bnnkit.solvers.native.state import ARENA, HEADER, TRAIL, UNITS
from bnnkit.solvers.proof import Proof


class StepLog:
    """Steps of a search so far."""

    def __init__(self):
        self._chunks = []  # as in `Proof`
        self._n_steps = 0
        self._numbers = np.zeros(0, np.int64)  # of the learnt clauses in the arena, in its order
        self._place, self._unit = 1, 0
        self._facts = 1  # literals of the trail that have been looked at

    @property
    def nbytes(self) -> int:
        """Memory of the steps."""
        return sum(numbers.nbytes for _, numbers in self._chunks)

    def read(self, state) -> None:
        """Read what was learnt since the last time."""
        new_units = int(state.count[UNITS]) - self._unit
        words = int(state.count[ARENA]) - self._place
        lits = np.empty(words + 2 * new_units, np.int32)
        sizes = np.empty(words // HEADER + new_units, np.int64)
        place, unit = np.uint64(self._place), np.uint64(self._unit)
        n_lits, n_steps = list_steps(state, place, unit, lits, sizes)
        if n_steps:
            self._chunks.append((False, lits[:n_lits].copy()))
            new = self._n_steps + 1 + np.flatnonzero(sizes[:n_steps] > 1)
            self._numbers = np.concatenate([self._numbers, new])
            self._n_steps += int(n_steps)
        self._place, self._unit = int(state.count[ARENA]), int(state.count[UNITS])

    def keep(self, kept, state) -> None:
        """Note which of the learnt clauses are left after a rebuild of the arena.

        `kept` is a bool for each of them, and may be longer.
        """
        kept = kept[: len(self._numbers)]
        gone = self._numbers[~kept]
        if len(gone):
            self._write_facts(state)
            self._chunks.append((True, np.append(gone, 0).astype(np.int32)))
        self._numbers = self._numbers[kept]
        self._place = int(state.count[ARENA])

    def _write_facts(self, state):
        """Make units of what holds for ever, before the clauses that it follows from are gone."""
        n = int(state.count[TRAIL])
        facts = np.setdiff1d(state.trail[self._facts : n], state.units[0 : 2 * self._unit : 2])
        lits = (facts >> 1).astype(np.int32) * np.where(facts & 1, -1, 1)
        self._chunks.append((False, np.stack([lits, 0 * lits], axis=1).ravel().astype(np.int32)))
        self._n_steps, self._facts = self._n_steps + len(facts), n

    def proof(self, claim) -> Proof:
        """The proof of a clause that follows by unit propagation from the steps so far."""
        return Proof(tuple(self._chunks), tuple(claim))
