"""Reified sums  output <-> c_1 l_1 + ... + c_n l_n >= b,  propagated by counters.

A sum has two sides that mirror each other, with T the total of the coefficients:

    side 0: the l_i reach b                     ->  output
    side 1: the negated l_i reach T - b + 1     ->  not output

A side has a counter of what it lacks to its bound. Each true literal is subtracted where it
occurs, and added again when it is taken back. When a side reaches its bound, its output follows.
When the output of a side is false, the bound must not be reached, so literals with a coefficient
that would reach it must be false. That is all: no auxiliary variables, and nothing is stored
about what follows from a sum. Its reason is found when it is asked for, among the literals that
were true before.

A sum that must hold has the constant true as its output.
"""

import numpy as np

from bnnkit.solvers.native._compile import inner
from bnnkit.solvers.native.assign import assign
from bnnkit.solvers.native.state import INFO

ONE, TWO = np.uint64(1), np.uint64(2)
WORDS = np.uint64(INFO)


@inner
def count(s, lit):
    """Count a literal that has become true; returns a conflict, or 0.

    Also after a conflict all its occurrences are counted, so that they can be taken back.
    """
    conflict = np.uint64(0)
    unit = np.uint64(s.occurs_unit[lit])
    for k in range(np.uint64(s.occurs_start[lit]), np.uint64(s.occurs_start[lit + ONE])):
        side = np.uint64(s.occurs[k])
        lacking = s.distance[side] - (np.int64(1) if k < unit else s.occurs_coefs[k])
        s.distance[side] = lacking
        if lacking <= 0 and conflict == 0:
            conflict = examine(s, side, lacking)
    return conflict


@inner
def uncount(s, lit):
    """Take back what `count` has done."""
    start, unit = np.uint64(s.occurs_start[lit]), np.uint64(s.occurs_unit[lit])
    for k in range(start, unit):
        s.distance[s.occurs[k]] += np.int64(1)
    for k in range(unit, np.uint64(s.occurs_start[lit + ONE])):
        s.distance[s.occurs[k]] += s.occurs_coefs[k]


@inner
def examine(s, side, lacking):
    """Draw the conclusions from a side that lacks at most the greatest coefficient."""
    about, negated = (side >> ONE) * WORDS, side & ONE
    code = TWO * side + ONE
    output = s.info[about] ^ negated
    state = s.value[output]
    greatest = np.int64(s.info[about + ONE])
    if lacking + greatest <= 0:
        if state == 0:
            assign(s, output, code)
        elif state < 0:
            return code
    elif state < 0:
        for k in range(np.uint64(s.info[about + TWO]), np.uint64(s.info[about + TWO + ONE])):
            lit = s.sum_lits[k] ^ negated
            if s.value[lit] == 0 and s.sum_coefs[k] >= lacking + greatest:
                assign(s, lit ^ ONE, code)
    return np.uint64(0)
