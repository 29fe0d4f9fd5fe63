"""The state of a search: arrays only, so that compiled functions can share and Python can grow it.

Variable v of the formula has the literals 2 v (positive) and 2 v + 1 (negated); variable 0 is
the constant true. Where the trail, a reason or a watch list refers to something, it does so by a
number in an unsigned array: signed indices would cost a test for negative ones at every access.

A **reason** says why a literal is true: 0 for none (decisions, assumptions, facts), 2 * r for the
clause at r in the arena, 2 * t + 1 for side t of a sum. A **conflict** is given in the same way.
"""

from typing import NamedTuple

import numpy as np

TRUE = 0  # the literal that always holds
NEVER = np.uint32(2**32 - 1)  # the time at which a literal that is not true became true
# words of a clause in the arena before its literals: its size, its LBD (0: not learnt), and which
# literal the search for a new one to watch begins with
HEADER = 3
INFO = 4  # words about a sum: output, greatest coefficient, first and last term + 1


class State(NamedTuple):
    """Arrays of a search; n variables, m sums with t terms in all."""

    # scalars, by the names below
    count: np.ndarray  # uint64
    real: np.ndarray  # float64
    # assignment
    value: np.ndarray  # int8 (2n): 1 true, -1 false, 0 unassigned, by literal
    when: np.ndarray  # uint32 (2n): place on the trail where the literal became true, or NEVER
    level: np.ndarray  # uint32 (n)
    reason: np.ndarray  # uint32 (n)
    trail: np.ndarray  # uint32 (n): true literals in the order in which they became true
    limit: np.ndarray  # uint32 (n + 1): length of the trail where each level began
    # clauses
    arena: np.ndarray  # uint32: clauses one after another, from index 1 on
    watch_start: np.ndarray  # uint32 (2n): place of a literal's watches in the pool
    watch_size: np.ndarray  # uint32 (2n)
    watch_room: np.ndarray  # uint32 (2n)
    pool: np.ndarray  # uint32: watches, each a clause and a literal of it (blocker)
    # sums
    info: np.ndarray  # uint32 (4m)
    sum_lits: np.ndarray  # uint32 (t)
    sum_coefs: np.ndarray  # int32 (t)
    bound: np.ndarray  # int64 (2m): what each side has to reach
    distance: np.ndarray  # int64 (2m): what it lacks, less the greatest coefficient
    occurs_start: np.ndarray  # uint32 (2n + 1): a literal's occurrences, those with
    occurs_unit: np.ndarray  # uint32 (2n): coefficient 1 up to here
    occurs: np.ndarray  # uint32 (2t + 4m): side of a sum
    occurs_coefs: np.ndarray  # int32 (2t + 4m)
    # decisions
    heap: np.ndarray  # uint32 (n): variables, the most active one first
    place: np.ndarray  # uint32 (n): a variable's place in the heap + 1, 0 if it is not in there
    activity: np.ndarray  # float64 (n)
    weight: np.ndarray  # float64 (n): factor of what a conflict adds to the activity
    phase: np.ndarray  # uint8 (n): 0 if a decision makes the variable true, 1 if false
    assumptions: np.ndarray  # uint32 (n + 1)
    # learning
    seen: np.ndarray  # uint8 (n)
    why: np.ndarray  # uint32 (n + 1): literals of the reason being looked at
    learnt: np.ndarray  # uint32 (n + 1): literals of the clause being learnt
    stack: np.ndarray  # uint32 (n + 1)
    marked: np.ndarray  # uint32 (2n + 2): variables whose `seen` must be cleared
    stamp: np.ndarray  # uint64 (n + 1): by level, for counting different ones
    units: np.ndarray  # uint32 (2n): given and learnt units, each with the end of the arena then


(
    TRAIL,  # number of literals on the trail
    CLAUSE_HEAD,  # literals of the trail whose clauses have been visited
    SUM_HEAD,  # literals of the trail that have been counted in the sums
    LEVEL,
    HEAP,
    ARENA,  # words in use
    POOL,  # words in use
    LARGEST,  # room of the largest watch list
    N_ASSUMPTIONS,
    PENDING,  # a conflict that could not be handled for want of memory
    FIXED,  # literals of the trail that the database has been simplified by
    STAMP,
    STOP,  # set from another thread to end the search
    CONFLICTS,
    DECISIONS,
    PROPAGATIONS,
    RESTARTS,
    LEARNT,
    DELETED,
    NEXT_RESTART,  # number of conflicts
    NEXT_REDUCE,  # number of conflicts
    NEXT_SIMPLIFY,  # number of conflicts
    CONFLICT_LIMIT,
    RANDOM,  # state of the random values of decisions; 0 where the last values are kept
    RELUCTANT,  # how often a restart has come, and
    DOUBLING,  # the next term of Luby's sequence
    LEARNT_SIZE,
    UNITS,  # number of given and learnt units
    COUNTS,
) = range(29)

INCREMENT, FAST, SLOW, REALS = range(4)

# what a search returns
SAT, UNSAT, UNKNOWN, ROOM, REDUCE, SIMPLIFY = range(6)

_BY_LITERAL = {"value": 0, "when": NEVER, "watch_start": 0, "watch_size": 0, "watch_room": 0}
_BY_VARIABLE = ("level", "reason", "trail", "heap", "place", "activity", "weight", "phase", "seen")


def new_state() -> State:
    """A state with no variables but the constant one."""
    types = {
        "count": np.uint64,
        "real": np.float64,
        "value": np.int8,
        "sum_coefs": np.int32,
        "bound": np.int64,
        "distance": np.int64,
        "occurs_coefs": np.int32,
        "activity": np.float64,
        "weight": np.float64,
        "phase": np.uint8,
        "seen": np.uint8,
        "stamp": np.uint64,
    }
    arrays = {name: np.zeros(0, types.get(name, np.uint32)) for name in State._fields}
    arrays["count"], arrays["real"] = np.zeros(COUNTS, np.uint64), np.zeros(REALS)
    state = with_variables(State(**arrays), 1)
    state.count[ARENA] = state.count[RELUCTANT] = state.count[DOUBLING] = 1
    state.real[INCREMENT] = 1.0
    state.value[:2] = 1, -1
    state.when[TRUE] = 0
    state.trail[0] = TRUE
    state.count[TRAIL] = 1
    return state


def with_variables(state: State, n: int) -> State:
    """The state with room for `n` variables, the constant one included."""
    sizes = {name: (2 * n, start) for name, start in _BY_LITERAL.items()}
    sizes |= dict.fromkeys(_BY_VARIABLE, (n, 0))
    sizes |= dict.fromkeys(("limit", "assumptions", "why", "learnt", "stack"), (n + 1, 0))
    sizes |= {"stamp": (n + 1, 0), "marked": (2 * n + 2, 0)}
    sizes |= {"occurs_start": (2 * n + 1, 0), "occurs_unit": (2 * n, 0), "units": (2 * n, 0)}
    return state._replace(
        **{name: grown(getattr(state, name), *size) for name, size in sizes.items()}
    )


def grown(array: np.ndarray, size: int, fill: int = 0) -> np.ndarray:
    """A copy with a greater size."""
    longer = np.zeros(size, array.dtype)
    longer[: len(array)] = array
    if fill:
        longer[len(array) :] = fill
    return longer
