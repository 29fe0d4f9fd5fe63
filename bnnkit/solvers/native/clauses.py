"""Clauses: an arena, two watched literals each, and unit propagation.

A clause is watched by its first two literals. As long as neither is false nothing follows from
it, so it is visited only when one of them becomes false. A watch has another literal of the clause
at hand (blocker): if that is true, the clause itself need not be looked at. The search for another
literal to watch goes on where the last one found one: otherwise a long clause is searched again and
again through literals that have been false for long.

Moskewicz et al.: Chaff: engineering an efficient SAT solver. DAC 2001.
Gent: Optimal implementation of watched literals and more general techniques. JAIR 48 (2013).
"""

import numpy as np

from bnnkit.solvers.native._compile import inner
from bnnkit.solvers.native.assign import assign
from bnnkit.solvers.native.state import ARENA, HEADER, LARGEST, POOL

ONE, TWO = np.uint64(1), np.uint64(2)
LITS = np.uint64(HEADER)
FULL = np.uint64(2**33)  # returned instead of a conflict when the pool is full
NO_CONFLICT = np.uint64(0)


@inner
def append_clause(s, lits, size, lbd):
    """Copy a clause to the end of the arena; returns where it is. There must be room."""
    ref = s.count[ARENA]
    s.arena[ref] = np.uint32(size)
    s.arena[ref + ONE] = np.uint32(lbd)
    s.arena[ref + TWO] = np.uint32(TWO)
    for i in range(np.uint64(size)):
        s.arena[ref + LITS + i] = lits[i]
    s.count[ARENA] = ref + LITS + size
    return ref


@inner
def watch(s, lit, ref, blocker):
    """Add a watch to the list of a literal; False if the pool is full.

    A list without room moves to the end of the pool.
    """
    size, room = np.uint64(s.watch_size[lit]), np.uint64(s.watch_room[lit])
    start = np.uint64(s.watch_start[lit])
    if size == room:
        room = max(TWO * room, TWO + TWO)
        end = s.count[POOL] + TWO * room
        if end > np.uint64(len(s.pool)):
            return False
        for i in range(TWO * size):
            s.pool[s.count[POOL] + i] = s.pool[start + i]
        start = s.count[POOL]
        s.count[POOL] = end
        s.watch_start[lit], s.watch_room[lit] = np.uint32(start), np.uint32(room)
        s.count[LARGEST] = max(s.count[LARGEST], room)
    s.pool[start + TWO * size] = np.uint32(ref)
    s.pool[start + TWO * size + ONE] = np.uint32(blocker)
    s.watch_size[lit] = np.uint32(size + ONE)
    return True


@inner
def visit_clauses(s, lit):
    """Visit the clauses whose watched literal not `lit` has become false.

    Returns a conflict, NO_CONFLICT, or FULL: then the same literal must be visited once more.
    """
    value, arena, pool = s.value, s.arena, s.pool
    false = lit ^ ONE
    start = np.uint64(s.watch_start[false])
    end = start + TWO * s.watch_size[false]
    read = write = start
    result = NO_CONFLICT
    while read < end:
        ref, blocker = np.uint64(pool[read]), np.uint64(pool[read + ONE])
        read += TWO
        if value[blocker] > 0:
            pool[write], pool[write + ONE] = np.uint32(ref), np.uint32(blocker)
            write += TWO
            continue
        lits = ref + LITS
        other = np.uint64(arena[lits])
        if other == false:
            other = np.uint64(arena[lits + ONE])
            arena[lits], arena[lits + ONE] = np.uint32(other), np.uint32(false)
        if value[other] > 0:
            pool[write], pool[write + ONE] = np.uint32(ref), np.uint32(other)
            write += TWO
            continue
        saved, stop = lits + arena[ref + TWO], lits + arena[ref]
        k = saved
        while k < stop and value[arena[k]] < 0:
            k += ONE
        if k == stop:
            k, stop = lits + TWO, saved
            while k < stop and value[arena[k]] < 0:
                k += ONE
        if k < stop:
            if watch(s, np.uint64(arena[k]), ref, other):
                arena[ref + TWO] = np.uint32(k - lits)
                arena[lits + ONE] = arena[k]
                arena[k] = np.uint32(false)
                continue
            result = FULL
        elif value[other] < 0:
            result = TWO * ref
        else:
            assign(s, other, TWO * ref)
        pool[write], pool[write + ONE] = np.uint32(ref), np.uint32(other)
        write += TWO
        if result != NO_CONFLICT:
            break
    while read < end:
        pool[write] = pool[read]
        write += ONE
        read += ONE
    s.watch_size[false] = np.uint32((write - start) >> ONE)
    return result
