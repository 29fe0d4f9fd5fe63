"""The trail: literals become true one after another, and are taken back in the reverse order."""

import numpy as np

from bnnkit.solvers.native._compile import entry, inner
from bnnkit.solvers.native.heap import insert
from bnnkit.solvers.native.state import CLAUSE_HEAD, LEVEL, NEVER, SUM_HEAD, TRAIL
from bnnkit.solvers.native.sums import uncount

ONE = np.uint64(1)


@inner
def new_level(s):
    """Begin a decision level."""
    s.limit[s.count[LEVEL]] = np.uint32(s.count[TRAIL])
    s.count[LEVEL] += ONE


@inner
def backtrack(s, level):
    """Take back all levels above `level`."""
    if s.count[LEVEL] <= level:
        return
    start, end, counted = np.uint64(s.limit[level]), s.count[TRAIL], s.count[SUM_HEAD]
    while end > start:
        end -= ONE
        lit = s.trail[end]
        if end < counted:
            uncount(s, lit)
        s.value[lit] = 0
        s.value[lit ^ ONE] = 0
        s.when[lit] = NEVER
        variable = lit >> ONE
        s.phase[variable] = np.uint8(lit & ONE)
        if s.place[variable] == 0:
            insert(s, variable)
    s.count[TRAIL] = start
    s.count[CLAUSE_HEAD] = min(s.count[CLAUSE_HEAD], start)
    s.count[SUM_HEAD] = min(counted, start)
    s.count[LEVEL] = level


@entry
def back_to_root(s):
    """Take back everything but what holds for ever."""
    backtrack(s, np.uint64(0))
