"""The modes of the native solver, and such as make much of its work happen in small formulas."""

import tempfile
from pathlib import Path

from bnnkit import solvers
from bnnkit.checker.proof import check_rows
from bnnkit.checker.text import read_formula
from bnnkit.solvers.native import Native
from bnnkit.solvers.outcome import Outcome

TIMEOUT = 20.0  # seconds for one question


class Reducing(Native):
    """The native solver with a reduction of its learnt clauses after every other conflict."""

    def _start(self):
        super()._start()
        self._engine._reduce_first = self._engine._reduce_step = 2
        self._engine._set("NEXT_REDUCE", 2)


class Proving(Reducing):
    """The same, and a RuntimeError if the checker does not accept the proof of an "unsat"."""

    def __init__(self, formula=None, **options):
        super().__init__(formula, log=True, **options)

    def solve(self, assumptions=(), timeout=None):
        """As `Solver.solve`."""
        outcome = super().solve(assumptions, timeout)
        if outcome.status == "unsat":
            with tempfile.TemporaryDirectory() as folder:
                formula, proof = Path(folder, "formula.cnf"), Path(folder, "proof")
                self.formula.save(formula)
                self.proof(outcome).save(proof, formula)
                claim, wrong = check_rows(*read_formula(formula), proof)
            if wrong or not {-lit for lit in claim} <= set(outcome.core):
                raise RuntimeError(f"the proof of {claim}, core {outcome.core}: {wrong}")
        return outcome


class Hesitant(Native):
    """The native solver, out of time at first, so that `verify` hunts; and at last it answers."""

    def solve(self, assumptions=(), timeout=None):
        """As `Solver.solve`."""
        self._calls = getattr(self, "_calls", 0) + 1
        if self._calls < 3 and not self._options["diverse"]:
            return Outcome("unknown", reason="timeout")
        return super().solve(assumptions, timeout)


NATIVE = {
    "native, slices": solvers.get("native", conflict_limit=1),
    "native, diverse": solvers.get("native", diverse=True, seed=1),
    "native, reducing": Reducing,
    "native, proving": Proving,
}
