"""The portable kernels: compare bits with weights, count, and compare the count.

For a bit x in {0, 1} and a weight w in {-1, +1} write s = [w = +1]. Then w*x = s - [x != s]:
a positive weight gives 1 unless the bit is missing, a negative one takes 1 if it is there. So

    sum w*x  =  (number of positive weights)  -  popcount(x XOR s),

and with zeros among the weights the XOR is masked by [w != 0]. Only the count depends on x.
A bit x = 0 adds nothing, whichever the weight, so padding with zeros needs no correction.
(Were the inputs -1 and +1, the sum would be the number of weights that are not 0 less twice the
count: the same comparison with other thresholds.)

32 outputs are counted at a time, one in each byte of a register: octet k of 32 outputs lies in
32 neighbouring bytes (see `pack_ternary`), and octet k of the input is copied to all lanes. A
lane overflows after 31 octets of 8 bits, so then the bytes are added to 16-bit counters.

Inputs of more than one bit come as planes; plane p counts 2**p times, so before each lower plane
the counters are doubled.
"""

from numba import uint8, uint16, uint64

from bnnkit.kernels._compile import entry, inner
from bnnkit.kernels._tiles import (
    BLOCK,
    MOST,
    evens,
    fill_bounds,
    odds,
    subtract,
    width_of,
    write_bits,
)
from bnnkit.kernels._vector import load, popcount, splat, splat16

_FLUSH = uint64(31)  # octets after which a lane of 8 bits is full


@inner
def mismatches(octet, sign, mask, place):
    """How many of 8 input bits differ from the weights that are not 0, for 32 outputs."""
    differ = splat(octet) ^ load(sign, place)
    if mask is None:
        return popcount(differ)
    return popcount(differ & load(mask, place))


@inner
def count_row(x, m, sign, mask, block, width, start, stop):
    """Mismatches of row m in the octets from start to stop: even outputs, odd outputs."""
    place = block * BLOCK * uint64(x.shape[2])
    even = odd = splat16(uint16(0))
    for plane in range(uint64(x.shape[0])):
        p = uint64(x.shape[0]) - uint64(1) - plane
        even, odd = even + even, odd + odd
        for first in range(start, stop, _FLUSH):
            count = splat(uint8(0))
            for k in range(first, min(first + _FLUSH, stop)):
                count = count + mismatches(x[p, m, k], sign, mask, place + k * width)
            even = even + evens(count)
            odd = odd + odds(count)
    return even, odd


@inner
def count_four_rows(x, m, sign, mask, block, width, start, stop):
    """As `count_row` for rows m to m + 3: weights that are loaded once serve four times."""
    m1, m2, m3 = m + uint64(1), m + uint64(2), m + uint64(3)
    place = block * BLOCK * uint64(x.shape[2])
    even0 = even1 = even2 = even3 = odd0 = odd1 = odd2 = odd3 = splat16(uint16(0))
    for plane in range(uint64(x.shape[0])):
        p = uint64(x.shape[0]) - uint64(1) - plane
        even0, odd0, even1, odd1 = even0 + even0, odd0 + odd0, even1 + even1, odd1 + odd1
        even2, odd2, even3, odd3 = even2 + even2, odd2 + odd2, even3 + even3, odd3 + odd3
        for first in range(start, stop, _FLUSH):
            count0 = count1 = count2 = count3 = splat(uint8(0))
            for k in range(first, min(first + _FLUSH, stop)):
                at = place + k * width
                count0 = count0 + mismatches(x[p, m, k], sign, mask, at)
                count1 = count1 + mismatches(x[p, m1, k], sign, mask, at)
                count2 = count2 + mismatches(x[p, m2, k], sign, mask, at)
                count3 = count3 + mismatches(x[p, m3, k], sign, mask, at)
            even0, odd0 = even0 + evens(count0), odd0 + odds(count0)
            even1, odd1 = even1 + evens(count1), odd1 + odds(count1)
            even2, odd2 = even2 + evens(count2), odd2 + odds(count2)
            even3, odd3 = even3 + evens(count3), odd3 + odds(count3)
    return even0, odd0, even1, odd1, even2, odd2, even3, odd3


@entry
def bits(x, sign, mask, limit, sense, bounds, out):
    """Packed bits of rows of inputs; see `ternary_bits`.

    Parameters
    ----------
    x : ndarray of uint8, shape (P, M, K)
        Planes of M rows of K octets.
    sign, mask : ndarray of uint8
        As in `PackedTernary`; no mask means no zeros among the weights.
    limit, sense : ndarray of int32 and int8, shape (O,)
    bounds : ndarray of uint16, shape (ceil(O / 32), 34)
        Room to work.
    out : ndarray of uint8, shape (M, ceil(O / 8))
    """
    fill_bounds(limit, sense, bounds)
    rows, octets, blocks = uint64(x.shape[1]), uint64(x.shape[2]), uint64(bounds.shape[0])
    whole = rows - rows % uint64(4)
    for m in range(uint64(0), whole, uint64(4)):
        for i in range(blocks):
            block = blocks - uint64(1) - i
            width = width_of(block, limit.size)
            even0, odd0, even1, odd1, even2, odd2, even3, odd3 = count_four_rows(
                x, m, sign, mask, block, width, uint64(0), octets
            )
            write_bits(even0, odd0, bounds, block, out, m)
            write_bits(even1, odd1, bounds, block, out, m + uint64(1))
            write_bits(even2, odd2, bounds, block, out, m + uint64(2))
            write_bits(even3, odd3, bounds, block, out, m + uint64(3))
    for m in range(whole, rows):
        write_row(x, m, sign, mask, limit, bounds, out)


@inner
def write_row(x, m, sign, mask, limit, bounds, out):
    """Packed bits of row m, as `bits` writes those of all rows."""
    blocks = uint64(bounds.shape[0])
    for i in range(blocks):
        block = blocks - uint64(1) - i
        width = width_of(block, limit.size)
        even, odd = count_row(x, m, sign, mask, block, width, uint64(0), uint64(x.shape[2]))
        write_bits(even, odd, bounds, block, out, m)


@entry
def subtract_counts(x, sign, mask, line, out):
    """Subtract the counts of rows of inputs from int32 `out` (M, O); the rest is as for `bits`."""
    rows, octets = uint64(x.shape[1]), uint64(x.shape[2])
    blocks = (uint64(out.shape[1]) + BLOCK - uint64(1)) // BLOCK
    slice_ = uint64(MOST) // (uint64(8) * ((uint64(1) << uint64(x.shape[0])) - uint64(1)))
    whole = rows - rows % uint64(4)
    for first in range(uint64(0), octets, slice_):
        stop = min(first + slice_, octets)
        for m in range(uint64(0), whole, uint64(4)):
            for block in range(blocks):
                width = width_of(block, out.shape[1])
                even0, odd0, even1, odd1, even2, odd2, even3, odd3 = count_four_rows(
                    x, m, sign, mask, block, width, first, stop
                )
                subtract(even0, odd0, line, block, out, m)
                subtract(even1, odd1, line, block, out, m + uint64(1))
                subtract(even2, odd2, line, block, out, m + uint64(2))
                subtract(even3, odd3, line, block, out, m + uint64(3))
        for m in range(whole, rows):
            for block in range(blocks):
                width = width_of(block, out.shape[1])
                even, odd = count_row(x, m, sign, mask, block, width, first, stop)
                subtract(even, odd, line, block, out, m)
