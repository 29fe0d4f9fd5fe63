"""First layers: pixels to levels, and convolutions that read levels instead of bits.

A first convolution has few weights and many positions, so gathering and packing the windows
would cost more than the sums. Here nothing is gathered. In a bit plane of the image, four values
that are neighbours in a row form a pattern, one of 16, and for each of them and each output we
can tabulate how many of the four differ from the weights (the count of `bnnkit.kernels.xnor`).
A position is then a few look-ups, one for every four weights of a row of the kernel, each with
32 outputs in the bytes of a register. (Tabulating all sums of a few terms instead of adding
them again and again is known as the method of the four Russians.)
"""

import numpy as np
from numba import uint8, uint16, uint64

from bnnkit.kernels._compile import entry, inner
from bnnkit.kernels._tiles import MOST, evens, fill_bounds, odds, write_bits
from bnnkit.kernels._vector import VECTOR_BYTES, less, load, splat, splat16, store
from bnnkit.kernels.ternary import bit_rows, bounds_room, positives, unpack_ternary
from bnnkit.kernels.windows import output_size, pad_image, room

_REGISTER = uint64(VECTOR_BYTES)
_GROUP = 4  # neighbouring values that form a pattern
_PATTERNS = uint64(16)
_FLUSH = uint64(63)  # look-ups after which a lane of 8 bits is full
_AT_ONCE = 4  # neighbouring positions that are summed together


def stairs(values, places):
    """How many of some places each value has reached.

    Parameters
    ----------
    values : ndarray of uint8
    places : ndarray of uint8, shape (S,)

    Returns
    -------
    ndarray of uint8, the shape of `values`

    Examples
    --------
    >>> from bnnkit.kernels import stairs
    >>> stairs(np.array([[0, 7], [8, 255]], np.uint8), np.array([1, 8], np.uint8))
    array([[0, 1],
           [2, 2]], dtype=uint8)
    """
    whole = room(values.size)
    _climb(np.ascontiguousarray(values).ravel(), places, whole)
    return whole[: values.size].reshape(values.shape)


@entry
def _climb(values, places, out):
    size, step = uint64(values.size), _REGISTER
    whole = size - size % step
    for i in range(uint64(0), whole, step):
        x = load(values, i)
        level = splat(uint8(places.size))
        for k in range(uint64(places.size)):
            level = level + less(x, splat(places[k]))  # 255, which is -1, below the place
        store(out, i, level)
    for i in range(whole, size):
        out[i] = uint8(0)
        for k in range(uint64(places.size)):
            out[i] += uint8(values[i] >= places[k])


def level_bits(levels, n_planes, kernel, stride, padding, packed, limit, sense):
    """Outputs of a convolution on levels as packed bits.

    Parameters
    ----------
    levels : ndarray of uint8, shape (N, H, W, C)
        Below ``2**n_planes``.
    n_planes : int
        At most 8, and such that ``(2**n_planes - 1) * kh * kw * C`` is at most 65,534.
    kernel : tuple of int
        (kh, kw).
    stride, padding : int
        As for `patches`.
    packed : PackedTernary
        Weights in (kernel row, kernel column, channel) order, one group.
    limit, sense : ndarray
        As for `ternary_bits`.

    Returns
    -------
    ndarray of uint8, shape (N * OH * OW, ceil(O / 8))

    Examples
    --------
    One neuron that asks whether two neighbouring levels add up to 4, at two places:

    >>> from bnnkit.kernels import level_bits, pack_ternary
    >>> levels = np.array([[[[1], [3], [0]]]], np.uint8)
    >>> packed = pack_ternary(np.ones((1, 1, 2), np.int8))
    >>> limit = np.array([2 - 4], np.int32)  # weights that are 1, less the threshold
    >>> level_bits(levels, 2, (1, 2), 1, 0, packed, limit, np.ones(1, np.int8)).ravel()
    array([1, 0], dtype=uint8)
    """
    n, height, width, channels = levels.shape
    rows, columns = (
        output_size(side, k, stride, padding)
        for side, k in zip((height, width), kernel, strict=True)
    )
    line, groups = (width + 2 * padding) * channels, -(-kernel[1] * channels // _GROUP)
    # 4 positions and a register of neighbours are read behind the last one
    size = (height + 2 * padding) * line + _AT_ONCE * stride * channels
    image, patterns = room(size + VECTOR_BYTES), np.empty((n_planes, size + VECTOR_BYTES), np.uint8)
    image[:] = 0
    steps = np.arange(kernel[0])[:, None] * line + np.arange(groups) * _GROUP
    limit = np.minimum(limit, 2**30) + (2**n_planes - 2) * positives(packed)
    out = bit_rows(n * rows * columns + _AT_ONCE - 1, packed.n_outputs)
    _convolve(
        np.ascontiguousarray(levels).reshape(n, height, width * channels),
        image,
        patterns,
        np.array([channels, stride, padding, rows, columns], np.uint64),
        steps.ravel().astype(np.uint64),
        _tables(packed, kernel[0], kernel[1] * channels),
        limit,
        sense,
        bounds_room(packed.n_outputs),
        out,
    )
    return out[: n * rows * columns]


def can_convolve(n_planes, size):
    """Whether `level_bits` can count with so many planes and weights an output.

    Parameters
    ----------
    n_planes : int
        Bits of a level: levels are in 0..2**n_planes - 1.
    size : int
        Weights of an output.

    Returns
    -------
    bool

    Examples
    --------
    >>> from bnnkit.kernels import can_convolve
    >>> can_convolve(n_planes=8, size=25), can_convolve(n_planes=8, size=300)
    (True, False)
    """
    return (2**n_planes - 1) * size <= MOST


def _tables(packed, rows, width):
    """Mismatches of each pattern with the weights, uint8 (blocks, rows * groups, 16, 32)."""
    groups, blocks = -(-width // _GROUP), -(-packed.n_outputs // VECTOR_BYTES)
    weights = np.zeros((blocks * VECTOR_BYTES, rows, groups * _GROUP), np.int8)
    given = unpack_ternary(packed, 1, rows * width).reshape(-1, rows, width)
    weights[: packed.n_outputs, :, :width] = given
    places = 1 << np.arange(_GROUP)
    fours = weights.reshape(blocks, VECTOR_BYTES, rows * groups, _GROUP).transpose(0, 2, 1, 3)
    sign, mask = ((fours > 0) @ places)[:, :, None], ((fours != 0) @ places)[:, :, None]
    patterns = np.arange(int(_PATTERNS))[:, None]
    return np.bitwise_count((patterns ^ sign) & mask).astype(np.uint8)


@entry
def _convolve(x, image, patterns, geometry, steps, tables, limit, sense, bounds, out):
    """Walk over the positions, four at a time; what is written too much is written over."""
    pixel, stride, padding, rows, columns = geometry
    fill_bounds(limit, sense, bounds)
    blocks = uint64(bounds.shape[0])
    line, step = uint64(x.shape[2]) + uint64(2) * padding * pixel, stride * pixel
    for n in range(uint64(x.shape[0])):
        pad_image(x, n, image, line, padding, pixel)
        _find_patterns(image, patterns)
        for row in range(rows):
            for column in range(uint64(0), columns, uint64(_AT_ONCE)):
                corner = row * stride * line + column * step
                m = (n * rows + row) * columns + column
                for i in range(blocks):
                    block = blocks - uint64(1) - i
                    even0, odd0, even1, odd1, even2, odd2, even3, odd3 = _count_four(
                        patterns, corner, step, steps, tables, block
                    )
                    write_bits(even0, odd0, bounds, block, out, m)
                    write_bits(even1, odd1, bounds, block, out, m + uint64(1))
                    write_bits(even2, odd2, bounds, block, out, m + uint64(2))
                    write_bits(even3, odd3, bounds, block, out, m + uint64(3))


@inner
def _find_patterns(image, patterns):
    """Bit p of each value and of its three right neighbours, as numbers from 0 to 15."""
    size, one = uint64(patterns.shape[1]), splat(uint8(1))
    for p in range(uint64(patterns.shape[0])):
        for i in range(uint64(0), size - _REGISTER + uint64(1), _REGISTER):
            bit0, bit1 = load(image, i) >> p & one, load(image, i + uint64(1)) >> p & one
            bit2, bit3 = (
                load(image, i + uint64(2)) >> p & one,
                load(image, i + uint64(3)) >> p & one,
            )
            store(patterns, p * size + i, bit0 | bit1 << 1 | bit2 << 2 | bit3 << 3)


@inner
def _count_four(patterns, corner, step, steps, tables, block):
    """Counts of four positions: even outputs and odd ones, four times."""
    groups = uint64(steps.size)
    even0 = even1 = even2 = even3 = odd0 = odd1 = odd2 = odd3 = splat16(uint16(0))
    for plane in range(uint64(patterns.shape[0])):
        p = uint64(patterns.shape[0]) - uint64(1) - plane
        even0, odd0, even1, odd1 = even0 + even0, odd0 + odd0, even1 + even1, odd1 + odd1
        even2, odd2, even3, odd3 = even2 + even2, odd2 + odd2, even3 + even3, odd3 + odd3
        for first in range(uint64(0), groups, _FLUSH):
            count0 = count1 = count2 = count3 = splat(uint8(0))
            for g in range(first, min(first + _FLUSH, groups)):
                at, table = corner + steps[g], (block * groups + g) * _PATTERNS
                count0 = count0 + _look_up(tables, table, patterns[p, at])
                count1 = count1 + _look_up(tables, table, patterns[p, at + step])
                count2 = count2 + _look_up(tables, table, patterns[p, at + uint64(2) * step])
                count3 = count3 + _look_up(tables, table, patterns[p, at + uint64(3) * step])
            even0, odd0 = even0 + evens(count0), odd0 + odds(count0)
            even1, odd1 = even1 + evens(count1), odd1 + odds(count1)
            even2, odd2 = even2 + evens(count2), odd2 + odds(count2)
            even3, odd3 = even3 + evens(count3), odd3 + odds(count3)
    return even0, odd0, even1, odd1, even2, odd2, even3, odd3


@inner
def _look_up(tables, table, pattern):
    return load(tables, (table + uint64(pattern)) * _REGISTER)
