"""Solvers that are slow, hang, lie, or end their process, for the tests of campaigns.

They are the native solver but for the questions that `is_odd` names, which are about half of
those that are not trivial. A module that is not a test, as child processes import it.
"""

import os
import signal
import time

import numpy as np

from bnnkit.solvers import Outcome
from bnnkit.solvers.native import Native


def is_odd(formula):
    """Whether the solvers below misbehave on this formula."""
    return formula.n_vars > 6 and formula.n_vars % 2 == 1


class Fainting(Native):
    """Gives up in an orderly manner."""

    def solve(self, assumptions=(), timeout=None):
        if is_odd(self.formula):
            return self.misbehave()
        return super().solve(assumptions, timeout)

    def misbehave(self):
        return Outcome("unknown", reason="gave up")


class Exiting(Fainting):
    """Ends its process."""

    def misbehave(self):
        os._exit(3)


class Killed(Fainting):
    """Is killed, as the system does when memory is short."""

    def misbehave(self):
        os.kill(os.getpid(), signal.SIGKILL)


class Crashing(Fainting):
    """Reads where there is nothing."""

    def misbehave(self):
        os.kill(os.getpid(), signal.SIGSEGV)


class Greedy(Fainting):
    """Wants more memory than there is."""

    def misbehave(self):
        return Outcome("unknown", reason=str(np.ones(2**42)))


class Hanging(Fainting):
    """Looks at no clock."""

    def misbehave(self):
        time.sleep(60)


class Failing(Fainting):
    """Has a bug."""

    def misbehave(self):
        raise RuntimeError("a bug of the solver")


class Lying(Native):
    """Calls something a model that is none."""

    def _search(self, assumptions):
        if not is_odd(self.formula):
            return super()._search(assumptions)
        model = np.arange(1, self.formula.n_vars + 1)
        claims = (model, -model)
        return "sat", next(m for m in claims if not self.formula.holds(m > 0)).tolist()

    _search_briefly = _search


class Forging(Fainting):
    """Calls something a model, past the check of models: the image of all lowest levels."""

    def misbehave(self):
        return Outcome("sat", np.zeros(self.formula.n_vars, bool))


class OwnError(Exception):
    """Cannot be made again from its arguments, as pickle does."""

    def __init__(self, what, where):
        super().__init__(what)


class Broken(Native):
    """Fails whatever it is asked."""

    def __init__(self, *arguments, **options):
        raise OwnError("a bug", "here")


class Dead(Native):
    """Ends its process whatever it is asked."""

    def solve(self, assumptions=(), timeout=None):
        os._exit(3)


class Slow(Native):
    """Takes a while."""

    def solve(self, assumptions=(), timeout=None):
        time.sleep(0.03)
        return super().solve(assumptions, timeout)


class Hungry(Native):
    """Needs four gibibytes of addresses, for a moment."""

    def solve(self, assumptions=(), timeout=None):
        if self.formula.n_vars > 6:
            np.empty(2**29)
        return super().solve(assumptions, timeout)
