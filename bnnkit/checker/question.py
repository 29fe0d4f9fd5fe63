"""The question about a network as a formula, by its definition; slow and plain.

Variables, in this order: for each input, (row, column, channel), one bit for each level above the
lowest one of its box, "the level is at least so high"; for each layer one for each bit, (row,
column, channel); for each class but the label one, "it beats the label".
"""

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from bnnkit.checker.text import CLAUSE, MOST_VARIABLES, MOST_WORDS, SUM, Rows


class Signals(NamedTuple):
    """What a layer reads: value = low + number of true bits.

    Attributes
    ----------
    low : ndarray of int64, shape (C, H, W)
    bits : ndarray of int64, shape (most bits, C, H, W)
        Variables; 0 where there is none.
    """

    low: np.ndarray
    bits: np.ndarray


class Constraints:
    """Rows that grow: first clauses, then sums."""

    def __init__(self):
        self.n_vars, self._rows, self._n_lits = 0, [], 0

    def new_variable(self):
        self.n_vars += 1
        return self.n_vars

    def add_clause(self, lits):
        self._append(CLAUSE, np.array(lits, np.int32))

    def add_sum(self, weights, signals, bound, output):
        """``output <-> weights . values >= bound``; a weight -1 of a bit is its negation less 1."""
        terms = np.repeat((np.sign(weights) * signals.bits).ravel(), _times(weights, signals))
        lits = terms[np.argsort(abs(terms), kind="stable")]
        bound = int(bound) - int((weights * signals.low).sum()) + int((lits < 0).sum())
        self._append(SUM, lits.astype(np.int32), _clipped(bound, 2**31), output)

    def _append(self, kind, lits, bound=0, output=0):
        self._n_lits += len(lits) + 1
        if self._n_lits > MOST_WORDS:
            raise ValueError(f"the question's formula has more than {MOST_WORDS} literals and rows")
        self._rows.append((kind, lits, bound, output))

    def rows(self):
        """All as `Rows`, clauses first."""
        ordered = sorted(self._rows, key=lambda row: row[0])
        kind, numbers, bound, output = zip(*ordered, strict=True)
        end = np.cumsum([len(lits) for lits in numbers])
        flat = np.concatenate(numbers)
        return Rows(np.array(kind, np.uint8), end, flat, np.array(bound), np.array(output))


def _clipped(bound, limit):
    """A bound that no sum of a network which can be verified gets to, where it is one."""
    return max(-limit, min(bound, limit))


def _times(weights, signals):
    """How often each bit counts."""
    return (abs(weights) * (signals.bits != 0)).ravel()


def box_of(image, eps, step):
    """Lowest and highest level of each pixel within `eps`: round-half-even(x / step), exactly."""
    low, high = np.zeros((2, *image.shape), np.int64)
    for value in np.unique(image).tolist():
        x = Fraction(value, 255) if image.dtype == np.uint8 else Fraction(value)
        low[image == value] = round(max(x - eps, Fraction(0)) / step)
        high[image == value] = round(min(x + eps, Fraction(1)) / step)
    return low, high


def encode(network, low, high, label):
    """The number of variables and the `Rows` of "some class beats the label in this box".

    Parameters
    ----------
    network : dict
        As `bnnkit.checker.network.read_network` gives it.
    low, high : ndarray of int64, shape (C, H, W)
    label : int
    """
    formula = Constraints()
    signals = _input_bits(formula, low, high)
    for layer in network["layers"]:
        signals = (
            _pool(formula, layer, signals) if "pool" in layer else _conv(formula, layer, signals)
        )
    weights, bias = network["head"], network["bias"].tolist()
    scale, wins = network["scale"], []
    for j in range(len(weights)):
        if j != label:  # scale * lead >= bias[label] - bias[j], and more where a tie is the label's
            needed = Fraction(bias[label] - bias[j] + (j > label), abs(scale))
            lead = (weights[j] - weights[label]) * (1 if scale > 0 else -1)
            wins.append(formula.new_variable())
            formula.add_sum(lead, signals, math.ceil(needed), wins[-1])
    formula.add_clause(wins)
    return formula.n_vars, formula.rows()


def _input_bits(formula, low, high):
    most = max(1, int((high - low).max()))
    if most * low.size > MOST_VARIABLES:
        raise ValueError(f"{low.size} inputs of {most} levels are more than {MOST_VARIABLES} bits")
    bits = np.zeros((most, *low.shape), np.int64)
    channels, height, width = low.shape
    for i, j, c in np.ndindex(height, width, channels):
        for k in range(high[c, i, j] - low[c, i, j]):
            bits[k, c, i, j] = formula.new_variable()
            if k > 0:
                formula.add_clause([-bits[k, c, i, j], bits[k - 1, c, i, j]])
    return Signals(low, bits)


def _windows(signals, size, stride, padding):
    """Each window of the signals, row by row, and how many rows and columns there are."""
    around = (padding, padding)
    low = np.pad(signals.low, ((0, 0), around, around))
    bits = np.pad(signals.bits, ((0, 0), (0, 0), around, around))
    rows, columns = ((n - k) // stride + 1 for n, k in zip(low.shape[1:], size, strict=True))
    windows = [
        Signals(*(a[..., i : i + size[0], j : j + size[1]] for a in (low, bits)))
        for i in range(0, rows * stride, stride)
        for j in range(0, columns * stride, stride)
    ]
    return windows, rows, columns


def _conv(formula, layer, signals):
    weights, sense, threshold = layer["weights"], layer["sense"], layer["threshold"]
    windows, rows, columns = _windows(signals, weights.shape[2:], layer["stride"], layer["padding"])
    bits = np.zeros((1, len(weights), rows, columns), np.int64)
    threshold = np.broadcast_to(
        threshold.reshape(len(weights), *threshold.shape[1:] or (1, 1)), bits.shape[1:]
    )
    for window, (i, j) in zip(windows, np.ndindex(rows, columns), strict=True):
        for o in range(len(weights)):  # z <= t  is  -z >= -t
            bits[0, o, i, j] = output = formula.new_variable()
            bound = _clipped(int(sense[o]) * int(threshold[o, i, j]), 2**31 - 1)
            formula.add_sum(sense[o] * weights[o], window, bound, output)
    return Signals(np.zeros_like(bits[0]), bits)


def _pool(formula, layer, signals):
    size, stride = layer["size"], layer["stride"]
    windows, rows, columns = _windows(signals, (size, size), stride, 0)
    bits = np.zeros((1, len(signals.low), rows, columns), np.int64)
    for window, (i, j) in zip(windows, np.ndindex(rows, columns), strict=True):
        for c in range(len(signals.low)):
            bits[0, c, i, j] = output = formula.new_variable()
            taps = Signals(window.low[c], window.bits[:, c])
            bound = 1 if layer["pool"] == "or" else size * size
            formula.add_sum(np.ones((size, size), np.int64), taps, bound, output)
    return Signals(np.zeros_like(bits[0]), bits)
