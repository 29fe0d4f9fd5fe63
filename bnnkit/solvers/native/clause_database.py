"""Loading, simplifying and reducing the clauses, all at level 0.

What is true at level 0 is true for ever: satisfied clauses are dropped, and false literals are
left out of the others. The watches are then built anew.
"""

import numpy as np

from bnnkit.solvers.native._compile import entry, inner
from bnnkit.solvers.native.assign import assign, assign_for_ever
from bnnkit.solvers.native.clauses import append_clause, watch
from bnnkit.solvers.native.state import (
    ARENA,
    HEADER,
    LARGEST,
    NEVER,
    POOL,
    UNITS,
)

ONE, TWO = np.uint64(1), np.uint64(2)
LITS = np.uint64(HEADER)
ROOT = np.uint64(0)
DISCARDED = NEVER  # as the LBD of a clause: to be left out


@entry
def load_clauses(s, lits, offsets):
    """Append clauses to the arena, which must have room; False if one of them cannot hold."""
    for row in range(np.uint64(len(offsets)) - ONE):
        start, stop = np.uint64(offsets[row]), np.uint64(offsets[row + ONE])
        size = distinct_open(s, lits, start, stop)
        if size == 0:
            return False
        if size == ONE:
            assign_for_ever(s, np.uint64(s.learnt[0]))
        elif size != NEVER:
            append_clause(s, s.learnt, size, ROOT)
    return True


@inner
def distinct_open(s, lits, start, stop):
    """Write the distinct unassigned literals to `s.learnt`; their number, NEVER if one holds."""
    size, satisfied = ROOT, False
    for k in range(start, stop):
        lit = np.uint64(lits[k])
        if s.value[lit] > 0 or s.seen[lit >> ONE] == TWO - (lit & ONE):
            satisfied = True
        if s.value[lit] == 0 and s.seen[lit >> ONE] == 0:
            s.seen[lit >> ONE] = np.uint8(ONE + (lit & ONE))
            s.learnt[size] = np.uint32(lit)
            size += ONE
    for k in range(size):
        s.seen[s.learnt[k] >> ONE] = 0
    return np.uint64(NEVER) if satisfied else size


@entry
def learnt_clauses(s, refs):
    """Write the places of the learnt clauses to `refs`; returns their number."""
    n, ref = ROOT, ONE
    while ref < s.count[ARENA]:
        if s.arena[ref + ONE] != 0:
            refs[n] = np.uint32(ref)
            n += ONE
        ref += LITS + s.arena[ref]
    return n


@entry
def list_steps(s, ref, unit, lits, sizes):
    """Write what was learnt since place `ref` and unit number `unit`, in the order of time.

    `lits` gets the literals ±v of each clause and a 0, `sizes` the numbers of literals. Returns
    how many words and clauses were written.
    """
    n_lits, n_steps = ROOT, ROOT
    while ref < s.count[ARENA] or unit < s.count[UNITS]:
        if unit < s.count[UNITS] and s.units[TWO * unit + ONE] <= ref:
            lits[n_lits] = signed(s.units[TWO * unit])
            size = ONE
            unit += ONE
        else:
            size, learnt = np.uint64(s.arena[ref]), s.arena[ref + ONE] != 0
            if learnt:
                for k in range(size):
                    lits[n_lits + k] = signed(s.arena[ref + LITS + k])
            ref += LITS + size
            if not learnt:
                continue
        lits[n_lits + size] = 0
        sizes[n_steps] = size
        n_lits += size + ONE
        n_steps += ONE
    return n_lits, n_steps


@inner
def signed(lit):
    """A literal as +v or -v."""
    return -np.int32(lit >> 1) if lit & 1 else np.int32(lit >> 1)


@entry
def rebuild_clauses(s, kept):
    """Compact and simplify the clauses, and watch them; False if one of them cannot hold.

    The pool must have room for four watches a clause and four words a literal. `kept` gets True
    for each learnt clause that is still there.
    """
    end, ref, n_learnt = s.count[ARENA], ONE, ROOT
    s.count[ARENA] = ONE
    while ref < end:
        size, lbd = np.uint64(s.arena[ref]), np.uint64(s.arena[ref + ONE])
        after = ref + LITS + size
        n_learnt += ONE if lbd != 0 else ROOT
        if lbd != DISCARDED:
            size = distinct_open(s, s.arena, ref + LITS, after)
            if size == 0:
                return False
            if size == ONE:
                assign(s, np.uint64(s.learnt[0]), ROOT)
            elif size != NEVER:
                append_clause(s, s.learnt, size, min(lbd, size))
                if lbd != 0:
                    kept[n_learnt - ONE] = True
        ref = after
    watch_all(s)
    return True


@inner
def watch_all(s):
    """Build the watch lists."""
    s.watch_size[:] = 0
    ref = ONE
    while ref < s.count[ARENA]:
        s.watch_size[s.arena[ref + LITS]] += np.uint32(1)
        s.watch_size[s.arena[ref + LITS + ONE]] += np.uint32(1)
        ref += LITS + s.arena[ref]
    s.count[POOL], s.count[LARGEST] = 0, 0
    for lit in range(np.uint64(len(s.watch_size))):
        room = np.uint64(s.watch_size[lit])
        s.watch_start[lit] = np.uint32(s.count[POOL])
        s.watch_room[lit] = np.uint32(room)
        s.watch_size[lit] = 0
        s.count[POOL] += TWO * room
        s.count[LARGEST] = max(s.count[LARGEST], room)
    ref = ONE
    while ref < s.count[ARENA]:
        first, second = np.uint64(s.arena[ref + LITS]), np.uint64(s.arena[ref + LITS + ONE])
        watch(s, first, ref, second)
        watch(s, second, ref, first)
        ref += LITS + s.arena[ref]
