"""Simplifying the sums at level 0, and building what their propagation needs.

Terms whose literals are known for ever are left out, and so are sums that cannot be violated any
more. Then follow the lists of where each literal occurs, and the counters.
"""

import numpy as np

from bnnkit.solvers.native._compile import entry, inner
from bnnkit.solvers.native.state import FIXED, INFO, SUM_HEAD, TRAIL, TRUE

ONE, TWO = np.uint64(1), np.uint64(2)
WORDS = np.uint64(INFO)
NONE = np.uint64(0)


@entry
def rebuild_sums(s, lits, coefs, offsets, bounds, outputs):
    """Simplify the sums of the formula into those of the search.

    The sums are normalised: positive coefficients, and no variable twice in one sum. Propagation
    of the constant true will examine each of them.
    """
    n_sums, n_terms = NONE, NONE
    for row in range(np.uint64(len(bounds))):
        state = s.value[outputs[row]]
        end, bound, total, greatest = n_terms, bounds[row], np.int64(0), np.int64(1)
        for k in range(offsets[row], offsets[row + ONE]):
            if s.value[lits[k]] > 0:
                bound -= coefs[k]
            elif s.value[lits[k]] == 0:
                s.sum_lits[end], s.sum_coefs[end] = lits[k], coefs[k]
                total += coefs[k]
                greatest = max(greatest, np.int64(coefs[k]))
                end += ONE
        if (state > 0 and bound <= 0) or (state < 0 and total < bound):
            continue
        about = n_sums * WORDS
        s.info[about], s.info[about + ONE] = outputs[row], np.uint32(greatest)
        s.info[about + TWO], s.info[about + TWO + ONE] = np.uint32(n_terms), np.uint32(end)
        s.bound[TWO * n_sums], s.bound[TWO * n_sums + ONE] = bound, total - bound + 1
        s.distance[TWO * n_sums] = bound - greatest
        s.distance[TWO * n_sums + ONE] = total - bound + 1 - greatest
        n_sums, n_terms = n_sums + ONE, end
    list_occurrences(s, n_sums, n_terms)
    s.count[SUM_HEAD] = 0
    s.count[FIXED] = s.count[TRAIL]


@inner
def list_occurrences(s, n_sums, n_terms):
    """List for each literal the sides that it counts for, those with coefficient 1 first.

    An occurrence with coefficient 0 is a side whose output is the negation of the literal; all
    sides are among those of the constant true.
    """
    start, unit, place = s.occurs_start, s.occurs_unit, s.marked
    start[:] = 0
    unit[:] = 0
    for k in range(n_terms):
        for lit in (np.uint64(s.sum_lits[k]), s.sum_lits[k] ^ ONE):
            start[lit + ONE] += np.uint32(1)
            if s.sum_coefs[k] == 1:
                unit[lit] += np.uint32(1)
    for i in range(n_sums):
        output = np.uint64(s.info[i * WORDS])
        for lit in (output, output ^ ONE, np.uint64(TRUE), np.uint64(TRUE)):
            start[lit + ONE] += np.uint32(1)
    for lit in range(np.uint64(len(unit))):
        start[lit + ONE] += start[lit]
        place[lit] = np.uint32(start[lit] + unit[lit])
        unit[lit] = start[lit]
    for i in range(n_sums):
        about, side = i * WORDS, TWO * i
        for k in range(np.uint64(s.info[about + TWO]), np.uint64(s.info[about + TWO + ONE])):
            lit, coef = np.uint64(s.sum_lits[k]), s.sum_coefs[k]
            cursor = unit if coef == 1 else place
            put(s, cursor, lit, side, coef)
            put(s, cursor, lit ^ ONE, side + ONE, coef)
        output = np.uint64(s.info[about])
        put(s, place, output ^ ONE, side, np.int32(0))
        put(s, place, output, side + ONE, np.int32(0))
        put(s, place, np.uint64(TRUE), side, np.int32(0))
        put(s, place, np.uint64(TRUE), side + ONE, np.int32(0))


@inner
def put(s, cursor, lit, side, coef):
    """Write an occurrence where a cursor is, and move that on."""
    s.occurs[cursor[lit]], s.occurs_coefs[cursor[lit]] = np.uint32(side), coef
    cursor[lit] += np.uint32(1)
