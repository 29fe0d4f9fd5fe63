"""From a question about a network to a formula.

An input with levels low..high has high - low ordered bits: bit i says "level > low + i".
So every level of the box, and nothing else, has exactly one assignment. A neuron that the
bounds leave open is a variable, tied to its sum by one reified constraint

    output <-> sum of literals >= bound,

where a weight of -1 counts the negated literal, and all constants have gone into the bound.
What no rival's lead depends on (outside the cone of influence) is left out.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bnnkit.formula import Formula
from bnnkit.verification._compile import entry, inner
from bnnkit.verification.bounds import Bounds
from bnnkit.verification.circuit import next_difference


@dataclass(frozen=True)
class Encoded:
    """A formula that is satisfiable exactly if the box holds a misclassified image.

    Attributes
    ----------
    formula : Formula
    low : ndarray of int32, shape (n_inputs,)
        The lowest level of each input, (row, column, channel) order.
    owner : ndarray of int64
        The input that each of the first ``len(owner)`` variables belongs to.
    depth : ndarray of int64, shape (n_vars,)
        The layer that each variable belongs to: 0 for the inputs.
    first : ndarray of int32, shape (n_nodes,)
        The first variable of each node of the circuit, the others follow; 0 if it has none.
        None, as `rivals`, where the question is not about one network.
    rivals : ndarray of int64
        The classes that the last variables are about.
    """

    formula: Formula
    low: np.ndarray
    owner: np.ndarray
    depth: np.ndarray
    first: np.ndarray | None = None
    rivals: np.ndarray | None = None

    def levels(self, model):
        """The levels, shape (n_inputs,), that a model (bool array over variables) stands for."""
        raised = self.owner[np.asarray(model[: len(self.owner)], dtype=bool)]
        return self.low + np.bincount(raised, minlength=len(self.low))


class Rows(NamedTuple):
    """Reified sums as they are written: terms of all rows one after another."""

    lits: np.ndarray  # int32
    coefs: np.ndarray  # int32
    lengths: np.ndarray  # int64
    bounds: np.ndarray  # int64
    outputs: np.ndarray  # int32


def encode(circuit, label, rivals, bounds):
    """Encode "some image of the box is given one of the classes `rivals`".

    Parameters
    ----------
    circuit : Circuit
    label : int
    rivals : ndarray of int64
        Classes that the bounds do not rule out; with none, the formula is an empty clause.
    bounds : Bounds

    Returns
    -------
    Encoded
    """
    pairs = _pairs(rivals, label)
    cone, rows = network_rows(circuit, pairs, bounds)
    return _encoded(circuit, rivals, bounds, cone, rows)


def encode_all(circuit, label, low, high):
    """Encode the question by its definition: all neurons, all rivals, nothing worked out before.

    Parameters
    ----------
    circuit, label
        As for `encode`.
    low, high : ndarray of integers, shape (n_inputs,)
        Lowest and highest level of each input.

    Returns
    -------
    Encoded
    """
    rivals = np.delete(np.arange(len(circuit.needed)), label)
    bounds = Bounds(*np.zeros((2, circuit.n_nodes), np.int32))
    bounds.low[: len(low)], bounds.high[: len(high)], bounds.high[len(high) :] = low, high, 1
    cone = bounds.high - bounds.low
    cone[circuit.classes :] = 0
    terms = np.concatenate([[0], np.cumsum(cone[circuit.in_edge >> 1])])[circuit.in_start]
    label_terms = terms[circuit.classes + label + 1] - terms[circuit.classes + label]
    n_terms = int(terms[-1] + len(rivals) * label_terms)
    rows = _rows(circuit, _pairs(rivals, label), bounds, cone, n_terms)
    return _encoded(circuit, rivals, bounds, cone, rows)


def _pairs(rivals, label):
    return np.stack([rivals, np.full_like(rivals, label)], axis=1)


def _encoded(circuit, rivals, bounds, cone, rows):
    """The formula of the rows, in which some rival must win."""
    n_inputs = circuit.n_inputs
    formula = Formula(int(cone.sum()) + len(rivals))
    owner = np.repeat(np.arange(n_inputs), cone[:n_inputs])
    order_levels(formula, owner)
    formula.add_sums(rows.lits, rows.lengths, rows.bounds, rows.coefs, rows.outputs)
    formula.add_clause(rows.outputs[len(rows.outputs) - len(rivals) :])
    depth = depths(circuit, cone, len(rivals))
    low, first = bounds.low[:n_inputs], first_variables(cone)
    return Encoded(formula, low, owner, depth, first, rivals)


def network_rows(circuit, pairs, bounds):
    """The sums that comparisons of classes depend on.

    Parameters
    ----------
    circuit : Circuit
    pairs : ndarray of int64, shape (m, 2)
        Whether class ``pairs[i, 0]`` beats class ``pairs[i, 1]`` is what matters, with m >= 1.
    bounds : Bounds

    Returns
    -------
    cone : ndarray of int32, shape (n_nodes,)
        How many variables each node has; they are numbered from 1 on, in the order of the nodes.
    rows : Rows
        The sums of the neurons, and after them those of the pairs, whose outputs are the last m
        variables.
    """
    cone = np.zeros(circuit.n_nodes, np.int32)
    n_terms = mark_cone(circuit, pairs, bounds, cone)
    return cone, _rows(circuit, pairs, bounds, cone, n_terms)


def _rows(circuit, pairs, bounds, cone, n_terms):
    """The sums of the nodes of a cone and of some pairs; they have at most `n_terms` terms."""
    n_rows = np.count_nonzero(cone[circuit.n_inputs :]) + len(pairs)
    rows = Rows(*(np.empty(n_terms, np.int32) for _ in range(2)), *_columns(n_rows))
    write_rows(circuit, pairs, bounds, first_variables(cone), cone.sum() + 1, rows)
    size = rows.lengths.sum()
    return rows._replace(lits=rows.lits[:size], coefs=rows.coefs[:size])


def first_variables(cone):
    """The first variable of each node in a cone, numbered from 1 on; 0 for the others."""
    ends = np.cumsum(cone, dtype=np.int64)
    return np.where(cone > 0, ends - cone + 1, 0).astype(np.int32)


def depths(circuit, cone, n_last):
    """The layer of each variable of a cone, and one more for the `n_last` variables after them."""
    layers = np.append(np.add.reduceat(cone, circuit.start[:-2]), n_last)
    return np.repeat(np.arange(len(layers)), layers)


def _columns(n):
    return np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int32)


def order_levels(formula, owner):
    """Bit i + 1 of an input implies its bit i; bits of the same `owner` are consecutive."""
    upper = np.flatnonzero(owner[1:] == owner[:-1]) + 2
    lits = np.stack([-upper, upper - 1], axis=1).ravel()
    formula.add_clauses(lits, np.full(len(upper), 2))


@entry
def mark_cone(c, pairs, bounds, cone):
    """Note for each node how many variables it needs; returns the number of terms of all sums.

    Needed are the open nodes that the lead of a pair reads, and those that needed nodes read.
    """
    low, high = bounds
    classes = c.start[len(c.start) - 2]
    terms = 0
    for winner, loser in pairs:
        one, one_end = c.in_start[classes + winner], c.in_start[classes + winner + 1]
        other, other_end = c.in_start[classes + loser], c.in_start[classes + loser + 1]
        while one < one_end or other < other_end:
            source, weight, one, other = next_difference(c, one, one_end, other, other_end)
            if weight != 0:
                cone[source] = high[source] - low[source]
                terms += cone[source]
    for k in range(classes - 1, c.start[1] - 1, -1):
        if cone[k] != 0:
            for e in range(c.in_start[k], c.in_start[k + 1]):
                source = c.in_edge[e] >> 1
                cone[source] = high[source] - low[source]
                terms += cone[source]
    return terms


@entry
def write_rows(c, pairs, bounds, variable, first_win, rows):
    """Write the sum of each node in the cone, and after them that of each pair."""
    low = bounds.low
    classes = c.start[len(c.start) - 2]
    row, n = 0, 0
    for k in range(c.start[1], classes):
        if variable[k] == 0:
            continue
        start, bound = n, np.int64(c.bound[k])
        for e in range(c.in_start[k], c.in_start[k + 1]):
            source = c.in_edge[e] >> 1
            weight = -1 if c.in_edge[e] & 1 else 1
            bound -= weight * low[source]
            if variable[source] != 0:
                n, bound = write_terms(rows, n, bound, weight, bounds, variable, source)
        rows.lengths[row], rows.bounds[row], rows.outputs[row] = n - start, bound, variable[k]
        row += 1
    for i in range(len(pairs)):
        winner, loser = pairs[i]
        start, bound = n, c.needed[loser, winner]
        one, one_end = c.in_start[classes + winner], c.in_start[classes + winner + 1]
        other, other_end = c.in_start[classes + loser], c.in_start[classes + loser + 1]
        while one < one_end or other < other_end:
            source, weight, one, other = next_difference(c, one, one_end, other, other_end)
            bound -= weight * low[source]
            if weight != 0 and variable[source] != 0:
                n, bound = write_terms(rows, n, bound, weight, bounds, variable, source)
        rows.lengths[row], rows.bounds[row], rows.outputs[row] = n - start, bound, first_win + i
        row += 1


@inner
def write_terms(rows, n, bound, weight, bounds, variable, source):
    """Write the bits of one source; returns the next place, and the bound as it is then.

    A negative weight -w of a bit is w times its negation, less w.
    """
    for step in range(bounds.high[source] - bounds.low[source]):
        literal = variable[source] + step
        rows.lits[n] = literal if weight > 0 else -literal
        rows.coefs[n] = abs(weight)
        bound -= min(weight, 0)
        n += 1
    return n, bound
