"""The search: propagate, decide, learn from conflicts, go back; until an answer or a pause.

A search pauses when memory has to grow, or when the database of clauses and sums should be
simplified: those are done in Python's time, and the search goes on where it was.
"""

import numpy as np

from bnnkit.solvers.native._compile import entry, inner
from bnnkit.solvers.native.assign import assign, assign_for_ever
from bnnkit.solvers.native.clauses import FULL, append_clause, visit_clauses, watch
from bnnkit.solvers.native.heap import pop
from bnnkit.solvers.native.learning import analyze, final_core
from bnnkit.solvers.native.restarts import due_for_restart, restart
from bnnkit.solvers.native.state import (
    ARENA,
    CLAUSE_HEAD,
    CONFLICT_LIMIT,
    CONFLICTS,
    DECISIONS,
    FAST,
    FIXED,
    HEADER,
    HEAP,
    INCREMENT,
    LARGEST,
    LEARNT,
    LEARNT_SIZE,
    LEVEL,
    N_ASSUMPTIONS,
    NEXT_REDUCE,
    NEXT_SIMPLIFY,
    PENDING,
    POOL,
    PROPAGATIONS,
    RANDOM,
    REDUCE,
    ROOM,
    SAT,
    SIMPLIFY,
    SLOW,
    STOP,
    SUM_HEAD,
    TRAIL,
    UNKNOWN,
    UNSAT,
)
from bnnkit.solvers.native.sums import count
from bnnkit.solvers.native.trail import backtrack, new_level

ONE, FOUR = np.uint64(1), np.uint64(4)
ROOT = np.uint64(0)
DECAY = 1 / 0.95  # growth of what a conflict adds to an activity
FAST_RATE, SLOW_RATE = 1 / 32, 1 / 8192  # of the averages of the LBD


@entry
def search(s):
    """Search until there is an answer, or something to be done before going on."""
    while True:
        conflict = s.count[PENDING]
        if conflict == 0:
            conflict = propagate(s)
        if conflict == FULL:
            return ROOM
        if conflict != 0:
            s.count[PENDING] = conflict
            if s.count[LEVEL] == 0:
                return UNSAT
            if not has_room(s):
                return ROOM
            s.count[PENDING] = 0
            learn(s, conflict)
            if s.count[STOP] != 0 or s.count[CONFLICTS] >= s.count[CONFLICT_LIMIT]:
                return UNKNOWN
            continue
        if due_for_restart(s):
            restart(s)
        if s.count[LEVEL] == 0:
            if s.count[TRAIL] > s.count[FIXED] and s.count[CONFLICTS] >= s.count[NEXT_SIMPLIFY]:
                return SIMPLIFY
            if s.count[CONFLICTS] >= s.count[NEXT_REDUCE]:
                return REDUCE
        if s.count[STOP] != 0:
            return UNKNOWN
        answer = decide(s)
        if answer != UNKNOWN:
            return answer


@inner
def propagate(s):
    """Draw all conclusions from the trail; returns a conflict, 0, or FULL."""
    before = s.count[CLAUSE_HEAD]
    conflict = np.uint64(0)
    while conflict == 0:
        if s.count[CLAUSE_HEAD] < s.count[TRAIL]:
            conflict = visit_clauses(s, np.uint64(s.trail[s.count[CLAUSE_HEAD]]))
            if conflict != FULL:
                s.count[CLAUSE_HEAD] += ONE
        elif s.count[SUM_HEAD] < s.count[TRAIL]:
            s.count[SUM_HEAD] += ONE
            conflict = count(s, np.uint64(s.trail[s.count[SUM_HEAD] - ONE]))
        else:
            break
    s.count[PROPAGATIONS] += s.count[CLAUSE_HEAD] - before
    return conflict


@inner
def has_room(s):
    """Whether one more clause can be stored and watched."""
    words = np.uint64(len(s.value) + HEADER)
    fits = s.count[ARENA] + words <= np.uint64(len(s.arena))
    return fits and s.count[POOL] + FOUR * (s.count[LARGEST] * FOUR + FOUR) <= np.uint64(
        len(s.pool)
    )


@inner
def learn(s, conflict):
    """Learn a clause from a conflict, go back, and make its first literal true."""
    s.count[CONFLICTS] += ONE
    level, lbd = analyze(s, conflict)
    backtrack(s, level)
    first, size = np.uint64(s.learnt[0]), s.count[LEARNT_SIZE]
    if size == ONE:
        assign_for_ever(s, first)
    else:
        ref = append_clause(s, s.learnt, size, lbd)
        watch(s, first, ref, np.uint64(s.learnt[1]))
        watch(s, np.uint64(s.learnt[1]), ref, first)
        assign(s, first, ref + ref)
        s.count[LEARNT] += ONE
    s.real[INCREMENT] *= DECAY
    s.real[FAST] += (np.float64(lbd) - s.real[FAST]) * FAST_RATE
    s.real[SLOW] += (np.float64(lbd) - s.real[SLOW]) * max(
        SLOW_RATE, 1 / np.float64(s.count[CONFLICTS])
    )


@inner
def decide(s):
    """Assume what is to be assumed, else decide on a variable; UNKNOWN if the search goes on."""
    while s.count[LEVEL] < s.count[N_ASSUMPTIONS]:
        lit = np.uint64(s.assumptions[s.count[LEVEL]])
        if s.value[lit] < 0:
            final_core(s, lit)
            return UNSAT
        new_level(s)  # also for one that holds already, so that level k is that of assumption k
        if s.value[lit] == 0:
            assign(s, lit, ROOT)
            return UNKNOWN
    while s.count[HEAP] > 0:
        variable = np.uint64(pop(s))
        if s.value[variable + variable] == 0:
            s.count[DECISIONS] += ONE
            new_level(s)
            assign(s, variable + variable + value_of(s, variable), ROOT)
            return UNKNOWN
    return SAT


@inner
def value_of(s, variable):
    """The value that a decision tries: 0 for true. The last one, or a random one (xorshift64)."""
    x = s.count[RANDOM]
    if x == 0:
        return np.uint64(s.phase[variable])
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    s.count[RANDOM] = x
    return (x >> np.uint64(32)) & ONE
