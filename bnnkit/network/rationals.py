"""Arrays of exact numbers as integers over one common denominator.

Every float is a binary fraction, so an array of floats, integers or Fractions is an array of
integers divided by one number. Sums of them with weights -1, 0 and +1 are sums of integers. Below
2**53 float64 holds every integer that such a sum passes through, in whatever order BLAS adds, so
the fast product is exact; beyond, Python's integers take over.
"""

import math
from fractions import Fraction

import numpy as np

_EXACT = 2**53 - 1  # float64 holds all integers up to here, and rounds none beyond to them
_LONGEST = 4096  # binary digits of a denominator; that of the smallest float64 has 1074


def as_integers(values, name="x"):
    """Write an array as integers over a common denominator.

    Parameters
    ----------
    values : ndarray of integers, floats or (dtype object) Fractions and ints
    name : str
        What the array is called in messages.

    Returns
    -------
    numerators : ndarray of float64 or object
        float64 where all of them are below 2**53, Python integers otherwise.
    denominator : int

    Raises
    ------
    TypeError, ValueError
        Other types; NaN or infinities; a common denominator beyond 2**4096.

    Examples
    --------
    >>> as_integers(np.array([0.5, 0.75]))
    (array([2., 3.]), 4)
    """
    if values.dtype == object:
        return _from_objects(values, name)
    if np.issubdtype(values.dtype, np.integer):
        return _as_floats(values), 1
    if not np.issubdtype(values.dtype, np.floating) or values.dtype.itemsize > 8:
        raise TypeError(f"{name} must hold integers, floats or Fractions, got {values.dtype}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must hold finite numbers, but it has NaN or infinity")
    mantissa, exponent = np.frexp(values.astype(np.float64))
    whole = (mantissa * 2**53).astype(np.int64)  # value = whole * 2**(exponent - 53)
    lowest_bit = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    places = int((53 - exponent - lowest_bit).max(initial=0, where=whole != 0))
    if places + exponent.max(initial=0, where=whole != 0) <= 53:
        return np.ldexp(values.astype(np.float64), places), 2**places
    exact = _objects([Fraction(v) for v in values.ravel().tolist()], values.shape)
    return _from_objects(exact, name)


def _from_objects(values, name):
    flat = values.ravel().tolist()
    if not all(isinstance(v, (int, Fraction)) and not isinstance(v, bool) for v in flat):
        raise TypeError(f"{name} of dtype object must hold Fractions and ints only")
    denominator = 1
    for value in flat:
        denominator = math.lcm(denominator, value.denominator)
        if denominator.bit_length() > _LONGEST:
            raise ValueError(
                f"the numbers of {name} have no common denominator below 2**{_LONGEST}; round them"
            )
    whole = [v.numerator * (denominator // v.denominator) for v in flat]
    return _as_floats(_objects(whole, values.shape)), denominator


def _as_floats(integers):
    """Integers as float64 where that is exact, else as Python integers."""
    if integers.size == 0 or -_EXACT <= integers.min() <= integers.max() <= _EXACT:
        return integers.astype(np.float64)
    return integers.astype(object)


def _objects(values, shape):
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape)


def exact_product(rows, weights):
    """Exact products of integers with ternary weights.

    Parameters
    ----------
    rows : ndarray of float64 or object, shape (M, K)
        Integers, as `as_integers` gives them.
    weights : ndarray of int8, shape (O, K)

    Returns
    -------
    ndarray of float64 or object, shape (M, O)
        float64 where no sum can pass 2**53.
    """
    most = np.abs(weights).sum(axis=1, dtype=np.int64).max(initial=1)
    if rows.dtype == object or np.abs(rows).max(initial=0) * most > _EXACT // 2:
        return as_python(rows) @ weights.astype(object).T
    return rows @ weights.astype(np.float64).T


def window_sums(numerators, weights, stride, padding):
    """Exact sums over windows of integers, as `as_integers` gives them; outside of the image is 0.

    Parameters
    ----------
    numerators : ndarray of float64 or object, shape (N, C, H, W)
    weights : ndarray of int8, shape (O, C, KH, KW)
    stride, padding : int

    Returns
    -------
    ndarray of float64 or object, shape (N, O, OH, OW)
    """
    n, channels, height, width = numerators.shape
    o, _, kh, kw = weights.shape
    p, s = padding, stride
    # np.pad would fill up arrays of Python integers with int64, which overflow
    padded = np.zeros((n, channels, height + 2 * p, width + 2 * p), numerators.dtype)
    padded[:, :, p : p + height, p : p + width] = numerators
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::s, ::s].transpose(0, 2, 3, 1, 4, 5)
    sums = exact_product(windows.reshape(-1, channels * kh * kw), weights.reshape(o, -1))
    return sums.reshape(*windows.shape[:3], o).transpose(0, 3, 1, 2)


def as_python(integers):
    """Integers of float64 or object as Python integers (dtype object)."""
    whole = integers if integers.dtype == object else integers.astype(np.int64)
    return whole.astype(object)


def at_least(sums, bounds):
    """[sum >= bound] for sums of `exact_product` and bounds that are Python integers (object)."""
    if sums.dtype != object:
        bounds = np.clip(bounds, -2 * _EXACT, 2 * _EXACT).astype(np.float64)
    return (sums >= bounds).astype(bool)
