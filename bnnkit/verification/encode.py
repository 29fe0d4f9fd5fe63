"""From a question about a network to a formula.

An input with levels low..high has high - low ordered bits: bit i says "level > low + i".
So every level of the ball, and nothing else, has exactly one assignment. A neuron that the
bounds leave open is a variable, tied to its sum by one reified constraint

    output <-> sum of literals >= bound,

where a weight of -1 counts the negated literal, and all constants have gone into the bound.
"""

import math
import time
from dataclasses import dataclass

import numpy as np

from bnnkit.formula import Formula
from bnnkit.verification.bounds import rival_bounds
from bnnkit.verification.unroll import UnrolledPool


@dataclass(frozen=True)
class Question:
    """A formula that is satisfiable exactly if the ball holds a misclassified image.

    Attributes
    ----------
    formula : Formula
    low : ndarray of integers, shape (n_inputs,)
        The lowest level of each input, (row, column, channel) order.
    owner : ndarray of int64
        The input that each of the first ``len(owner)`` variables belongs to.
    """

    formula: Formula
    low: np.ndarray
    owner: np.ndarray

    def levels(self, model):
        """The levels, shape (n_inputs,), that a model (bool array over variables) stands for."""
        raised = self.owner[np.asarray(model[: len(self.owner)], dtype=bool)]
        return self.low + np.bincount(raised, minlength=len(self.low))


class _Inputs:
    """What a layer reads: constants, and the variables on top of them.

    Input i has the value low[i] + (how many of its count[i] variables are true); its
    variables are first[i], first[i] + 1, ... One more entry stands for the padding.
    """

    def __init__(self, formula, low, high):
        self.low = low.astype(np.int64)
        self.count = np.append(high.astype(np.int64) - low, 0)
        variables = formula.new_vars(int(self.count.sum()))
        before = int(variables[0]) if len(variables) else 1
        self.first = before + np.cumsum(self.count) - self.count

    def entries(self, index):
        """The variables that each row of `index` (P, K) reads: rows, columns, variables."""
        counts = self.count[index]
        rows, columns = np.nonzero(counts)
        repeats = counts[rows, columns]
        ends = np.cumsum(repeats)
        offset = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - repeats, repeats)
        rows, columns = np.repeat(rows, repeats), np.repeat(columns, repeats)
        return rows, columns, self.first[index[rows, columns]] + offset


def encode(layers, head, label, rivals, bounds, deadline=math.inf):
    """Encode "some image of the ball is given one of the classes `rivals`".

    Parameters
    ----------
    layers, head
        As `unroll` returns them.
    label : int
    rivals : ndarray of int64
        Classes that the bounds do not rule out; at least one.
    bounds : list of (low, high)
        As `propagate` returns them.
    deadline : float
        On the clock of `time.perf_counter`; looked at after each layer.

    Returns
    -------
    Question

    Raises
    ------
    TimeoutError
        The deadline has passed.
    """
    formula = Formula()
    inputs = _Inputs(formula, *bounds[0])
    owner = np.repeat(np.arange(len(inputs.count)), inputs.count)
    _order_levels(formula, owner)
    for layer, (low, high) in zip(layers, bounds[1:], strict=True):
        outputs = _Inputs(formula, low, high)
        add = _add_pool if isinstance(layer, UnrolledPool) else _add_threshold
        add(formula, layer, inputs, outputs)
        inputs = outputs
        if time.perf_counter() > deadline:
            raise TimeoutError("the formula was not built in time")
    _add_rivals(formula, head, label, rivals, inputs)
    return Question(formula, bounds[0][0].astype(np.int64), owner)


def _order_levels(formula, owner):
    """Bit i + 1 of an input implies its bit i."""
    upper = np.flatnonzero(owner[1:] == owner[:-1]) + 2
    lits = np.stack([-upper, upper - 1], axis=1).ravel()
    formula.add_clauses(lits, np.full(len(upper), 2))


def _add_threshold(formula, layer, inputs, outputs):
    """One reified sum for each open neuron of the layer."""
    sums = layer.sums
    n_positions, n_channels = len(sums.index), len(sums.weights)
    open_ = outputs.count[:-1].reshape(n_positions, n_channels) > 0
    rows, columns, variables = inputs.entries(sums.index)
    weights = sums.weights[:, columns]  # (O, entries)
    channel, entry = np.nonzero(weights * open_[rows].T)
    sign = weights[channel, entry].astype(np.int64)
    neuron = channel * n_positions + rows[entry]  # ascending, as entries are sorted by row
    size = n_channels * n_positions
    lengths = np.bincount(neuron, minlength=size)
    negatives = np.bincount(neuron[sign < 0], minlength=size)
    constant = sums.values(inputs.low).astype(np.int64)
    bounds = (layer.bound - constant).T.ravel() + negatives
    first = outputs.first[:-1].reshape(n_positions, n_channels).T
    literals = np.where(layer.flip[:, None], -first, first).ravel()
    chosen = open_.T.ravel()
    formula.add_sums(
        sign * variables[entry], lengths[chosen], bounds[chosen], outputs=literals[chosen]
    )


def _add_pool(formula, layer, inputs, outputs):
    """An OR is a sum >= 1, an AND a sum >= all; constants never decide an open output."""
    open_ = outputs.count[:-1] > 0
    rows, _, variables = inputs.entries(layer.index)
    chosen = open_[rows]
    lengths = np.bincount(rows[chosen], minlength=len(open_))[open_]
    bounds = np.ones_like(lengths) if layer.kind == "or" else lengths
    formula.add_sums(variables[chosen], lengths, bounds, outputs=outputs.first[:-1][open_])


def _add_rivals(formula, head, label, rivals, inputs):
    """At least one rival beats the label."""
    _, columns, variables = inputs.entries(head.sums.index)
    weights = head.sums.weights.astype(np.int64) * np.sign(head.scale)
    constant = np.sign(head.scale) * head.sums.values(inputs.low)[0].astype(np.int64)
    bounds = rival_bounds(head, label)
    wins = formula.new_vars(len(rivals))
    for rival, win in zip(rivals, wins, strict=True):
        coefs = (weights[rival] - weights[label])[columns]
        used = coefs != 0
        bound = bounds[rival] - (constant[rival] - constant[label])
        formula.add_sum(variables[used], int(bound), coefs=coefs[used], output=int(win))
    formula.add_clause(wins)
