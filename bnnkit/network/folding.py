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
    >>> from bnnkit.network import fold_threshold
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


def fold_batch_norm(gamma, beta, mean, variance, scale=1):
    """Turn bit = [gamma * (scale*z - mean) / sqrt(variance) + beta >= 0] into a comparison.

    Unlike `fold_threshold` this is about real numbers, not about what float64 makes of them:
    for networks that others have trained, whose arithmetic is not ours.

    Parameters
    ----------
    gamma, beta, mean, variance : sequence of rational numbers or floats, length O
        A float stands for its exact binary value. `variance` is above 0.
    scale : Fraction, default 1
        Above 0: what a unit of the integer z is worth, the quantiser's step in a first layer.

    Returns
    -------
    threshold : ndarray of int32, shape (O,)
    sense : ndarray of int8, shape (O,)
        As of `fold_threshold`.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from bnnkit.network import fold_batch_norm
    >>> fold_batch_norm([2.0, -1.0], [0.0, 3.0], [1.5, 1.0], [4, 2], Fraction(1, 10))
    (array([15, 52], dtype=int32), array([ 1, -1], dtype=int8))
    """
    channels = zip(gamma, beta, mean, variance, strict=True)
    threshold = [_exact_boundary(*map(Fraction, channel), Fraction(scale)) for channel in channels]
    threshold = np.clip(threshold, -NEVER, NEVER).astype(np.int32)
    return threshold, np.where(np.asarray(gamma) >= 0, 1, -1).astype(np.int8)


def _exact_boundary(gamma, beta, mean, variance, scale):
    """The first z at which the bit is 1 (gamma > 0), or the last (gamma < 0)."""
    if gamma == 0:
        return -NEVER if beta >= 0 else NEVER
    ratio = -beta / gamma
    shift, square = mean / scale, ratio * ratio * variance / (scale * scale)
    root_sign = 1 if ratio >= 0 else -1
    if gamma > 0:
        return -_floor_with_root(-shift, square, -root_sign)
    return _floor_with_root(shift, square, root_sign)


def _floor_with_root(shift, square, sign):
    """The floor of shift + sign * sqrt(square), of fractions, in integers."""
    d = shift.denominator * square.denominator  # then square * d * d is an integer
    root = square.numerator * square.denominator * shift.denominator**2
    whole = math.isqrt(root)
    if sign < 0:
        whole = -whole - (whole * whole < root)  # the floor of a negative number
    return (shift.numerator * square.denominator + whole) // d


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
        ``b / |a|`` in units of 2**-20.

    Notes
    -----
    The z part is exact; rounding moves a class by less than 2**-20 of one weight, which
    matters only to logits that tie to that precision.

    Examples
    --------
    >>> from bnnkit.network import fold_head
    >>> fold_head(2.0, np.array([1.0, -1.0]))
    (1048576, array([ 524288, -524288]))
    """
    if a == 0 or not (math.isfinite(a) and np.isfinite(b).all()):
        raise ValueError(f"the head's scale must be finite and not 0, got {a} with biases {b}")
    scale = 2**_HEAD_BITS
    bias = np.rint(b / abs(a) * scale)
    if np.abs(bias).max() >= 2**52:
        raise ValueError(f"the head's biases dwarf its scale {a}; the network ignores its input")
    return scale if a > 0 else -scale, bias.astype(np.int64)
