"""What the kernels that count share: the layout of weights, and what becomes of the counts.

Counts of 32 outputs are two registers of 16-bit lanes, those of the outputs with even numbers
and those of the odd ones: that is how bytes become 16 bits with one AND and one shift. They
leave as packed bits (`write_bits`) or are subtracted from int32 sums (`subtract`).
"""

from numba import int32, int64, uint16, uint32, uint64

from bnnkit.kernels._compile import inner
from bnnkit.kernels._vector import (
    as_bytes,
    as_halves,
    less,
    load,
    merge_high,
    merge_low,
    splat16,
    store,
    store_word,
    top_bits,
)

BLOCK = uint64(32)  # outputs that are counted at a time
ROOM = 34  # numbers of 16 bits that a block of bounds takes
MOST = 65534  # the largest count that 16 bits hold and that is below a bound of 16 bits

_HALF = uint64(16)


@inner
def evens(counts):
    """Bytes with even numbers as 16 bits."""
    return as_halves(counts) & splat16(uint16(255))


@inner
def odds(counts):
    """Bytes with odd numbers as 16 bits."""
    return as_halves(counts) >> 8


@inner
def width_of(block, outputs):
    """Outputs of a block: 32 but for the last one."""
    return min(BLOCK, uint64(outputs) - block * BLOCK)


@inner
def fill_bounds(limit, sense, bounds):
    """Bounds and flips of all outputs, such that bit = [count < bound] XOR flip.

    A row of `bounds`, uint16 (blocks, 34), holds the bounds of 32 outputs, even ones first, and
    their flips as 32 bits.
    """
    outputs = uint64(limit.size)
    for block in range(uint64(bounds.shape[0])):
        first = block * BLOCK
        if first + BLOCK <= outputs:
            _set_flips(bounds, block, top_bits(load(sense, first)))
            for j in range(_HALF):
                o = first + uint64(2) * j
                bounds[block, j] = _bound(limit[o], sense[o])
                bounds[block, j + _HALF] = _bound(limit[o + uint64(1)], sense[o + uint64(1)])
        else:
            _fill_last(limit, sense, bounds, block, outputs)


@inner
def _set_flips(bounds, block, flips):
    bounds[block, BLOCK] = uint16(flips)
    bounds[block, BLOCK + uint64(1)] = uint16(flips >> uint32(16))


@inner
def _flips(bounds, block):
    return uint32(bounds[block, BLOCK]) | uint32(bounds[block, BLOCK + uint64(1)]) << uint32(16)


@inner
def _bound(limit, sense):
    return uint16(min(max(int64(limit) + int64(sense > 0), int64(0)), int64(MOST + 1)))


@inner
def _fill_last(limit, sense, bounds, block, outputs):
    """The block that is not full; the bits of the outputs that are missing are 0."""
    flips = uint32(0)
    for j in range(BLOCK):
        o, place = block * BLOCK + j, (j & uint64(1)) * _HALF + (j >> uint64(1))
        bounds[block, place] = uint16(0)
        if o < outputs:
            flips |= uint32(sense[o] < 0) << uint32(j)
            bounds[block, place] = _bound(limit[o], sense[o])
    _set_flips(bounds, block, flips)


@inner
def write_bits(even, odd, bounds, block, out, m):
    """Compare counts of row m with the bounds and write the bits to their octets.

    The last block may have fewer than four, and writes over the first octets of the next rows.
    So the last block has to come first, the rows in order, and `out` needs room behind it.
    """
    where = block * uint64(2 * ROOM)
    even = less(even, as_halves(load(bounds, where)))
    odd = less(odd, as_halves(load(bounds, where + uint64(32))))
    low = splat16(uint16(255))
    bits = top_bits(as_bytes((even & low) | (odd & ~low))) ^ _flips(bounds, block)
    store_word(out, m * uint64(out.shape[1]) + block * uint64(4), bits)


@inner
def subtract(even, odd, line, block, out, m):
    """Subtract counts from the sums of row m; `line` is room for 32 counts of 16 bits."""
    store(line, uint64(0), merge_low(even, odd))
    store(line, uint64(32), merge_high(even, odd))
    first = block * BLOCK
    for j in range(width_of(block, out.shape[1])):
        out[m, first + j] -= int32(line[j])
