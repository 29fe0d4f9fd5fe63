"""Boxes of real inputs: exact ends, and the numbers in them that a search walks on."""

import math
from fractions import Fraction

import numpy as np

from bnnkit.network.rationals import as_integers, as_python
from bnnkit.verification.real.lanes import EXACT

_ceil = np.frompyfunc(math.ceil, 1, 1)
_floor = np.frompyfunc(math.floor, 1, 1)
_MOST_PLACES = 30  # binary places of a grid
_NEXT = Fraction(1, 10**6)  # share of the width that counts as being at an end


class Box:
    """All inputs between two ends, which belong to it.

    Parameters
    ----------
    low, high : array_like of Fraction, int or float, shape (C, H, W)
        A float stands for its exact value.

    Attributes
    ----------
    low, high : ndarray of Fraction (dtype object), shape (C, H, W)

    Raises
    ------
    TypeError, ValueError
        Shapes that differ, numbers that are not finite, or an end below the other.

    Examples
    --------
    >>> box = Box([[[0, Fraction(1, 3)]]], [[[0.5, Fraction(1, 3)]]])
    >>> print(*box.centre.ravel())
    1/4 1/3
    """

    def __init__(self, low, high):
        self.low, self.high = _fractions(low, "low"), _fractions(high, "high")
        if self.low.ndim != 3 or self.low.shape != self.high.shape:
            raise ValueError(
                "low and high must have one shape (C, H, W), "
                f"got {self.low.shape} and {self.high.shape}"
            )
        if self.low.size == 0:
            raise ValueError(f"the box has no inputs: shape {self.low.shape}")
        wrong = np.argwhere(self.low > self.high)
        if len(wrong):
            place = tuple(wrong[0].tolist())
            raise ValueError(
                f"the box is empty: low {self.low[place]} is above high {self.high[place]} "
                f"at input {place}"
            )

    @property
    def shape(self):
        """(C, H, W)."""
        return self.low.shape

    @property
    def centre(self):
        """The point in the middle: Fractions (C, H, W)."""
        return (self.low + self.high) / 2

    def contains(self, x):
        """Whether Fractions `x` (C, H, W) are in the box."""
        return bool((self.low <= x).all() and (x <= self.high).all())

    def nearest(self, x):
        """The point of the box that is nearest to Fractions `x` (C, H, W)."""
        return np.minimum(np.maximum(x, self.low), self.high)

    def snapped(self, x):
        """The point `nearest` to Fractions `x`, with inputs next to an end put on that end."""
        x, reach = self.nearest(x), (self.high - self.low) * _NEXT
        x = np.where(x - self.low <= reach, self.low, x)
        return np.where(self.high - x <= reach, self.high, x)

    def bits(self, front):
        """What the whole box agrees on: bounds of the bits of a `RealConv2d`, exact.

        Returns
        -------
        low, high : ndarray of bool, shape (O, OH, OW)
        """
        sums, reach, denominator = self.sums(front)
        bounds = front.bounds(denominator)
        return sums - reach >= bounds, sums + reach >= bounds

    def sums(self, front):
        """Integers s, r and d: sense * z goes exactly from (s - r) / d to (s + r) / d.

        Returns
        -------
        sums, reach : ndarray of int (dtype object), shape (O, OH, OW)
        denominator : int
        """
        (low, high), denominator = as_integers(np.stack([self.low, self.high]))
        sums, reach = front.signed_sums((low + high)[None]), front.reach((high - low)[None])
        return as_python(sums[0]), as_python(reach[0]), 2 * denominator


class Grid:
    """The multiples of 1 / unit in a box; an input without one is fixed to its lower end.

    Parameters
    ----------
    box : Box
    front : RealConv2d

    Attributes
    ----------
    unit : Fraction
        A power of two: numbers of the grid are exact in float32, and so are all sums of them.
    low, high : ndarray of float32, shape (H * W * C,)
        First and last multiple, in units, in (row, column, channel) order.
    radius : float
        Half the mean width of the inputs that can move, in units; 0 if there are none.
    """

    def __init__(self, box, front):
        self._box = box
        greatest = max(abs(box.low).max(), abs(box.high).max(), Fraction(1, 2**_MOST_PLACES))
        terms = max(int(abs(front.weights).sum(axis=(1, 2, 3), dtype=np.int64).max()), 1)
        finest = EXACT / (greatest * terms)
        places = finest.numerator.bit_length() - finest.denominator.bit_length() - 1
        self.unit = Fraction(2) ** min(places, _MOST_PLACES)
        low, high = _ceil(box.low * self.unit), _floor(box.high * self.unit)
        self._fixed = low > high
        high = np.where(self._fixed, low, high)
        self.low, self.high = (by_channel(end).astype(np.float32) for end in (low, high))
        width = self.high - self.low
        self.radius = float(width[width > 0].mean() / 2) if width.any() else 0.0

    def nearest(self, x):
        """The position that is nearest to Fractions `x` (C, H, W): float32 (H * W * C,)."""
        whole = _floor(x * self.unit + Fraction(1, 2))
        return np.clip(by_channel(whole).astype(np.float32), self.low, self.high)

    def point(self, positions):
        """Positions (H * W * C,) as an exact point of the box: Fractions (C, H, W)."""
        c, h, w = self._box.shape
        whole = positions.reshape(h, w, c).transpose(2, 0, 1).astype(np.int64).astype(object)
        return np.where(self._fixed, self._box.low, whole / self.unit)


def by_channel(maps):
    """An array (C, H, W) as a vector in (row, column, channel) order."""
    return maps.transpose(1, 2, 0).ravel()


def _fractions(values, name):
    array = np.asarray(values)
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
        raise ValueError(f"{name} must hold finite numbers, but it has NaN or infinity")
    exact = np.empty(array.size, object)
    try:
        exact[:] = [Fraction(value) for value in array.ravel().tolist()]
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name} must hold integers, floats and Fractions") from None
    return exact.reshape(array.shape)
