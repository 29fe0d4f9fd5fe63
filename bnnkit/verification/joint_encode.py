"""From a question about an ensemble to a formula.

A pixel in the cells low..high has high - low ordered bits: bit i says "cell > low + i". "Level > l"
of a quantiser is one of these bits (see `Refinement.stair`), so all members read the same pixels,
whatever their steps. On top of the sums of the neurons there are, for each member,

    beats[j, i]  <->  z_j - z_i >= what j needs    (not beats[j, i] is beats[i, j]),
    chooses[j]   <->  j beats each class that the member might choose,

and one sum for each class j to which the ensemble may fall, as its `Rule` counts votes:

    falls[j]     <->  sum of chooses[j] - weight * sum of chooses[label] >= least[j].

One clause asks for some j.
"""

import itertools

import numpy as np

from bnnkit.formula import Formula
from bnnkit.verification.encode import Encoded, depths, network_rows, order_levels


def encode_joint(circuit, refinement, box, start, rule, possible, bounds):
    """Encode "at some cells of the box the ensemble falls", where it stands at others.

    Parameters
    ----------
    circuit : Circuit
        As `joint_circuit` makes it.
    refinement : Refinement
    box : tuple of two ndarrays of int32, shape (n_pixels,)
        The first and the last cell of each pixel.
    start : ndarray of int32, shape (n_pixels,)
        The cells that are taken for pixels which do not matter.
    rule : Rule
        Which leaves some class open.
    possible : ndarray of bool, shape (members, classes)
        What `possible_classes` returns.
    bounds : Bounds
        Of the levels in the box.

    Returns
    -------
    Encoded
        Its levels are cells.
    """
    targets = rule.open_classes(possible)
    pairs = _comparisons(rule, targets, possible)
    cone, rows = network_rows(circuit, pairs, bounds)
    steps = np.where(
        cone[: circuit.n_inputs].reshape(-1, len(start)).any(axis=0), box[1] - box[0], 0
    )
    renamed = _renaming(circuit, refinement, box[0], steps, cone, bounds, len(pairs))
    formula = Formula(int(renamed[-1]))
    owner = np.repeat(np.arange(len(start)), steps)
    order_levels(formula, owner)
    lits = np.sign(rows.lits) * renamed[np.abs(rows.lits)]
    outputs = renamed[rows.outputs]
    formula.add_sums(lits, rows.lengths, rows.bounds, rows.coefs, outputs)
    beats = dict(zip(map(tuple, pairs.tolist()), outputs[-len(pairs) :].tolist(), strict=True))
    beats |= {(i, j): -literal for (j, i), literal in beats.items()}
    _count_votes(formula, rule, targets, possible, beats)
    hidden = depths(circuit, cone, formula.n_vars - int(renamed[-1]) + len(pairs))
    depth = np.append(np.zeros(len(owner), np.int64), hidden[hidden > 0])
    return Encoded(formula, np.where(steps > 0, box[0], start), owner, depth)


def add_usable(question, refinement, box):
    """A copy of the formula whose models have usable cells only: some float32 is in each."""
    formula = question.formula.copy()
    low, high = box
    bits = np.bincount(question.owner, minlength=len(low))
    first = np.cumsum(bits) - bits + 1
    for cell in np.flatnonzero(~refinement.usable):
        for p in np.flatnonzero((low <= cell) & (cell <= high)):
            if bits[p] or question.low[p] == cell:  # "not above cell - 1, or above cell"
                above = [-int(first[p] + cell - low[p] - 1)] if cell > low[p] and bits[p] else []
                beyond = [int(first[p] + cell - low[p])] if cell < high[p] and bits[p] else []
                formula.add_clause(above + beyond)
    return formula


def _comparisons(rule, targets, possible):
    """The pairs of classes, as the joint circuit numbers them, whose order matters.

    A member's choice beats all classes, so it beats those that are possible; of these, a class
    that beats the others is the choice.
    """
    wanted = np.zeros(len(rule.least), bool)
    wanted[targets] = True
    wanted[rule.label] |= rule.weight > 0
    pairs = [
        (n * len(wanted) + j, n * len(wanted) + i)
        for n, row in enumerate(possible)
        for j, i in itertools.combinations(np.flatnonzero(row), 2)
        if wanted[j] or wanted[i]
    ]
    return np.array(pairs, np.int64)


def _renaming(circuit, refinement, low, steps, cone, bounds, n_pairs):
    """The variable of the formula for each one of `network_rows`: bits of pixels come first."""
    first = np.cumsum(steps) - steps + 1
    n_bits, n_inputs = int(steps.sum()), circuit.n_inputs
    of_input = np.repeat(np.arange(n_inputs), cone[:n_inputs])
    within = np.arange(len(of_input)) - np.repeat(
        np.cumsum(cone[:n_inputs]) - cone[:n_inputs], cone[:n_inputs]
    )
    level = bounds.low[of_input] + within
    block, pixel = np.divmod(of_input, len(low))
    stairs = np.zeros((len(refinement.stair), max(map(len, refinement.stair))), np.int64)
    for row, stair in zip(stairs, refinement.stair, strict=True):
        row[: len(stair)] = stair
    bits = first[pixel] + stairs[block, level] - low[pixel]
    others = n_bits + 1 + np.arange(np.count_nonzero(cone[n_inputs:]) + n_pairs)
    return np.concatenate([[0], bits, others])


def _count_votes(formula, rule, targets, possible, beats):
    """Add what a member chooses, what the ensemble falls to, and the clause that it falls."""
    falls, stays = [], []
    if rule.weight:
        stays = [(-rule.weight, c) for c in _choices(formula, possible, beats, rule.label)]
    for j in targets:
        terms = stays + [(1, choice) for choice in _choices(formula, possible, beats, j)]
        constant = sum(weight for weight, choice in terms if choice is True)
        terms = [(weight, choice) for weight, choice in terms if choice is not True]
        weights, choices = zip(*terms, strict=True) if terms else ((), ())
        falls.append(formula.new_var())
        formula.add_sum(choices, int(rule.least[j]) - constant, weights, falls[-1])
    formula.add_clause(falls)


def _choices(formula, possible, beats, j):
    """For each member that may choose j the literal that it does, or True if it must."""
    return [
        _choice(formula, np.flatnonzero(row), n * len(row), j, beats)
        for n, row in enumerate(possible)
        if row[j]
    ]


def _choice(formula, classes, offset, j, beats):
    wins = [beats[offset + j, offset + i] for i in classes if i != j]
    if len(wins) < 2:
        return wins[0] if wins else True
    formula.add_sum(wins, len(wins), output=formula.new_var())
    return formula.n_vars
