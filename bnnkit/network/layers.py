"""The layers of the exact network.

A dense layer is a convolution whose kernel is its whole input, so `Conv2d` is both, and
nothing needs to be flattened. Between layers travel bits, the channels of a pixel packed
into words; the first layer takes integer levels instead.
"""

import operator
from functools import cached_property

import numpy as np

from bnnkit.kernels import (
    bit_planes,
    output_size,
    pack_bits,
    pack_ternary,
    patches,
    pool_words,
    ternary_product,
    unpack_ternary,
)

_LARGEST_SCORE = 2**60  # differences of scores must fit int64


class TernaryMap:
    """Integer sums z = sum w*x over windows, with weights in {-1, 0, +1}.

    Parameters
    ----------
    weights : ndarray of int8, shape (O, C, KH, KW)
    stride, padding : int
        The same for both axes. Padding has level or bit 0.
    """

    def __init__(self, weights, stride=1, padding=0):
        weights = np.asarray(weights)
        if weights.ndim != 4 or weights.size == 0 or not np.isin(weights, (-1, 0, 1)).all():
            raise ValueError(
                "weights must be an array (O, C, KH, KW) of -1, 0 and +1, "
                f"got shape {weights.shape}, dtype {weights.dtype}"
            )
        self.kernel_shape = tuple(map(int, weights.shape))
        self.stride, self.padding = operator.index(stride), operator.index(padding)
        if self.stride < 1 or self.padding < 0:
            raise ValueError(f"stride must be >= 1 and padding >= 0, got {stride} and {padding}")
        # two bits a weight: a whole window, in (KH, KW, C) order, is one group of words
        by_window = weights.transpose(0, 2, 3, 1).reshape(len(weights), 1, -1)
        self._packed = pack_ternary(by_window)

    @property
    def weights(self):
        """The weights as int8 (O, C, KH, KW), unpacked on each access."""
        o, c, kh, kw = self.kernel_shape
        by_window = unpack_ternary(self._packed.sign, self._packed.mask, 1, kh * kw * c)
        return by_window.reshape(o, kh, kw, c).transpose(0, 3, 1, 2)

    @property
    def n_weights(self):
        """Number of weights, zeros included."""
        return int(np.prod(self.kernel_shape))

    @property
    def sparsity(self):
        """Share of the weights that are 0."""
        return 1.0 - int(np.bitwise_count(self._packed.mask).sum()) / self.n_weights

    @property
    def nbytes(self):
        """Memory of the packed weights in bytes."""
        return sum(part.nbytes for part in self._packed)

    def output_shape(self, input_shape):
        """(O, OH, OW) for an input (C, H, W); ValueError where the kernel does not fit."""
        o, c, kh, kw = self.kernel_shape
        rows = output_size(input_shape[1], kh, self.stride, self.padding)
        columns = output_size(input_shape[2], kw, self.stride, self.padding)
        if input_shape[0] != c or rows < 1 or columns < 1:
            raise ValueError(
                f"weights of shape {self.kernel_shape} with padding {self.padding} "
                f"do not fit an input of shape {tuple(input_shape)}"
            )
        return o, rows, columns

    def sums(self, words):
        """Sums z for packed bits (N, H, W, words a pixel): int32 (N, OH, OW, O)."""
        _, _, kh, kw = self.kernel_shape
        windows = patches(words, (kh, kw), self.stride, self.padding)
        return self._as_maps(ternary_product(windows, self._packed_by_pixel), words)

    def level_sums(self, levels):
        """Sums z for integer levels, uint8 (N, H, W, C): int32 (N, OH, OW, O)."""
        o, _, kh, kw = self.kernel_shape
        windows = patches(levels, (kh, kw), self.stride, self.padding)
        total = np.zeros((len(windows), o), dtype=np.int32)
        for p, plane in enumerate(bit_planes(windows)):
            total += ternary_product(plane, self._packed) << p
        return self._as_maps(total, levels)

    @cached_property
    def _packed_by_pixel(self):
        """The weights packed as activations are: the channels of a pixel are one group."""
        o, c, kh, kw = self.kernel_shape
        if c % 64 == 0 or kh * kw == 1:
            return self._packed
        return pack_ternary(self.weights.transpose(0, 2, 3, 1).reshape(o, kh * kw, c))

    def _as_maps(self, sums, x):
        rows = output_size(x.shape[1], self.kernel_shape[2], self.stride, self.padding)
        columns = output_size(x.shape[2], self.kernel_shape[3], self.stride, self.padding)
        return sums.reshape(len(x), rows, columns, -1)


class Conv2d(TernaryMap):
    """Ternary convolution or dense layer with one-bit outputs.

    Parameters
    ----------
    weights : ndarray of int8, shape (O, C, KH, KW)
        For a dense layer KH, KW is the size of the input.
    threshold : ndarray of int, shape (O,) or (O, OH, OW)
        One for each channel, or one for each output bit.
    sense : ndarray of int, shape (O,)
        +1: bit = [z >= threshold]; -1: bit = [z <= threshold].
    stride, padding : int
    """

    def __init__(self, weights, threshold, sense, stride=1, padding=0):
        super().__init__(weights, stride, padding)
        self.threshold = _frozen(threshold, np.int32, "threshold")
        self.sense = _frozen(sense, np.int8, "sense")
        o = self.kernel_shape[0]
        if self.threshold.ndim not in (1, 3) or len(self.threshold) != o:
            raise ValueError(
                f"threshold must have shape ({o},) or ({o}, OH, OW), got {self.threshold.shape}"
            )
        if self.sense.shape != (o,) or not np.isin(self.sense, (-1, 1)).all():
            raise ValueError(f"sense must be {o} values of +1 or -1, got {self.sense}")

    @property
    def nbytes(self):
        """Memory of weights and thresholds in bytes."""
        return super().nbytes + self.threshold.nbytes + self.sense.nbytes

    def output_shape(self, input_shape):
        """(O, OH, OW) for an input (C, H, W)."""
        shape = super().output_shape(input_shape)
        if self.threshold.ndim == 3 and self.threshold.shape != shape:
            raise ValueError(f"thresholds of shape {self.threshold.shape} for outputs {shape}")
        return shape

    def bits(self, z):
        """Packed outputs (N, OH, OW, words) for sums z, int32 (N, OH, OW, O)."""
        threshold = self.threshold
        if threshold.ndim == 3:
            threshold = threshold.transpose(1, 2, 0)
        bits = np.where(self.sense > 0, z >= threshold, z <= threshold)
        n, rows, columns, o = z.shape
        return pack_bits(bits.reshape(-1, 1, o)).reshape(n, rows, columns, -1)


class Pool2d:
    """Pooling of bits over windows without padding.

    Parameters
    ----------
    kind : "or", "and"
        OR is max-pooling, AND is min-pooling.
    size, stride : int
        `stride` is `size` unless given.
    """

    def __init__(self, kind, size, stride=None):
        stride = size if stride is None else stride
        if kind not in ("or", "and"):
            raise ValueError(f"pooling is 'or' or 'and', got {kind!r}")
        if size < 1 or stride < 1:
            raise ValueError(f"pool size and stride must be >= 1, got {size} and {stride}")
        self.kind, self.size, self.stride = kind, operator.index(size), operator.index(stride)

    def output_shape(self, input_shape):
        """(C, OH, OW) for an input (C, H, W)."""
        c, h, w = input_shape
        rows, columns = (output_size(side, self.size, self.stride, 0) for side in (h, w))
        if rows < 1 or columns < 1:
            raise ValueError(f"a pool of size {self.size} does not fit an input of {input_shape}")
        return c, rows, columns

    def bits(self, words):
        """Packed outputs for packed inputs (N, H, W, words)."""
        return pool_words(words, self.kind, self.size, self.stride)


class Head(TernaryMap):
    """The last layer: integer scores scale*z_c + bias_c; the lowest class wins a tie.

    Parameters
    ----------
    weights : ndarray of int8, shape (classes, C, H, W)
    scale : int
        Not 0; the same for all classes.
    bias : ndarray of int, shape (classes,)
    """

    def __init__(self, weights, scale, bias):
        super().__init__(weights)
        self.scale = operator.index(scale)
        self.bias = _frozen(bias, np.int64, "bias")
        if self.scale == 0:
            raise ValueError("the head's scale is 0, so the scores ignore the input")
        if self.bias.shape != self.kernel_shape[:1]:
            raise ValueError(
                f"bias must have one value a class, got {self.bias.shape} "
                f"for {self.kernel_shape[0]} classes"
            )

        fan_in = self.n_weights // len(self.bias)
        largest = abs(self.scale) * fan_in + max(map(abs, self.bias.tolist()))
        if largest >= _LARGEST_SCORE:
            raise ValueError(f"scores may reach {largest}, beyond the limit of 2**60")

    def scores(self, z):
        """int64 (N, classes) for sums z, int32 (N, 1, 1, classes)."""
        return self.scale * z[:, 0, 0].astype(np.int64) + self.bias


def _frozen(values, dtype, name):
    """A read-only copy of integers, for verification relies on a network that never changes."""
    array = np.asarray(values)
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{name} must be integers, got dtype {array.dtype}")
    limits = np.iinfo(dtype)
    if array.size and not (limits.min <= int(array.min()) and int(array.max()) <= limits.max):
        raise ValueError(f"{name} must fit {limits.dtype}, got {array.min()} to {array.max()}")
    array = np.array(array, dtype=dtype, order="C")
    array.setflags(write=False)
    return array
