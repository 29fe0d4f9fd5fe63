"""Batch-norm folded into integers, exactly."""

import math
from fractions import Fraction

import numpy as np

# Thresholds beyond any sum that int32 kernels can reach mean "always" or "never".
NEVER = 2**30
_HEAD_BITS = 20  # binary places of the fixed-point class biases


def fold_threshold(a, b):
    """Turn bit = [a*z + b >= 0], z an integer, into a comparison of z with an integer.

    Parameters
    ----------
    a, b : ndarray of float64, shape (O,)
        Scale and offset of each channel's batch-norm: gamma / sqrt(var + eps) and
        beta - mean * a.

    Returns
    -------
    threshold : ndarray of int32, shape (O,)
    sense : ndarray of int8, shape (O,)
        +1 for bit = [z >= threshold] (a >= 0), -1 for bit = [z <= threshold] (a < 0).

    Notes
    -----
    The bit is that of a * z + b in float64, as training computes it. -b / a is divided as a
    fraction, which finds the boundary but for rounding: a sum just short of 0 may round to 0,
    so the neighbours of the quotient are tried. a = 0 makes a constant: a threshold out of
    reach on the right side.

    Examples
    --------
    >>> fold_threshold(np.array([2.0, -2.0]), np.array([-3.0, 4.0]))
    (array([2, 2], dtype=int32), array([ 1, -1], dtype=int8))
    """
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("batch-norm has values that are not finite; the network cannot be folded")
    threshold = [_boundary(float(slope), float(offset)) for slope, offset in zip(a, b, strict=True)]
    return np.array(threshold, dtype=np.int32), np.where(a >= 0, 1, -1).astype(np.int8)


def _boundary(a, b):
    if a == 0:
        return -NEVER if b >= 0 else NEVER
    place = -Fraction(b) / Fraction(a)
    bound = math.ceil(place) if a > 0 else math.floor(place)
    if abs(bound) >= NEVER:
        return min(max(bound, -NEVER), NEVER)
    inwards = 1 if a > 0 else -1
    candidates = (bound - inwards, bound, bound + inwards)
    return next((z for z in candidates if a * z + b >= 0), bound)


def fold_head(a, b):
    """Turn logits a*z_c + b_c into integer scores scale*z_c + bias_c of the same order.

    Parameters
    ----------
    a : float
        The common scale, not 0.
    b : ndarray of float64, shape (classes,)

    Returns
    -------
    scale : int
        2**20 with the sign of `a`.
    bias : ndarray of int64, shape (classes,)
        b / |a| in units of 2**-20.

    Notes
    -----
    The z part is exact; rounding moves a class by less than 2**-20 of one weight, which
    matters only to logits that tie to that precision.
    """
    if a == 0 or not (math.isfinite(a) and np.isfinite(b).all()):
        raise ValueError(f"the head's scale must be finite and not 0, got {a} with biases {b}")
    scale = 2**_HEAD_BITS
    bias = np.rint(b / abs(a) * scale)
    if np.abs(bias).max() >= 2**52:
        raise ValueError(f"the head's biases dwarf its scale {a}; the network ignores its input")
    return scale if a > 0 else -scale, bias.astype(np.int64)
