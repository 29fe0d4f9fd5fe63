"""When to take back all decisions and begin again, with what has been learnt."""

import numpy as np

from bnnkit.solvers.native._compile import inner
from bnnkit.solvers.native.state import (
    CONFLICTS,
    DOUBLING,
    FAST,
    NEXT_REDUCE,
    NEXT_RESTART,
    RANDOM,
    RELUCTANT,
    RESTARTS,
    SLOW,
)
from bnnkit.solvers.native.trail import backtrack

ONE = np.uint64(1)
ROOT = np.uint64(0)
PAUSE = np.uint64(50)  # conflicts between two restarts at least
MARGIN = 1.15  # restart when recent LBDs exceed the average by this factor
UNIT = np.uint64(100)  # conflicts that a 1 of Luby's sequence stands for


@inner
def due_for_restart(s):
    """Whether recent clauses are worse than usual, or the database should be reduced.

    With random decisions the time is given by Luby's sequence instead.
    """
    if s.count[CONFLICTS] >= s.count[NEXT_REDUCE]:
        return True
    if s.count[CONFLICTS] < s.count[NEXT_RESTART]:
        return False
    return s.count[RANDOM] != 0 or s.real[FAST] > MARGIN * s.real[SLOW]


@inner
def restart(s):
    """Take back all decisions.

    Luby's sequence 1 1 2 1 1 2 4 ... comes from Knuth's reluctant doubling.
    """
    s.count[RESTARTS] += ONE
    if s.count[RANDOM] == 0:
        s.count[NEXT_RESTART] = s.count[CONFLICTS] + PAUSE
    else:
        s.count[NEXT_RESTART] = s.count[CONFLICTS] + UNIT * s.count[DOUBLING]
        if s.count[RELUCTANT] & (~s.count[RELUCTANT] + ONE) == s.count[DOUBLING]:
            s.count[RELUCTANT] += ONE
            s.count[DOUBLING] = ONE
        else:
            s.count[DOUBLING] += s.count[DOUBLING]
    backtrack(s, ROOT)
