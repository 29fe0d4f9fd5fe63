"""What a tensor of an ONNX graph is in terms of integers, bits and rationals.

Every tensor of a binarized network is, up to its layout, an affine function of something simple:

    value = scale * u + bias,    u a pixel, a level, a bit, or a sum of them with weights +-1 and 0,

with rational scale and bias. After Sign or a comparison it is a step function of such a value: one
number where that is negative, one where it is 0, and one where it is positive. As long as all three
are kept, Sign(Sign(x) + 0.1) and Where(x >= 0, 1, -1) need no pattern: they become two-valued by
themselves.
"""

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from bnnkit.quantiser import Quantiser

_MOST_FRACTIONS = 2**20  # of one constant
_LONGEST = 2**13  # binary digits of a scale

ZERO, ONE = (np.array(Fraction(value), dtype=object) for value in (0, 1))
_as_fraction = np.frompyfunc(Fraction, 1, 1)
_sign = np.frompyfunc(lambda value: (value > 0) - (value < 0), 1, 1)


@dataclass(frozen=True, eq=False)
class Input:
    """Pixels, or the levels of a quantiser.

    Pixel k of the network, in (C, H, W) order, is number ``order[k]`` of the file's input.
    `pixels` is the range of a pixel, if it is known.
    """

    shape: tuple
    order: np.ndarray
    pixels: tuple | None = None
    quantiser: Quantiser | None = None

    @property
    def largest(self):
        """The largest level, or None for pixels."""
        return None if self.quantiser is None else self.quantiser.n_levels - 1


@dataclass(frozen=True, eq=False)
class Bits:
    """The bits of `layers`, a threshold layer and pools, on `source`."""

    shape: tuple
    layers: tuple
    source: object
    largest = 1


@dataclass(frozen=True, eq=False)
class Sums:
    """Integer or, for pixels, real sums of `source` with int8 weights (O, C, KH, KW)."""

    shape: tuple
    weights: np.ndarray
    stride: int
    padding: int
    source: object


@dataclass(frozen=True, eq=False)
class Pooled:
    """Maxima of an affine Tensor over windows."""

    shape: tuple
    inner: object
    size: int
    stride: int


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the graph for a batch of one image.

    Attributes
    ----------
    source : Input, Bits, Sums, Pooled
    index : ndarray of int64
        Of the tensor's shape: the place in the source, in (C, H, W) order, of each value.
    scale, bias : ndarray of Fraction
        Broadcast to the tensor's shape.
    steps : tuple of three such arrays, optional
        The values where scale * u + bias is negative, 0, positive.
    origin : str
        The node of the steps.
    only : "sign", "output", None
        What this tensor is good for if it is only known up to a function that keeps signs (a
        clip) or the order of classes (a softmax).
    """

    source: object
    index: np.ndarray
    scale: np.ndarray = field(default_factory=lambda: ONE)
    bias: np.ndarray = field(default_factory=lambda: ZERO)
    steps: tuple | None = None
    origin: str = ""
    only: str | None = None

    @property
    def shape(self):
        return self.index.shape

    def mapped(self, slope, offset):
        """The tensor times `slope` plus `offset`, which are arrays of Fractions."""
        if self.steps is not None:
            return replace(self, steps=tuple(_array(v * slope + offset) for v in self.steps))
        scale, bias = _array(self.scale * slope), _array(self.bias * slope + offset)
        longest = max(value.denominator.bit_length() for value in (*scale.flat, *bias.flat))
        if longest > _LONGEST:
            raise ValueError(f"constants multiply to fractions of {longest} binary digits")
        return replace(self, scale=scale, bias=bias)

    def stepped(self, outcomes, origin):
        """The tensor of `outcomes` where this one is negative, 0, positive."""
        table = np.array([Fraction(v) for v in outcomes], object)
        if self.steps is not None:
            return replace(self, steps=tuple(_array(table[_signs(v)]) for v in self.steps))
        steps = tuple(_array(value) for value in table)
        return replace(self, steps=steps, origin=origin, only=None)

    def laid_out(self, change, shape):
        """The tensor with another layout, which `change` gives an array of the old one."""

        def moved(values):
            if values.size == 1:
                return values.reshape((1,) * len(shape))
            return change(np.broadcast_to(values, self.shape))

        steps = self.steps and tuple(map(moved, self.steps))
        index, scale, bias = change(self.index), moved(self.scale), moved(self.bias)
        return replace(self, index=index, scale=scale, bias=bias, steps=steps)

    def transposed(self, perm):
        """The tensor with its axes in another order; arrays that broadcast go on doing so."""

        def moved(values):
            return values.reshape((1,) * (len(perm) - values.ndim) + values.shape).transpose(perm)

        steps = self.steps and tuple(map(moved, self.steps))
        index, scale, bias = moved(self.index), moved(self.scale), moved(self.bias)
        return replace(self, index=index, scale=scale, bias=bias, steps=steps)

    def on_source(self, values):
        """Values of this tensor as an array (C, H, W) of its source, or (C, 1, 1) if that will do.

        Raises
        ------
        ValueError
            The tensor is not the whole source, each value once.
        """
        c, size = self.source.shape[0], math.prod(self.source.shape)
        flat = self.index.ravel()
        if flat.size != size or (np.bincount(flat, minlength=size) != 1).any():
            raise ValueError("a part of a tensor is used; a layer must read all of the one before")
        if values.size == 1:
            return np.broadcast_to(values.reshape(1, 1, 1), (c, 1, 1))
        placed = np.empty(size, object)
        placed[flat] = np.broadcast_to(values, self.shape).ravel()
        placed = placed.reshape(c, -1)
        if (placed == placed[:, :1]).all():
            return placed[:, :1, None]
        return placed.reshape(self.source.shape)

    @property
    def is_grid(self):
        """Whether the axes are those of the source: batch, channel, row, column."""
        same = self.shape == (1, *self.source.shape)
        return same and bool((self.index.ravel() == np.arange(self.index.size)).all())


def whole(source, scale=ONE, bias=ZERO):
    """All of a source as a tensor (1, C, H, W); scale and bias (C, H, W) or (C, 1, 1)."""
    index = np.arange(math.prod(source.shape)).reshape(1, *source.shape)
    return Tensor(source, index, scale, bias)


def constant(array, shape):
    """Fractions of a constant that is combined with a tensor of this shape."""
    if np.broadcast_shapes(array.shape, shape) != shape:
        raise ValueError(f"a constant of shape {array.shape} does not fit a tensor {shape}")
    if array.size > _MOST_FRACTIONS:
        raise ValueError(f"a constant of {array.size} values; the limit is {_MOST_FRACTIONS}")
    return _array(_as_fraction(array.astype(object)))


def _array(values):
    """NumPy makes a number of an array without axes; this makes it an array again."""
    return np.asarray(values, object)


def _signs(values):
    """0, 1, 2 for negative values, 0, positive values."""
    return np.asarray(_sign(values), np.int64) + 1
