"""Networks whose first layer reads real pixels: exact, in rationals.

Imported networks take pixels as they are, say all reals from 0 to 255, and not levels. Their first
layer compares sums of pixels with rational thresholds; what follows it reads bits, so it is an
ordinary `BinaryNetwork` of two levels, and kernels, bounds and encoding work on it as they are.
"""

import math
import numbers
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from bnnkit._checks import as_array, simplest_fraction
from bnnkit.network.binary_network import BinaryNetwork
from bnnkit.network.layers import Pool2d, TernaryMap, frozen, pack_maps
from bnnkit.network.rationals import as_integers, as_python, at_least, window_sums
from bnnkit.network.saved import SavedNetwork
from bnnkit.quantiser import Quantiser

_ceil = np.frompyfunc(math.ceil, 1, 1)
_above = np.frompyfunc(lambda value: math.floor(value) + 1, 1, 1)

_MOST_TERMS = 2**22  # numbers of the windows of the images that are evaluated at once


class RealConv2d(TernaryMap):
    """Ternary convolution or dense layer over real numbers, with one-bit outputs.

    Parameters
    ----------
    weights : ndarray of int8, shape (O, C, KH, KW)
        For a dense layer KH, KW is the size of the input.
    threshold : array_like of Fraction or int, shape (O,) or (O, OH, OW)
        One for each channel, or one for each output bit.
    sense : array_like of int, shape (O,)
        +1: bit = [z >= threshold]; -1: bit = [z <= threshold].
    strict : bool or array_like of bool, shape (O,)
        Where true, the bit is [z > threshold] or [z < threshold].
    stride, padding : int
        The same for both axes. Padding has the value 0.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from bnnkit.network import RealConv2d
    >>> layer = RealConv2d(np.ones((1, 1, 1, 2)), [Fraction(3, 2)], [1])
    >>> layer.bits(np.array([[[[1.0, 0.5]]], [[[1.0, 0.25]]]])).ravel()
    array([1, 0], dtype=uint8)
    """

    def __init__(self, weights, threshold, sense, strict=False, stride=1, padding=0):
        super().__init__(weights, stride, padding)
        o = self.kernel_shape[0]
        self.threshold = _fractions(threshold)
        if self.threshold.ndim not in (1, 3) or len(self.threshold) != o:
            raise ValueError(
                f"threshold must have shape ({o},) or ({o}, OH, OW), got {self.threshold.shape}"
            )
        self.sense = frozen(sense, np.int8, "sense")
        if self.sense.shape != (o,) or not np.isin(self.sense, (-1, 1)).all():
            raise ValueError(f"sense must be {o} values of +1 or -1, got {self.sense}")
        strict = np.asarray(strict)
        if strict.dtype != bool or strict.shape not in ((), (o,)):
            raise ValueError(f"strict must be a bool or {o} of them, got {strict!r}")
        self.strict = np.array(np.broadcast_to(strict, (o,)))
        self.strict.setflags(write=False)

    @property
    def nbytes(self):
        """Memory of the packed weights, and of numerators and denominators of 8 bytes."""
        return super().nbytes + 16 * self.threshold.size + 2 * len(self.sense)

    def output_shape(self, input_shape):
        """(O, OH, OW) for an input (C, H, W)."""
        shape = super().output_shape(input_shape)
        if self.threshold.ndim == 3 and self.threshold.shape != shape:
            raise ValueError(f"thresholds of shape {self.threshold.shape} for outputs {shape}")
        return shape

    def bits(self, x):
        """Outputs, uint8 (N, O, OH, OW), for exact numbers x (N, C, H, W); see `as_integers`."""
        return self.integer_bits(*as_integers(x))

    def integer_bits(self, numerators, denominator):
        """Outputs, uint8 (N, O, OH, OW), for numbers as `as_integers` gives them."""
        return at_least(self.signed_sums(numerators), self.bounds(denominator)).astype(np.uint8)

    def signed_sums(self, numerators):
        """The sums sense * z, integers (N, O, OH, OW), for integers (N, C, H, W)."""
        weights = self.weights * self.sense[:, None, None, None]
        return window_sums(numerators, weights, self.stride, self.padding)

    def reach(self, widths):
        """Sums of widths >= 0 (N, C, H, W), integers, over the inputs of each output."""
        absolute = RealConv2d(
            abs(self.weights), self.threshold, abs(self.sense), False, self.stride, self.padding
        )
        return absolute.signed_sums(widths)

    def bounds(self, denominator):
        """Integers b with bit = [sense * z * denominator >= b], for inputs over `denominator`.

        Returns
        -------
        ndarray of int (dtype object), shape (O, 1, 1) or (O, OH, OW)
        """
        places = self.signed_threshold * denominator
        bounds = np.empty_like(places)
        for channel, strict in enumerate(self.strict.tolist()):
            bounds[channel] = _above(places[channel]) if strict else _ceil(places[channel])
        return bounds

    @property
    def signed_threshold(self):
        """The thresholds times sense, Fractions of shape (O, 1, 1) or (O, OH, OW)."""
        threshold = self.threshold
        threshold = threshold if threshold.ndim == 3 else threshold[:, None, None]
        return threshold * self.sense[:, None, None].astype(object)


class Margins(NamedTuple):
    """How far an image is from where some bit flips.

    Attributes
    ----------
    first : Fraction or None
        Smallest abs(z - threshold) of the first layer; 0 is a tie. None if all its neurons are
        constant.
    later : int or None
        Smallest change of a sum of a later layer that flips its bit. None if there is no such
        layer.

    Examples
    --------
    >>> from bnnkit import BinaryNetwork, RealNetwork
    >>> from bnnkit.network import Head, RealConv2d
    >>> from bnnkit.quantiser import Quantiser
    >>> front = RealConv2d(np.ones((1, 1, 1, 1)), [10], [1])
    >>> head = Head(np.array([-1, 1]).reshape(2, 1, 1, 1), scale=2, bias=[1, 0])
    >>> network = RealNetwork(front, BinaryNetwork(Quantiser(1), [], head, (1, 1, 1)), (1, 1, 1))
    >>> network.margins([[[9.5]]])  # half a grey level from the threshold of the only neuron
    Margins(first=Fraction(1, 2), later=None)
    """

    first: Fraction | None
    later: int | None


class RealNetwork(SavedNetwork):
    """An exact network over real pixels: a layer of rational thresholds, then a binary network.

    Parameters
    ----------
    front : RealConv2d
    tail : BinaryNetwork
        Of the quantiser step 1, so of two levels: its input are the bits of `front`.
    input_shape : tuple of int
        (C, H, W).
    low, high : float, Fraction
        Range of a pixel: the 8-bit value v stands for low + (high - low) * v / 255.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from bnnkit import BinaryNetwork, RealNetwork
    >>> from bnnkit.network import Head, RealConv2d
    >>> from bnnkit.quantiser import Quantiser
    >>> front = RealConv2d(np.ones((1, 1, 1, 2)), [Fraction(301, 2)], [1])
    >>> head = Head(np.array([-1, 1]).reshape(2, 1, 1, 1), scale=1, bias=[0, 0])
    >>> tail = BinaryNetwork(Quantiser(1), [], head, (1, 1, 1))
    >>> network = RealNetwork(front, tail, (1, 1, 2), 0, 255)
    >>> network.predict(np.array([[[[100.0, 50.25]]], [[[100.0, 50.5]]]]))
    array([0, 1])
    """

    def __init__(self, front, tail, input_shape, low=0, high=255):
        self.front, self.tail = front, tail
        self.input_shape = tuple(int(size) for size in input_shape)
        self.low, self.high = simplest_fraction(low, "low"), simplest_fraction(high, "high")
        if not isinstance(front, RealConv2d) or not isinstance(tail, BinaryNetwork):
            raise TypeError(
                "front and tail must be a RealConv2d and a BinaryNetwork, "
                f"got {type(front).__name__} and {type(tail).__name__}"
            )
        if len(self.input_shape) != 3 or min(self.input_shape) < 1:
            raise ValueError(f"input_shape must be (C, H, W), got {input_shape}")
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got {low} and {high}")
        if tail.quantiser != Quantiser(1):
            raise ValueError(f"the tail must read bits (step 1), got step {tail.quantiser.step}")
        if front.output_shape(self.input_shape) != tail.input_shape:
            raise ValueError(
                f"the first layer's output {front.output_shape(self.input_shape)} "
                f"does not match the tail's input {tail.input_shape}"
            )

    @property
    def n_classes(self):
        """Number of classes."""
        return self.tail.n_classes

    @property
    def input_range(self):
        """(low, high) of a pixel, Fractions."""
        return self.low, self.high

    def bits(self, x):
        """Bits of the first layer.

        Parameters
        ----------
        x : array_like, shape (N, C, H, W), (N, H, W) of one channel, or (N, features)
            Pixels: floats, each for its exact value; integers; Fractions (dtype object); or
            8-bit images (uint8), which stand for values in the network's range. Values out of
            the range are computed with as they are.

        Returns
        -------
        ndarray of uint8, shape (N, O, OH, OW)

        Raises
        ------
        TypeError, ValueError
            Another shape or type, NaN, infinities.
        """
        x = self._as_pixels(x)
        o, rows, columns = self.tail.input_shape
        terms = rows * columns * self.front.n_weights // o
        size = max(1, _MOST_TERMS // terms)
        starts = range(0, len(x), size)
        parts = [self.front.integer_bits(*self._as_integers(x[i : i + size])) for i in starts]
        return np.concatenate([np.zeros((0, o, rows, columns), np.uint8), *parts])

    def _as_integers(self, x):
        if x.dtype != np.uint8:
            return as_integers(x)
        step = (self.high - self.low) / 255
        denominator = math.lcm(step.denominator, self.low.denominator)
        if (self.low, step) == (0, 1):
            return x.astype(np.float64), 1
        values = [int((self.low + step * v) * denominator) for v in range(256)]
        table = as_integers(np.array(values, object))[0]
        return table[x], denominator

    def _as_pixels(self, x):
        array = x if isinstance(x, np.ndarray) and x.dtype == object else as_array("x", x)
        n_pixels, (c, *size) = math.prod(self.input_shape), self.input_shape
        if array.shape[1:] not in (self.input_shape, (n_pixels,), tuple(size) if c == 1 else None):
            raise ValueError(
                f"x must have shape (N, {', '.join(map(str, self.input_shape))}) "
                f"or (N, {n_pixels}), got {array.shape}"
            )
        return array.reshape(-1, *self.input_shape)

    def predict(self, x):
        """Classes of images `x` (see `bits`), int64 (N,); the lowest class wins a tie."""
        return self.scores(x).argmax(axis=1)

    def scores(self, x):
        """Integer scores of images `x` (see `bits`): int64 (N, classes)."""
        return self.tail.scores_of_levels(self.bits(x))

    def margins(self, x):
        """How far one image, (C, H, W) or (features,), is from where a bit flips.

        Returns
        -------
        Margins
        """
        x = self._as_pixels(np.asarray(x)[None])
        return Margins(self._first_margin(x), _later_margin(self.tail, self.bits(x)))

    def _first_margin(self, x):
        numerators, denominator = self._as_integers(x)
        front, used = self.front, self.front.weights.any(axis=(1, 2, 3))
        if not used.any():
            return None
        sums, places = front.signed_sums(numerators)[0], front.signed_threshold * denominator
        if front.threshold.ndim == 3:
            return abs(as_python(sums) - places)[used].min() / denominator
        bits = at_least(sums, front.bounds(denominator))  # a channel's nearest sums on both sides
        above = np.where(bits, sums, np.inf).min(axis=(1, 2))[used]
        below = np.where(bits, -np.inf, sums).max(axis=(1, 2))[used]
        distances = [
            abs(int(z) - place)
            for z, place in zip([*above, *below], [*places[used].ravel()] * 2, strict=True)
            if abs(z) != math.inf
        ]
        return min(distances) / denominator

    def summary(self):
        """A table of the layers; see `BinaryNetwork.summary`."""
        from bnnkit.network.summary import real_summary

        return real_summary(self)

    def __repr__(self):
        size = "x".join(map(str, self.input_shape))
        return f"RealNetwork({size} in [{self.low}, {self.high}], {self.tail!r})"


def _fractions(values):
    """A read-only array of Fractions."""
    array = np.array(values, object)
    flat = array.ravel().tolist()
    if not all(isinstance(v, numbers.Rational) and not isinstance(v, bool) for v in flat):
        raise TypeError(
            "threshold must hold Fractions or integers; Fraction(x) is exact for floats"
        )
    exact = np.empty(len(flat), object)
    exact[:] = [Fraction(int(v.numerator), int(v.denominator)) for v in flat]
    exact = exact.reshape(array.shape)
    exact.setflags(write=False)
    return exact


def _later_margin(tail, bits):
    """The smallest change of a sum that flips a bit of the tail; `bits` of one image."""
    octets, distances = pack_maps(bits.transpose(0, 2, 3, 1)), []
    for layer in tail.layers:
        if not isinstance(layer, Pool2d):
            threshold = layer.threshold.astype(np.int64)
            threshold = threshold.transpose(1, 2, 0) if threshold.ndim == 3 else threshold
            above = (layer.sums(octets) - threshold) * layer.sense
            change = np.where(above >= 0, above + 1, -above)[..., layer.weights.any(axis=(1, 2, 3))]
            distances.extend([change.min()] if change.size else [])
        octets = layer.bits(octets)
    return int(min(distances)) if distances else None
