"""Reverse unit propagation over clauses and reified sums.

A clause follows if unit propagation from its negation ends in a conflict. Clauses have two
watched literals. A sum  y <-> c_1 l_1 + ... + c_n l_n >= b  has two sides, with T the total:

    side 0:  c_1 l_1 + ... + c_n l_n          reaches b          ->  y
    side 1:  c_1 not l_1 + ... + c_n not l_n  reaches T - b + 1  ->  not y

A side whose left is true lacks nothing and makes its right true; one whose right is false makes
each literal false that would take it there. What is true without an assumption stays true, also
when the clause that made it so is deleted.

In here the literal v is 2 v, and not v is 2 v + 1.
"""

from typing import NamedTuple

import numpy as np

from bnnkit.checker._compile import entry, inner
from bnnkit.checker.text import CLAUSE, DELETION, SUM

N_TRAIL, CLAUSES_DONE, SUMS_DONE, REFUTED = range(4)
NONE = -1
FALSE = 1  # the negation of variable 0, which is true


class State(NamedTuple):
    """Arrays of the propagation: n variables, m clauses, s sums with t terms in all."""

    count: np.ndarray  # int64: the numbers named above
    value: np.ndarray  # int8 (2n + 2), by literal: 1 true, -1 false, 0 open
    trail: np.ndarray  # int32 (n): true literals in the order of time
    # clauses; watch 2 c + i is that of literal i, 0 or 1, of clause c
    lits: np.ndarray  # int32
    begin: np.ndarray  # int64 (m + 1)
    deleted: np.ndarray  # bool (m)
    after: np.ndarray  # int32 (2n + 2 + 2m): by literal its first watch, by watch the next; or NONE
    blocker: np.ndarray  # int32 (2m): while this literal is true, the clause needs no look
    # sums
    terms: np.ndarray  # int32 (t): literals
    coefs: np.ndarray  # int32 (t)
    term_end: np.ndarray  # int64 (s)
    output: np.ndarray  # int32 (s)
    greatest: np.ndarray  # int32 (s): coefficient
    slack: np.ndarray  # int64 (2s), by side: what it lacks, less the greatest coefficient
    # where literals count: places place[l] .. place[l + 1] - 1
    place: np.ndarray  # int64 (2n + 3)
    side: np.ndarray  # int32 (2t + 2s)
    gain: np.ndarray  # int32 (2t + 2s): coefficient; 0 where the side's right becomes false


def new_state(formula, proof):
    """A state with all clauses and sums of a formula, and room for the clauses of a proof."""
    sums, clauses = formula.kind == SUM, formula.kind == CLAUSE
    given, end = _select(formula, clauses)
    steps, step_end = _select(proof, proof.kind != DELETION)
    terms, term_end = _select(formula, sums)
    numbers, begin = (
        np.concatenate([given, steps]),
        np.concatenate([[0], end, len(given) + step_end]),
    )
    n_vars = int(max(abs(part).max(initial=0) for part in (numbers, terms, formula.output)))
    m, n_sums, n_terms, n_lits = len(begin) - 1, len(term_end), len(terms), 2 * n_vars + 2
    state = State(
        count=np.zeros(4, np.int64),
        value=np.zeros(n_lits, np.int8),
        trail=np.zeros(n_vars, np.int32),
        lits=_codes(numbers),
        begin=begin,
        deleted=np.zeros(m, bool),
        after=np.full(n_lits + 2 * m, NONE, np.int32),
        blocker=np.zeros(2 * m, np.int32),
        terms=_codes(terms),
        coefs=np.zeros(n_terms, np.int32),
        term_end=term_end.copy(),
        output=_codes(formula.output[sums]),
        greatest=np.zeros(n_sums, np.int32),
        slack=np.zeros(2 * n_sums, np.int64),
        place=np.zeros(n_lits + 1, np.uint32),
        side=np.zeros(2 * n_terms + 2 * n_sums, np.uint32),
        gain=np.zeros(2 * n_terms + 2 * n_sums, np.int32),
    )
    start(state, np.count_nonzero(clauses), formula.bound[sums], np.zeros(n_vars + 1, np.int64))
    return state


def _select(rows, chosen):
    """The numbers and ends of some rows."""
    lengths = np.diff(rows.end, prepend=0)
    return rows.numbers[np.repeat(chosen, lengths)], np.cumsum(lengths[chosen])


def _codes(lits):
    return (2 * np.abs(lits) + (lits < 0)).astype(np.int32)


@entry
def start(s, n_clauses, bounds, weight):
    """Bring the sums into their normal form, and draw the first conclusions."""
    s.value[FALSE ^ 1], s.value[FALSE] = 1, -1
    normalise(s, bounds, weight)
    list_places(s)
    for side in range(len(s.slack)):
        if s.slack[side] <= 0 and examine(s, side):
            s.count[REFUTED] = 1
    for c in range(n_clauses):
        attach(s, c)
    s.count[REFUTED] |= propagate(s)
    if s.count[REFUTED] == 0:
        drop_settled(s)
        list_places(s)


@inner
def normalise(s, bounds, weight):
    """Add up the terms of each variable in each sum; `weight` is 0 by variable, and so again."""
    n, begin = 0, 0
    for i in range(len(s.term_end)):
        bound, total, greatest = bounds[i], np.int64(0), np.int64(1)
        for k in range(begin, s.term_end[i]):  # not v  is  1 - v
            negative = s.terms[k] & 1
            weight[s.terms[k] >> 1] += 1 - 2 * negative
            bound -= negative
        for k in range(begin, s.term_end[i]):
            v = s.terms[k] >> 1
            w = abs(weight[v])
            if w != 0:  # -w v  is  w not v - w
                negative = weight[v] < 0
                s.terms[n], s.coefs[n] = 2 * v + negative, w
                bound += w if negative else 0
                total, greatest, n = total + w, max(greatest, w), n + 1
                weight[v] = 0
        begin, s.term_end[i], s.greatest[i] = s.term_end[i], n, greatest
        s.slack[2 * i], s.slack[2 * i + 1] = bound - greatest, total - bound + 1 - greatest


@inner
def drop_settled(s):
    """Leave out sums that cannot be violated any more, and terms that are known for ever."""
    n, begin = 0, 0
    for i in range(len(s.term_end)):
        right = s.value[s.output[i]]
        settled = right != 0 and s.slack[2 * i + (right < 0)] + s.greatest[i] <= 0
        for k in range(begin, s.term_end[i]):
            if s.value[s.terms[k]] == 0 and not settled:
                s.terms[n], s.coefs[n] = s.terms[k], s.coefs[k]
                n += 1
        begin, s.term_end[i] = s.term_end[i], n


@inner
def list_places(s):
    """List the sides that each literal counts for."""
    s.place[:] = 0
    for fill in (False, True):
        begin = 0
        for i in range(len(s.term_end)):
            for k in range(begin, s.term_end[i]):
                put(s, s.terms[k], 2 * i, s.coefs[k], fill)
                put(s, s.terms[k] ^ 1, 2 * i + 1, s.coefs[k], fill)
            if s.term_end[i] > begin:
                put(s, s.output[i] ^ 1, 2 * i, 0, fill)
                put(s, s.output[i], 2 * i + 1, 0, fill)
            begin = s.term_end[i]
        if not fill:  # place[l + 1] is now the number of l; make it where l begins
            total = 0
            for lit in range(len(s.value)):
                total, s.place[lit + 1] = total + s.place[lit + 1], total


@inner
def put(s, lit, side, gain, fill):
    """Count a place of a literal, or write it down."""
    if fill:
        s.side[s.place[lit + 1]], s.gain[s.place[lit + 1]] = side, gain
    s.place[lit + 1] += 1


@entry
def check(s, kinds, numbers, ends, begin, stop, c, n_formula):
    """Check rows `begin` to `stop` - 1 of a proof, the first of them being clause c.

    Returns the first row that does not follow, `stop` if all of them do; and the next clause.
    """
    for row in range(begin, stop):
        if kinds[row] == DELETION:
            for k in range(ends[row - 1] if row > 0 else 0, ends[row]):
                s.deleted[n_formula + numbers[k] - 1] = True
            continue
        if s.count[REFUTED] == 0:
            if not follows(s, c):
                return row, c
            attach(s, c)
        c += 1
    return stop, c


@inner
def follows(s, c):
    """Whether clause c follows by reverse unit propagation."""
    before, conflict = s.count[N_TRAIL], False
    for k in range(s.begin[c], s.begin[c + 1]):
        if s.value[s.lits[k]] == 0:
            assign(s, s.lits[k] ^ 1)
        elif s.value[s.lits[k]] > 0:
            conflict = True
    conflict = conflict or propagate(s)
    while s.count[N_TRAIL] > before:
        s.count[N_TRAIL] -= 1
        lit = s.trail[s.count[N_TRAIL]]
        if s.count[N_TRAIL] < s.count[SUMS_DONE]:
            for k in range(s.place[lit], s.place[lit + 1]):
                s.slack[s.side[k]] += s.gain[k]
        s.value[lit] = s.value[lit ^ 1] = 0
    s.count[CLAUSES_DONE] = s.count[SUMS_DONE] = before
    return conflict


@inner
def attach(s, c):
    """Add a clause, while nothing is assumed, and draw the conclusions."""
    begin, size = (
        s.begin[c],
        0,
    )  # size: of its open literals, two at most, which may not be the same
    for k in range(begin, s.begin[c + 1]):
        lit = s.lits[k]
        if s.value[lit] > 0:
            return
        if s.value[lit] == 0 and (size == 0 or (size == 1 and lit != s.lits[begin])):
            s.lits[k], s.lits[begin + size] = s.lits[begin + size], lit
            size += 1
    if size == 0:
        s.count[REFUTED] = 1
    elif size == 1:
        assign(s, s.lits[begin])
        s.count[REFUTED] |= propagate(s)
    else:
        for i in range(2):
            watch(s, s.lits[begin + i], 2 * c + i, s.lits[begin + 1 - i])


@inner
def watch(s, lit, w, blocker):
    """Put a watch first in the list of a literal."""
    s.after[len(s.value) + w], s.after[lit], s.blocker[w] = s.after[lit], w, blocker


@inner
def assign(s, lit):
    """Make an open literal true."""
    s.value[lit], s.value[lit ^ 1] = 1, -1
    s.trail[s.count[N_TRAIL]] = lit
    s.count[N_TRAIL] += 1


@inner
def propagate(s):
    """Draw all conclusions from the trail; whether there is a conflict."""
    conflict = False
    while not conflict:
        if s.count[CLAUSES_DONE] < s.count[N_TRAIL]:
            s.count[CLAUSES_DONE] += 1
            conflict = visit(s, s.trail[s.count[CLAUSES_DONE] - 1] ^ 1)
        elif s.count[SUMS_DONE] < s.count[N_TRAIL]:
            s.count[SUMS_DONE] += 1
            lit = s.trail[s.count[SUMS_DONE] - 1]
            for k in range(s.place[lit], s.place[lit + 1]):  # all of them, to be taken back
                side = s.side[k]
                s.slack[side] -= s.gain[k]
                if s.slack[side] <= 0 and not conflict:
                    conflict = examine(s, side)
        else:
            break
    return conflict


@inner
def examine(s, side):
    """Draw the conclusions from a side of a sum; whether there is a conflict."""
    i, negated = side >> 1, side & 1
    right, lacking = s.output[i] ^ negated, s.slack[side] + s.greatest[i]
    if lacking <= 0:
        if s.value[right] == 0:
            assign(s, right)
        return s.value[right] < 0
    if s.value[right] < 0:
        for k in range(s.term_end[i - 1] if i > 0 else 0, s.term_end[i]):
            lit = s.terms[k] ^ negated
            if s.value[lit] == 0 and s.coefs[k] >= lacking:
                assign(s, lit ^ 1)
    return False


@inner
def visit(s, false):
    """Visit the clauses that watch a literal which became false; whether there is a conflict."""
    n_lits = len(s.value)
    place, w = false, s.after[false]  # where the watch stands in `after`, and the watch
    while w != NONE:
        c, following = w >> 1, s.after[n_lits + w]
        if s.value[s.blocker[w]] <= 0:
            if s.deleted[c]:
                s.after[place] = w = following
                continue
            begin, end = s.begin[c], s.begin[c + 1]
            k, other = begin + 2, s.lits[begin + 1 - (w & 1)]
            s.blocker[w] = other
            if s.value[other] <= 0:
                while k < end and (s.value[s.lits[k]] < 0 or s.lits[k] == other):
                    k += 1
                if k < end:
                    s.lits[begin + (w & 1)], s.lits[k] = s.lits[k], false
                    watch(s, s.lits[begin + (w & 1)], w, other)
                    s.after[place] = w = following
                    continue
                if s.value[other] < 0:
                    return True
                assign(s, other)
        place, w = n_lits + w, following
    return False
