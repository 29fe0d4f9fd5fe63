"""From pixels to levels, exactly.

level(x) = round-half-even(x / step) for x in [0, 1], with the step a fraction. The map is
a staircase, so it is stored as the places of its stairs: level(x) >= k + 1 exactly when x
has passed (k + 1/2) * step. Comparing a pixel with these places needs no division, hence
no rounding; each place is kept as the smallest float64 on its upper side, found in rational
arithmetic. Shifting the stairs by eps gives the levels of the two ends of a ball.
"""

import functools
import math
from fractions import Fraction

import numpy as np

from bnnkit._checks import simplest_fraction

_GREY = 255  # the largest value of an 8-bit pixel


class Quantiser:
    """Exact uniform quantiser of [0, 1] into integer levels.

    Parameters
    ----------
    step : float, Fraction
        Width of a level on the [0, 1] scale, from 1/255 to below 2. A float stands for
        the simplest fraction that it prints as: 0.61 is 61/100.

    Attributes
    ----------
    step : Fraction
    n_levels : int
        Levels are 0 .. n_levels - 1, at most 256 of them.

    Examples
    --------
    >>> from bnnkit.quantiser import Quantiser
    >>> quantiser = Quantiser(0.1)
    >>> quantiser.levels(np.array([0, 12, 13, 255], dtype=np.uint8))
    array([ 0,  0,  1, 10], dtype=uint8)
    >>> quantiser.levels(np.array([0.05, 0.25]))  # the float64 0.05 is just above 1/20
    array([1, 2], dtype=uint8)
    """

    def __init__(self, step):
        self.step = simplest_fraction(step, "quant_step")
        if not Fraction(1, _GREY) <= self.step < 2:
            raise ValueError(f"quant_step must be in [1/255, 2), got {step}")
        self.n_levels = round(1 / self.step) + 1  # round() of a Fraction is half to even

    def __eq__(self, other):
        return isinstance(other, Quantiser) and self.step == other.step

    def __hash__(self):
        return hash(self.step)

    def __repr__(self):
        return f"Quantiser(step={self.step}, n_levels={self.n_levels})"

    def levels(self, images, shift=Fraction(0)):
        """Levels of the pixels moved by `shift` and clipped to [0, 1].

        Parameters
        ----------
        images : ndarray of uint8 or float64
            uint8 v stands for v / 255 exactly; a float for its exact binary value.
        shift : Fraction
            Added to each pixel before it is quantised.

        Returns
        -------
        ndarray of uint8, the shape of `images`
        """
        if images.dtype == np.uint8:
            from bnnkit.kernels import stairs  # loads numba, which no other step needs

            return stairs(images, _grey_stairs(self.step, shift))
        stairs = [_upper_side(self._stair(k) - shift, k % 2 == 1) for k in range(self.n_levels - 1)]
        return np.searchsorted(stairs, images, side="right").astype(np.uint8)

    def ball(self, images, eps):
        """Lowest and highest level that each pixel reaches within `eps`.

        Parameters
        ----------
        images : ndarray of uint8 or float64
        eps : Fraction

        Returns
        -------
        low, high : ndarray of uint8, the shape of `images`
            Every level between them, ends included, is reached by some real pixel.
        """
        return self.levels(images, -eps), self.levels(images, eps)

    def radii(self, images, grey=False):
        """The least eps whose ball reaches each level, for every pixel.

        Parameters
        ----------
        images : ndarray of uint8 or float64
        grey : bool
            Whether the ball holds 8-bit images only; `images` must be uint8 then.

        Returns
        -------
        ndarray of float64, shape images.shape + (n_levels,)
            The smallest float that, as the eps that it stands for, reaches the level: the
            distance to the level, or the next float where that is not enough, since half-way
            values may belong to the other side. 0 for the level of the pixel itself.

        Examples
        --------
        >>> Quantiser(0.1).radii(np.array([0], dtype=np.uint8))[0, :3].tolist()
        [0.0, 0.05000000000000001, 0.15]
        """
        if grey:
            return _grey_distances(self.step)[images]
        if images.dtype == np.uint8:
            return _grey_radii(self)[images]
        values, places = np.unique(images, return_inverse=True)
        table = _radii(self, [Fraction(float(value)) for value in values])
        return table[places.reshape(images.shape)]

    def cell(self, level):
        """The real numbers that have `level`: (low, high, closed) with closed for both ends.

        Half-even rounding gives both ends of a cell to the even levels.
        """
        return self._stair(level - 1), self._stair(level), level % 2 == 0

    def _stair(self, k):
        """The real number where level k ends and level k + 1 begins."""
        return (k + Fraction(1, 2)) * self.step


@functools.lru_cache(maxsize=64)
def _grey_table(step, shift):
    """The level of each of the 256 grey values, moved by `shift` and clipped."""
    values = (min(max(Fraction(v, _GREY) + shift, 0), 1) for v in range(_GREY + 1))
    return np.array([round(value / step) for value in values], dtype=np.uint8)


@functools.lru_cache(maxsize=64)
def _grey_stairs(step, shift):
    """The grey value that each level starts at, from the lowest level that occurs on."""
    levels = _grey_table(step, shift)
    return np.searchsorted(levels, np.arange(1, int(levels[-1]) + 1)).astype(np.uint8)


@functools.lru_cache(maxsize=16)
def _grey_distances(step):
    """Steps of 1/255 from each grey value to the nearest one with each level, as floats."""
    of_values, values = _grey_table(step, Fraction(0)), np.arange(_GREY + 1)
    levels = np.arange(int(of_values[-1]) + 1)
    lowest = np.searchsorted(of_values, levels, side="left")
    highest = np.searchsorted(of_values, levels, side="right") - 1
    distances = np.maximum(lowest - values[:, None], values[:, None] - highest)
    return np.maximum(distances, 0) / _GREY


@functools.lru_cache(maxsize=16)
def _grey_radii(quantiser):
    return _radii(quantiser, [Fraction(v, _GREY) for v in range(_GREY + 1)])


def _radii(quantiser, values):
    """The least eps with which each of some rationals reaches each level."""
    cells = [quantiser.cell(level) for level in range(quantiser.n_levels)]
    return np.array([
        [_least_eps(max(low - value, value - high), closed) for low, high, closed in cells]
        for value in values
    ])  # fmt: skip


def _least_eps(distance, included):
    """The smallest float that stands for an eps above `distance` (or for it, if `included`).

    A float stands for a rational that rounds to it, so the nearest one is at most one too low.
    """
    if distance < 0 or (included and distance == 0):
        return 0.0
    value = float(distance)
    meant = simplest_fraction(value)
    if meant > distance or (included and meant == distance):
        return value
    return math.nextafter(value, math.inf)


def _upper_side(place, included):
    """The smallest float64 above the rational `place` (or at it, if `included`)."""
    if place < 0:
        return -math.inf
    value = float(place)  # the nearest float64, so at most one step away
    while Fraction(value) < place or (Fraction(value) == place and not included):
        value = math.nextafter(value, math.inf)
    return value
