"""Several quantisers at once: the cells of real pixels in which all their levels are constant.

A quantiser is the set of its stairs, so several ones are the union of theirs: the number of stairs
of the union that a pixel has passed, its *cell*, tells its level for each of them. With a single
step, cells are levels.

A stair is a place and whether the place itself still lies below it, since half-way values go to the
even level. Two stairs at one place, one of each kind, leave a cell that is a single real number.
"""

import bisect
import functools
import math
from fractions import Fraction

import numpy as np

from bnnkit._checks import unit_floats
from bnnkit.quantiser import _upper_side

GREYS = 256


class Refinement:
    """The common cells of several quantisers.

    Parameters
    ----------
    quantisers : sequence of Quantiser
    grey : bool
        Whether only the 256 grey values are pixels. Stairs that no grey value lies between are
        one stair then, so that every cell holds a grey value.

    Attributes
    ----------
    n_cells : int
        Cells are 0 .. n_cells - 1, in the order of the pixels in them.
    level : ndarray of int32, shape (len(quantisers), n_cells)
        The level that each quantiser gives to the pixels of each cell.
    stair : list of ndarray of int64
        Of each quantiser: its level is above l from the cell ``stair[l] + 1`` on.
    first, last : ndarray of float32 (uint8 if `grey`), shape (n_cells,)
        The least and the greatest number in each cell; the least is greater if there is none.
    usable : ndarray of bool, shape (n_cells,)
        Whether there is one.

    Examples
    --------
    Steps 0.1 and 0.3 have stairs at 0.15, where the number itself is level 2 for one and level 0
    for the other:

    >>> from bnnkit.quantiser import Quantiser
    >>> both = Refinement([Quantiser(0.1), Quantiser(0.3)])
    >>> both.level[:, 1:4].tolist()
    [[1, 2, 2], [0, 0, 1]]
    >>> both.usable[1:4].tolist()
    [True, False, True]
    """

    def __init__(self, quantisers, grey=False):
        own = [[_stair(q, k, grey) for k in range(q.n_levels - 1)] for q in quantisers]
        self._stairs = sorted({stair for stairs in own for stair in stairs})
        position = {stair: i for i, stair in enumerate(self._stairs)}
        self.n_cells = len(self._stairs) + 1
        self.stair = [np.array([position[s] for s in stairs], np.int64) for stairs in own]
        cells = np.arange(self.n_cells)
        self.level = np.array(
            [np.searchsorted(stairs, cells) for stairs in self.stair], dtype=np.int32
        )
        self.first, self.last = _greys(self._stairs) if grey else _floats(self._stairs)
        self.usable = self.first <= self.last
        self._grey = {}  # cells of all grey values, by their shift

    def cells(self, images, shift=Fraction(0)):
        """The cell of each pixel moved by `shift` and clipped to [0, 1].

        Parameters
        ----------
        images : ndarray of uint8 or float64
            As for `Quantiser.levels`.
        shift : Fraction

        Returns
        -------
        ndarray of int32, the shape of `images`
        """
        if images.dtype == np.uint8:
            return self._grey_cells(shift)[images]
        ends = [_upper_side(place - shift, not beyond) for place, beyond in self._stairs]
        return np.searchsorted(ends, images, side="right").astype(np.int32)

    def _grey_cells(self, shift):
        """The cell of each grey value moved by `shift`."""
        if shift not in self._grey:
            moved = [Fraction(v, GREYS - 1) + shift for v in range(GREYS)]
            passed = [bisect.bisect_right(self._stairs, (x, False)) for x in moved]
            self._grey[shift] = np.array(passed, dtype=np.int32)
        return self._grey[shift]

    def box(self, images, eps):
        """The first and the last cell that each pixel reaches within `eps`, a Fraction."""
        return self.cells(images, -eps), self.cells(images, eps)

    def images_in(self, cells, images):
        """The nearest images to some (uint8 or float64) in given usable cells of that shape.

        Returns
        -------
        ndarray of float32 (uint8 if `grey`)
        """
        own = images if self.first.dtype == np.uint8 else unit_floats(images)
        return np.clip(own, self.first[cells], self.last[cells])

    def unchanged(self, images, eps):
        """Images as float32, in their own cells or the nearest usable ones within `eps`."""
        return self.images_in(
            self.nearest_usable(self.cells(images), *self.box(images, eps)), images
        )

    def nearest_usable(self, cells, low, high):
        """The nearest usable cell to each of `cells` in low..high; the cell itself if none is."""
        places = np.arange(self.n_cells)
        below = np.maximum.accumulate(np.where(self.usable, places, -1))[cells]
        above = np.where(self.usable, places, self.n_cells)[::-1]
        above = np.minimum.accumulate(above)[::-1][cells]
        down = np.where(below >= low, cells - below, self.n_cells)
        up = np.where(above <= high, above - cells, self.n_cells)
        nearest = np.where(up < down, above, below)
        return np.where(np.minimum(up, down) < self.n_cells, nearest, cells).astype(np.int32)


def refinement_of(networks, grey=False):
    """The `Refinement` of the quantisers of some networks."""
    return refinement(quantisers_of(networks), grey)


def quantisers_of(networks):
    """The distinct quantisers of some networks, in the order in which they come."""
    return tuple(dict.fromkeys(network.quantiser for network in networks))


@functools.lru_cache(maxsize=16)
def refinement(quantisers, grey):
    """The `Refinement` of a tuple of quantisers, made once."""
    return Refinement(quantisers, grey)


def _stair(quantiser, k, grey):
    """The stair from level k to k + 1: its place, and whether the place is below it."""
    place, beyond = quantiser.cell(k)[1], k % 2 == 0
    if not grey:
        return place, beyond
    steps = place * (GREYS - 1)
    first = math.floor(steps) + 1 if beyond else math.ceil(steps)
    return Fraction(first, GREYS - 1), False


def _greys(stairs):
    passing = [int(place * (GREYS - 1)) for place, _ in stairs]
    first = np.array([0, *passing])
    return first.astype(np.uint8), (np.array([*passing, GREYS]) - 1).astype(np.uint8)


def _floats(stairs):
    passing = [_least_float32(place, beyond) for place, beyond in stairs]
    first = np.array([np.float32(0), *passing])
    return first, np.append(np.nextafter(first[1:], np.float32(-1)), np.float32(1))


def _least_float32(place, beyond):
    """The smallest float32 above `place`, or at it if not `beyond`."""
    value = np.nextafter(np.float32(float(place)), np.float32(-1))
    while Fraction(float(value)) < place or (beyond and Fraction(float(value)) == place):
        value = np.nextafter(value, np.float32(2))
    return value
