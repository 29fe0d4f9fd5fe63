"""The truth about small cases by definition: every assignment of a formula, every image of a box.

Nothing here is shared with the solvers, the circuits or the kernels that are being tested.
"""

import itertools
import math
from fractions import Fraction
from pathlib import Path

import numpy as np

from bnnkit._compile import entries, inner

entry = entries(Path(__file__).parent)

MOST_VARS = 16  # of a formula whose assignments are all tried
MOST_IMAGES = 4096  # of a box whose images are all classified


def rows_of(steps):
    """Clauses and sums as the arrays of (lits, coefs, offsets, bounds, outputs).

    A clause is a sum with the bound 1, an assumption likewise; both come as ("clause", lits).
    """
    lits, coefs, offsets, bounds, outputs = [], [], [0], [], []
    for kind, terms, *rest in steps:
        factors, bound, output = rest if kind == "sum" else ([1] * len(terms), 1, 0)
        lits += terms
        coefs += factors
        offsets.append(len(lits))
        bounds.append(bound)
        outputs.append(output)
    return tuple(np.array(part, np.int64) for part in (lits, coefs, offsets, bounds, outputs))


@entry
def is_model(m, lits, coefs, offsets, bounds, outputs):
    """Whether the assignment with the bits of `m` satisfies all rows."""
    return satisfies(m, lits, coefs, offsets, bounds, outputs)


@entry
def first_model(n_vars, lits, coefs, offsets, bounds, outputs):
    """The first assignment that satisfies all rows, as the bits of a number; -1 if none does."""
    for m in range(1 << n_vars):
        if satisfies(m, lits, coefs, offsets, bounds, outputs):
            return m
    return -1


@inner
def satisfies(m, lits, coefs, offsets, bounds, outputs):
    """As `is_model`."""
    for row in range(len(bounds)):
        total = 0
        for k in range(offsets[row], offsets[row + 1]):
            if truth(m, lits[k]):
                total += coefs[k]
        wanted = outputs[row] == 0 or truth(m, outputs[row])
        if (total >= bounds[row]) != wanted:
            return False
    return True


@inner
def truth(m, lit):
    """Whether a literal holds: variable v is bit v - 1."""
    return ((m >> (abs(lit) - 1)) & 1 == 1) == (lit > 0)


def classes(member, levels):
    """The classes of quantised images (N, C, H, W) by definition: the lowest of the best."""
    return scores(member, levels).argmax(axis=1)


def scores(member, levels):
    """The scores (N, classes) of quantised images (N, C, H, W) by definition."""
    x = levels.astype(np.int64)
    for layer in member["layers"]:
        x = _pool(layer, x) if "pool" in layer else _bits(layer, x)
    head = member["head"]
    z = np.einsum("nchw,ochw->no", x, head["weights"].astype(np.int64))
    return head["scale"] * z + head["bias"]


def _bits(layer, x):
    weights, padding = layer["weights"].astype(np.int64), layer["padding"]
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = _windows(x, weights.shape[2:], layer["stride"])
    z = np.einsum("nchwij,ocij->nohw", windows, weights)
    threshold, sense = layer["threshold"], layer["sense"].reshape(-1, 1, 1)
    threshold = threshold if threshold.ndim == 3 else threshold.reshape(-1, 1, 1)
    return np.where(sense > 0, z >= threshold, z <= threshold).astype(np.int64)


def _pool(layer, x):
    windows = _windows(x, (layer["size"],) * 2, layer["stride"])
    return (np.max if layer["pool"] == "or" else np.min)(windows, axis=(4, 5))


def _windows(x, size, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(2, 3))
    return windows[:, :, ::stride, ::stride]


def exact(pixel):
    """A pixel as the number that it stands for."""
    if isinstance(pixel, np.uint8):
        return Fraction(int(pixel), 255)
    return pixel if isinstance(pixel, Fraction) else Fraction(float(pixel))


def kinds(pixel, eps, steps, grey):
    """What levels, one for each step, the numbers of a pixel's ball have together.

    Parameters
    ----------
    pixel : uint8 or float64
    eps : Fraction
    steps : list of Fraction
    grey : bool
        Whether the ball holds grey values only.
    """
    x = exact(pixel)
    if grey:
        reach = math.floor(eps * 255)
        greys = range(max(int(pixel) - reach, 0), min(int(pixel) + reach, 255) + 1)
        values = [Fraction(v, 255) for v in greys]
    else:
        low, high = max(x - eps, Fraction(0)), min(x + eps, Fraction(1))
        if len(steps) == 1:
            return [(k,) for k in range(round(low / steps[0]), round(high / steps[0]) + 1)]
        stairs = {(k + Fraction(1, 2)) * s for s in steps for k in range(int(1 / s) + 1)}
        ends = sorted({low, high, *(s for s in stairs if low < s < high)})
        values = [*ends, *((a + b) / 2 for a, b in itertools.pairwise(ends))]
    return sorted({tuple(round(value / step) for step in steps) for value in values})
