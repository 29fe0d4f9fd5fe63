"""Making a literal true."""

import numpy as np

from bnnkit.solvers.native._compile import inner
from bnnkit.solvers.native.state import ARENA, LEVEL, TRAIL, UNITS

ONE = np.uint64(1)


@inner
def assign(s, lit, reason):
    """Make an unassigned literal true, for a reason."""
    n = s.count[TRAIL]
    variable = lit >> ONE
    s.value[lit] = 1
    s.value[lit ^ ONE] = -1
    s.when[lit] = np.uint32(n)
    s.level[variable] = np.uint32(s.count[LEVEL])
    s.reason[variable] = np.uint32(reason)
    s.trail[n] = np.uint32(lit)
    s.count[TRAIL] = n + ONE


@inner
def assign_for_ever(s, lit):
    """Make an unassigned literal true at level 0, and note its place among the clauses."""
    n = s.count[UNITS]
    s.units[n + n] = np.uint32(lit)
    s.units[n + n + ONE] = np.uint32(s.count[ARENA])
    s.count[UNITS] = n + ONE
    assign(s, lit, np.uint64(0))
