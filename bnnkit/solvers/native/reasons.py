"""Reasons as clauses: why a literal became true, or what is contradictory.

Sums store nothing when they make a literal true. Which literals were to blame is read off the
trail: of those that were true before it, enough to reach the bound of the side.
"""

import numpy as np

from bnnkit.solvers.native._compile import inner, shared
from bnnkit.solvers.native.state import HEADER, INFO, NEVER

ONE, TWO = np.uint64(1), np.uint64(2)
LITS, WORDS = np.uint64(HEADER), np.uint64(INFO)
CONFLICT = np.uint64(NEVER)  # in place of a literal: it is a conflict that is explained


@inner
def explain(s, code, lit):
    """Write to `s.why` the false literals which make `lit` true, or a CONFLICT; how many."""
    if code & ONE == 0:
        return clause_reason(code >> ONE, lit, s.arena, s.why)
    return sum_reason(code >> ONE, lit, s.info, s.sum_lits, s.sum_coefs, s.bound, s.when, s.why)


@shared
def clause_reason(ref, lit, arena, why):
    """The other literals of a clause."""
    n = np.uint64(0)
    for k in range(ref + LITS, ref + LITS + arena[ref]):
        if arena[k] != lit:
            why[n] = arena[k]
            n += ONE
    return n


@shared
def sum_reason(side, lit, info, sum_lits, sum_coefs, bound, when, why):
    """Negations of counted literals that reach the bound, and the output if it is false."""
    about, negated = (side >> ONE) * WORDS, side & ONE
    first, last = np.uint64(info[about + TWO]), np.uint64(info[about + TWO + ONE])
    output = info[about] ^ negated
    missing, before, n = bound[side], np.uint64(NEVER), np.uint64(0)
    if lit != output:  # a conflict, or a literal that would have reached the bound
        why[0] = np.uint32(output)
        n = ONE
    if lit != CONFLICT:
        before = np.uint64(when[lit])
        if lit != output:
            missing -= coefficient(lit ^ negated ^ ONE, first, last, sum_lits, sum_coefs)
    for k in range(first, last):
        if missing <= 0:
            break
        counted = sum_lits[k] ^ negated
        if when[counted] < before:
            why[n] = np.uint32(counted ^ ONE)
            n += ONE
            missing -= sum_coefs[k]
    return n


@inner
def coefficient(lit, first, last, sum_lits, sum_coefs):
    """The coefficient of a literal in a sum that it occurs in."""
    k = first
    while k < last and sum_lits[k] != lit:
        k += ONE
    return np.int64(sum_coefs[k])
