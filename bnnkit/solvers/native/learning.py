"""Conflict analysis: what to learn from a conflict, and how far to go back.

Going back along the reasons from a conflict until one literal of the current level is left (first
unique implication point) gives a clause which follows from the formula and which makes another
literal true on an earlier level. Literals that the others imply are left out.

Marques-Silva, Sakallah: GRASP. IEEE Trans. Comput. 48 (1999).
Sörensson, Biere: Minimizing learned clauses. SAT 2009.
"""

import numpy as np

from bnnkit.solvers.native._compile import inner
from bnnkit.solvers.native.heap import bump
from bnnkit.solvers.native.reasons import CONFLICT, explain
from bnnkit.solvers.native.state import HEADER, LEARNT_SIZE, LEVEL, STAMP, TRAIL

ONE, TWO = np.uint64(1), np.uint64(2)
LITS = np.uint64(HEADER)


@inner
def analyze(s, conflict):
    """Derive a clause from a conflict.

    The clause is in `s.learnt`, the literal that it makes true first, one of the level to go back
    to second. Returns this level and the number of levels in the clause (LBD).
    """
    collect(s, conflict)
    size = minimise(s)
    s.count[LEARNT_SIZE] = size
    level = np.uint64(0)
    if size > ONE:
        level = np.uint64(s.level[s.learnt[1] >> ONE])
        for k in range(TWO, size):
            lit = s.learnt[k]
            if s.level[lit >> ONE] > level:
                level = np.uint64(s.level[lit >> ONE])
                s.learnt[k], s.learnt[1] = s.learnt[1], lit
    lbd = count_levels(s, s.learnt, np.uint64(0), size)
    return level, lbd


@inner
def collect(s, conflict):
    """The clause of the first unique implication point; its variables but the first are seen."""
    current = s.count[LEVEL]
    size, open_lits = ONE, np.uint64(0)
    index, lit, code = s.count[TRAIL], CONFLICT, conflict
    while True:
        if code & ONE == 0:
            update_lbd(s, code >> ONE)
        for k in range(explain(s, code, lit)):
            other = s.why[k]
            variable = other >> ONE
            if s.seen[variable] == 0 and s.level[variable] > 0:
                s.seen[variable] = 1
                bump(s, variable)
                if s.level[variable] == current:
                    open_lits += ONE
                else:
                    s.learnt[size] = other
                    size += ONE
        index -= ONE
        while s.seen[s.trail[index] >> ONE] == 0:
            index -= ONE
        lit = np.uint64(s.trail[index])
        s.seen[lit >> ONE] = 0
        open_lits -= ONE
        if open_lits == 0:
            break
        code = np.uint64(s.reason[lit >> ONE])
    s.learnt[0] = np.uint32(lit ^ ONE)
    s.count[LEARNT_SIZE] = size


@inner
def minimise(s):
    """Leave out literals that the others imply, and forget what was seen; the new size."""
    size = s.count[LEARNT_SIZE]
    levels = np.uint64(0)  # a set of 64: literals of other levels cannot be implied
    for k in range(ONE, size):
        levels |= ONE << (s.level[s.learnt[k] >> ONE] & np.uint64(63))
        s.marked[k - ONE] = s.learnt[k] >> ONE
    n_marked = size - ONE
    kept = ONE
    for k in range(ONE, size):
        lit = s.learnt[k]
        if s.reason[lit >> ONE] != 0:
            redundant, n_marked = implied(s, lit, levels, n_marked)
            if redundant:
                continue
        s.learnt[kept] = lit
        kept += ONE
    for k in range(n_marked):
        s.seen[s.marked[k]] = 0
    return kept


@inner
def implied(s, lit, levels, n_marked):
    """Whether literals that are seen make `lit` false, and the number of marked variables.

    What was found on the way is seen and marked as well if it was a success.
    """
    before = n_marked
    s.stack[0] = np.uint32(lit)
    height = ONE
    while height > 0:
        height -= ONE
        top = np.uint64(s.stack[height])
        code = np.uint64(s.reason[top >> ONE])
        for k in range(explain(s, code, top ^ ONE)):
            other = s.why[k]
            variable = other >> ONE
            if s.seen[variable] != 0 or s.level[variable] == 0:
                continue
            bit = ONE << (s.level[variable] & np.uint64(63))
            if s.reason[variable] == 0 or levels & bit == 0:
                while n_marked > before:
                    n_marked -= ONE
                    s.seen[s.marked[n_marked]] = 0
                return False, before
            s.seen[variable] = 1
            s.marked[n_marked] = np.uint32(variable)
            n_marked += ONE
            s.stack[height] = other
            height += ONE
    return True, n_marked


@inner
def update_lbd(s, ref):
    """Lower the LBD of a learnt clause that took part in a conflict, if it has become smaller."""
    old = s.arena[ref + ONE]
    if old > TWO:
        lbd = count_levels(s, s.arena, ref + LITS, ref + LITS + s.arena[ref])
        if lbd < old:
            s.arena[ref + ONE] = np.uint32(lbd)


@inner
def count_levels(s, lits, start, stop):
    """In how many levels some literals became assigned (Audemard and Simon, IJCAI 2009)."""
    s.count[STAMP] += ONE
    mark, n = s.count[STAMP], np.uint64(0)
    for k in range(start, stop):
        level = s.level[lits[k] >> ONE]
        if s.stamp[level] != mark:
            s.stamp[level] = mark
            n += ONE
    return n


@inner
def final_core(s, lit):
    """Write to `s.learnt` an assumption that is false, and those that make it so; their number."""
    s.learnt[0] = np.uint32(lit)
    size = ONE
    s.seen[lit >> ONE] = 1
    index = s.count[TRAIL]
    first = np.uint64(s.limit[0]) if s.count[LEVEL] > 0 else index
    while index > first:
        index -= ONE
        true = np.uint64(s.trail[index])
        variable = true >> ONE
        if s.seen[variable] == 0:
            continue
        s.seen[variable] = 0
        if s.reason[variable] == 0:
            s.learnt[size] = np.uint32(true)
            size += ONE
            continue
        for k in range(explain(s, np.uint64(s.reason[variable]), true)):
            other = s.why[k] >> ONE
            if s.level[other] > 0:
                s.seen[other] = 1
    s.seen[lit >> ONE] = 0
    s.count[LEARNT_SIZE] = size
