"""The layers of the exact network.

A dense layer is a convolution whose kernel is its whole input, so `Conv2d` is both, and
nothing needs to be flattened. Between layers travel bits, the channels of a pixel packed
into octets; the first layer takes integer levels instead.
"""

import operator

import numpy as np

from bnnkit.kernels import (
    bit_planes,
    can_convolve,
    level_bits,
    output_size,
    pack_bits,
    pack_ternary,
    patches,
    pool_octets,
    positives,
    ternary_bits,
    ternary_product,
    threshold_bits,
    unpack_bits,
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
        # A whole window, in (KH, KW, C) order, is one group of bits. With C a multiple of 8
        # that is also how the octets of its pixels lie.
        by_window = weights.transpose(0, 2, 3, 1).reshape(len(weights), 1, -1)
        self._packed = pack_ternary(by_window)

    @property
    def weights(self):
        """The weights as int8 (O, C, KH, KW), unpacked on each access."""
        o, c, kh, kw = self.kernel_shape
        by_window = unpack_ternary(self._packed, 1, kh * kw * c)
        return by_window.reshape(o, kh, kw, c).transpose(0, 3, 1, 2)

    @property
    def n_weights(self):
        """Number of weights, zeros included."""
        return int(np.prod(self.kernel_shape))

    @property
    def sparsity(self):
        """Share of the weights that are 0."""
        mask, size = self._packed.mask, self._packed.n_outputs * self._packed.n_octets
        if mask is None:
            return 0.0
        return 1.0 - int(np.bitwise_count(mask[:size]).sum()) / self.n_weights

    @property
    def nbytes(self):
        """Memory of the packed weights in bytes."""
        sign, mask = self._packed.sign, self._packed.mask
        return sign.nbytes + (0 if mask is None else mask.nbytes)

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

    def sums(self, octets):
        """Sums z for packed bits (N, H, W, octets a pixel): int32 (N, OH, OW, O)."""
        return self._as_maps(ternary_product(self._windows(octets), self._packed), octets)

    def level_sums(self, levels):
        """Sums z for integer levels, uint8 (N, H, W, C): int32 (N, OH, OW, O)."""
        return self._as_maps(ternary_product(self._level_windows(levels), self._packed), levels)

    def _windows(self, octets):
        """Packed windows of packed bits, uint8 (N * OH * OW, octets a window)."""
        _, c, kh, kw = self.kernel_shape
        if c % 8 == 0 or kh * kw == 1:
            return patches(octets, (kh, kw), self.stride, self.padding)
        n, height, width, _ = octets.shape
        bits = unpack_bits(octets.reshape(n * height * width, -1), 1, c)
        return self._level_windows(bits.reshape(n, height, width, c))[0]

    def _level_windows(self, levels):
        """Planes of windows of levels, uint8 (planes, N * OH * OW, octets a window)."""
        windows = patches(levels, self.kernel_shape[2:], self.stride, self.padding)
        return bit_planes(windows, _n_planes(levels))

    def _as_maps(self, rows, x):
        """Rows (N * OH * OW, ..) of outputs as (N, OH, OW, ..)."""
        _, _, kh, kw = self.kernel_shape
        height = output_size(x.shape[1], kh, self.stride, self.padding)
        width = output_size(x.shape[2], kw, self.stride, self.padding)
        return rows.reshape(len(x), height, width, -1)


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

    Examples
    --------
    A neuron for two pixels that fires if the first is at least one level brighter, and a layer of
    16 channels:

    >>> from bnnkit.network import Conv2d
    >>> brighter = Conv2d([[[[1, -1]]]], threshold=[1], sense=[1])
    >>> brighter.level_bits(np.array([[[[3], [2]]], [[[2], [2]]]], np.uint8)).ravel()
    array([1, 0], dtype=uint8)
    >>> weights, once = np.ones((16, 1, 4, 4)), np.ones(16, int)
    >>> layer = Conv2d(weights, threshold=once, sense=once, stride=2, padding=1)
    >>> layer.output_shape((1, 28, 28))
    (16, 14, 14)
    """

    def __init__(self, weights, threshold, sense, stride=1, padding=0):
        super().__init__(weights, stride, padding)
        threshold = frozen(threshold, np.int32, "threshold")
        self.sense = frozen(sense, np.int8, "sense")
        o = self.kernel_shape[0]
        if threshold.ndim not in (1, 3) or len(threshold) != o:
            raise ValueError(
                f"threshold must have shape ({o},) or ({o}, OH, OW), got {threshold.shape}"
            )
        if self.sense.shape != (o,) or not np.isin(self.sense, (-1, 1)).all():
            raise ValueError(f"sense must be {o} values of +1 or -1, got {self.sense}")
        self._by_position = self._limit = None
        if threshold.ndim == 3:
            self._by_position = np.ascontiguousarray(threshold.transpose(1, 2, 0))
        else:  # what `ternary_bits` compares with; memory holds one of the two
            limit = positives(self._packed).astype(np.int64) - threshold
            fits = limit.max() <= np.iinfo(np.int32).max  # all but the lowest thresholds do
            self._limit = frozen(limit, np.int32 if fits else np.int64, "limit")

    @property
    def threshold(self):
        """Thresholds, int32 (O,) or (O, OH, OW), read-only."""
        if self._limit is None:
            return frozen(self._by_position.transpose(2, 0, 1), np.int32, "threshold")
        return frozen(positives(self._packed) - self._limit, np.int32, "threshold")

    @property
    def nbytes(self):
        """Memory of weights and thresholds in bytes."""
        thresholds = self._by_position if self._limit is None else self._limit
        return super().nbytes + thresholds.nbytes + self.sense.nbytes

    def output_shape(self, input_shape):
        """(O, OH, OW) for an input (C, H, W)."""
        shape = super().output_shape(input_shape)
        if self._limit is None and self._by_position.shape != (*shape[1:], shape[0]):
            raise ValueError(f"thresholds of shape {self.threshold.shape} for outputs {shape}")
        return shape

    def bits(self, octets):
        """Packed outputs (N, OH, OW, octets) for packed inputs (N, H, W, octets)."""
        return self._as_maps(self._fire(self._windows(octets)), octets)

    def level_bits(self, levels):
        """Packed outputs (N, OH, OW, octets) for integer levels, uint8 (N, H, W, C)."""
        _, c, kh, kw = self.kernel_shape
        planes = _n_planes(levels)
        many_positions = (kh, kw) != levels.shape[1:3]
        if self._limit is not None and many_positions and can_convolve(planes, c * kh * kw):
            where = ((kh, kw), self.stride, self.padding)
            rows = level_bits(levels, planes, *where, self._packed, self._limit, self.sense)
        else:
            rows = self._fire(self._level_windows(levels))
        return self._as_maps(rows, levels)

    def _fire(self, windows):
        if self._limit is not None:
            return ternary_bits(windows, self._packed, self._limit, self.sense)
        by_position = self._by_position.reshape(-1, len(self.sense))
        return threshold_bits(ternary_product(windows, self._packed), by_position, self.sense)


class Pool2d:
    """Pooling of bits over windows without padding.

    Parameters
    ----------
    kind : "or", "and"
        OR is max-pooling, AND is min-pooling.
    size, stride : int
        `stride` is `size` unless given.

    Examples
    --------
    >>> from bnnkit.network import Pool2d
    >>> pool = Pool2d("or", 2)
    >>> pool.output_shape((16, 14, 14))
    (16, 7, 7)
    >>> bits = np.array([[[[0], [1]], [[0], [0]]]], np.uint8)  # one image, 2 x 2 pixels
    >>> pool.bits(bits).ravel(), Pool2d("and", 2).bits(bits).ravel()
    (array([1], dtype=uint8), array([0], dtype=uint8))
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

    def bits(self, octets):
        """Packed outputs for packed inputs (N, H, W, octets)."""
        return pool_octets(octets, self.kind, self.size, self.stride)

    def level_bits(self, levels):
        """Packed outputs for levels that are bits, uint8 (N, H, W, C)."""
        return self.bits(pack_maps(levels))


class Head(TernaryMap):
    """The last layer: integer scores scale*z_c + bias_c; the lowest class wins a tie.

    Parameters
    ----------
    weights : ndarray of int8, shape (classes, C, H, W)
    scale : int
        Not 0; the same for all classes.
    bias : ndarray of int, shape (classes,)

    Examples
    --------
    Two classes and two bits: class 0 counts the first one, class 1 the second one, and it has a
    head start of 1:

    >>> from bnnkit.network import Head
    >>> head = Head(np.array([[1, 0], [0, 1]]).reshape(2, 1, 1, 2), scale=2, bias=[0, 1])
    >>> head.level_scores(np.array([[[[0], [0]]], [[[1], [0]]]], np.uint8))
    array([[0, 1],
           [2, 1]])
    """

    def __init__(self, weights, scale, bias):
        super().__init__(weights)
        self.scale = operator.index(scale)
        self.bias = frozen(bias, np.int64, "bias")
        if self.scale == 0:
            raise ValueError("the head's scale is 0, so the scores ignore the input")
        if self.bias.shape != self.kernel_shape[:1]:
            raise ValueError(
                f"bias must have one value a class, got {self.bias.shape} "
                f"for {self.kernel_shape[0]} classes"
            )

        self.check_scores(1)

    def check_scores(self, largest_input):
        """Raise ValueError if scores of inputs up to `largest_input` may be beyond the limit."""
        largest_sum = self.n_weights // len(self.bias) * largest_input
        largest = abs(self.scale) * largest_sum + max(map(abs, self.bias.tolist()))
        if largest >= _LARGEST_SCORE:
            raise ValueError(f"scores may reach {largest}, beyond the limit of 2**60")

    @property
    def nbytes(self):
        """Memory of weights and biases in bytes."""
        return super().nbytes + self.bias.nbytes

    def scores(self, octets):
        """int64 (N, classes) for packed bits (N, H, W, octets)."""
        return self._scores(self.sums(octets))

    def level_scores(self, levels):
        """int64 (N, classes) for integer levels, uint8 (N, H, W, C)."""
        return self._scores(self.level_sums(levels))

    def _scores(self, z):
        return self.scale * z[:, 0, 0].astype(np.int64) + self.bias


def _n_planes(levels):
    """Binary digits of the largest level, at least one."""
    return max(1, int(levels.max(initial=0)).bit_length())


def pack_maps(bits):
    """Bits, uint8 (N, H, W, C), as the octets (N, H, W, ceil(C / 8)) that layers take."""
    n, height, width, channels = bits.shape
    return pack_bits(bits.reshape(-1, 1, channels)).reshape(n, height, width, -1)


def frozen(values, dtype, name):
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
