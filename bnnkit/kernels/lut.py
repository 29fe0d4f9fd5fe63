"""The kernel of `bnnkit.kernels.xnor` for processors with AVX2: look the counts up.

AVX2 has no population count of bytes, so LLVM writes one with six instructions. It has,
however, an instruction that looks 32 numbers of 4 bits up in a table of 16 bytes (`vpshufb`).
With four bits of the *input* fixed, the number of mismatches is a function of the four bits
of the *weight*: a table of 16 numbers, from 0 to 4. So instead of

    popcount(input XOR weights)       for 8 bits of 32 outputs

we can write, with no XOR and no popcount,

    table[low half of the input](low half of the weights)
      + table[high half of the input](high half of the weights).

**Two rows at a time.** A count up to 4 needs three bits of a byte, so the table of one row
and 16 times the table of another are added into one: a look-up counts for both rows. There are
16 * 16 such tables, for the 256 pairs of half octets, 4 KiB in all. Before a pair of rows is
multiplied, its octets become places in that table (`_place_rows`); this is done once for all
outputs.

**Taking the two counts apart.** Three look-ups can be added before the lower count could reach
16. After that, let t sum everything modulo 256, and let h sum the upper halves. Then h is the
count of the second row, and t - 16 * h, modulo 256, that of the first. Both stay below 256 for
30 octets; then they are added to 16-bit counters as in the portable kernel.

**Register block.** Four rows (two pairs) and 32 outputs use the halves of the weights twice
each. Per octet that is 4 look-ups and 11 other instructions for 1024 products and sums, against
32 of the portable kernel, which has some two thirds of the speed. With AVX-512's popcount of bytes
the portable kernel needs 12, and is the fastest there is.

The look-up has no name in LLVM's own language, and asking for `vpshufb` where the target has
none ends the process. So `AVAILABLE` asks what numba compiles for, which follows the variables
NUMBA_CPU_NAME and NUMBA_CPU_FEATURES, and not what the processor could do.
"""

import numpy as np
from llvmlite import ir
from numba import types, uint8, uint16, uint64
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from bnnkit.kernels._compile import entry, inner
from bnnkit.kernels._tiles import BLOCK, evens, fill_bounds, odds, width_of, write_bits
from bnnkit.kernels._vector import (
    VECTOR_BYTES,
    address_of,
    bytes32,
    llvm_call,
    load,
    splat,
    splat16,
    store,
    widen_high,
    widen_low,
)
from bnnkit.kernels.xnor import write_row

_FLUSH = uint64(30)  # octets after which a lane of 8 bits is full, in threes
_REGISTER = uint64(VECTOR_BYTES)


def _features():
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    return features.split(",")


AVAILABLE = "+avx2" in _features()
FASTEST = AVAILABLE and "+avx512bitalg" not in _features()


def _tables():
    """The table of each pair of half octets (second row * 16 + first row): uint8 (256 * 16,)."""
    halves = np.arange(16)
    counts = np.bitwise_count(halves[:, None] ^ halves)
    return (16 * counts[:, None] + counts[None]).astype(np.uint8).ravel()


TABLES = _tables()


@intrinsic
def _table(typing, tables, place):
    """The table at byte `place` (uint64), once in each half of a register."""
    half = ir.VectorType(ir.IntType(8), 16)
    twice = ir.Constant(ir.VectorType(ir.IntType(32), 32), [*range(16), *range(16)])

    def code(context, builder, signature, arguments):
        loaded = builder.load(address_of(context, builder, tables, *arguments, half), align=1)
        return builder.shuffle_vector(loaded, loaded, twice)

    return bytes32(tables, types.uint64), code


@intrinsic
def _shuffle(typing, table, indices):
    """In each lane, the byte of the table that the lane's index (below 16) names."""

    def code(context, builder, signature, arguments):
        return llvm_call(builder, "llvm.x86.avx2.pshuf.b", arguments)

    return bytes32(bytes32, bytes32), code


@entry
def bits(x, sign, tables, places, limit, sense, bounds, out):
    """As `xnor.bits` for weights without zeros; `tables` is `TABLES`.

    `places`, uint16 (P, 4, K), is room to work.
    """
    fill_bounds(limit, sense, bounds)
    rows, blocks = uint64(x.shape[1]), uint64(bounds.shape[0])
    whole = rows - rows % uint64(4)
    for m in range(uint64(0), whole, uint64(4)):
        _place_rows(x, m, places)
        for i in range(blocks):
            block = blocks - uint64(1) - i
            width = width_of(block, limit.size)
            even0, odd0, even1, odd1, even2, odd2, even3, odd3 = _count_four_rows(
                places, tables, sign, block, width
            )
            write_bits(even0, odd0, bounds, block, out, m)
            write_bits(even1, odd1, bounds, block, out, m + uint64(1))
            write_bits(even2, odd2, bounds, block, out, m + uint64(2))
            write_bits(even3, odd3, bounds, block, out, m + uint64(3))
    for m in range(whole, rows):
        write_row(x, m, sign, None, limit, bounds, out)


@inner
def _place_rows(x, m, places):
    """Where the tables of rows m to m + 3 begin: (low, high) halves of two pairs of rows."""
    octets = uint64(x.shape[2])
    for p in range(uint64(x.shape[0])):
        for pair in range(uint64(2)):
            first = (p * uint64(x.shape[1]) + m + uint64(2) * pair) * octets
            target = (p * uint64(4) + uint64(2) * pair) * octets
            if octets < _REGISTER:
                for k in range(octets):
                    a, b = x[p, m + uint64(2) * pair, k], x[p, m + uint64(2) * pair + uint64(1), k]
                    low = (a & uint8(15)) | (b & uint8(15)) << uint8(4)
                    places[p, uint64(2) * pair, k] = uint16(low) << uint16(4)
                    high = a >> uint8(4) | (b & uint8(240))
                    places[p, uint64(2) * pair + uint64(1), k] = uint16(high) << uint16(4)
            else:
                for start in range(uint64(0), octets, _REGISTER):
                    k = min(start, octets - _REGISTER)  # the last register overlaps
                    a, b = load(x, first + k), load(x, first + octets + k)
                    _store_places(_low(a) | b << 4, places, target + k)
                    _store_places(a >> 4 | (b & splat(uint8(240))), places, target + octets + k)


@inner
def _store_places(pairs, places, at):
    """16 times each byte, as uint16, at the 16-bit place `at`."""
    store(places, uint64(2) * at, widen_low(pairs) << 4)
    store(places, uint64(2) * at + _REGISTER, widen_high(pairs) << 4)


@inner
def _low(x):
    return x & splat(uint8(15))


@inner
def _count_four_rows(places, tables, sign, block, width):
    """Mismatches of four rows: even outputs, odd outputs, four times."""
    octets = uint64(places.shape[2])
    weights = block * BLOCK * octets
    even0 = even1 = even2 = even3 = odd0 = odd1 = odd2 = odd3 = splat16(uint16(0))
    for plane in range(uint64(places.shape[0])):
        p = uint64(places.shape[0]) - uint64(1) - plane
        even0, odd0, even1, odd1 = even0 + even0, odd0 + odd0, even1 + even1, odd1 + odd1
        even2, odd2, even3, odd3 = even2 + even2, odd2 + odd2, even3 + even3, odd3 + odd3
        for first in range(uint64(0), octets, _FLUSH):
            last = min(first + _FLUSH, octets)
            both0 = both1 = upper0 = upper1 = splat(uint8(0))
            threes = last - (last - first) % uint64(3)
            for k in range(first, threes, uint64(3)):
                at = weights + k * width
                w0, w1, w2 = load(sign, at), load(sign, at + width), load(sign, at + width + width)
                a, b = _three(places, p, uint64(0), k, tables, w0, w1, w2)
                both0, upper0 = both0 + a + b, upper0 + (a >> 4) + (b >> 4)
                a, b = _three(places, p, uint64(2), k, tables, w0, w1, w2)
                both1, upper1 = both1 + a + b, upper1 + (a >> 4) + (b >> 4)
            for k in range(threes, last):
                w = load(sign, weights + k * width)
                a = _one(places, p, uint64(0), k, tables, w)
                both0, upper0 = both0 + a, upper0 + (a >> 4)
                a = _one(places, p, uint64(2), k, tables, w)
                both1, upper1 = both1 + a, upper1 + (a >> 4)
            lower0, lower1 = both0 - (upper0 << 4), both1 - (upper1 << 4)
            even0, odd0 = even0 + evens(lower0), odd0 + odds(lower0)
            even1, odd1 = even1 + evens(upper0), odd1 + odds(upper0)
            even2, odd2 = even2 + evens(lower1), odd2 + odds(lower1)
            even3, odd3 = even3 + evens(upper1), odd3 + odds(upper1)
    return even0, odd0, even1, odd1, even2, odd2, even3, odd3


@inner
def _look_up(places, p, half, k, tables, indices):
    return _shuffle(_table(tables, uint64(places[p, half, k])), indices)


@inner
def _one(places, p, pair, k, tables, weights):
    """Counts of one octet, for a pair of rows."""
    return _look_up(places, p, pair, k, tables, _low(weights)) + _look_up(
        places, p, pair + uint64(1), k, tables, weights >> 4
    )


@inner
def _three(places, p, pair, k, tables, w0, w1, w2):
    """Counts of three octets as two sums of three look-ups, which is what half a byte holds."""
    k1, k2, high = k + uint64(1), k + uint64(2), pair + uint64(1)
    a = _one(places, p, pair, k, tables, w0) + _look_up(places, p, pair, k1, tables, _low(w1))
    b = _look_up(places, p, high, k1, tables, w1 >> 4) + _one(places, p, pair, k2, tables, w2)
    return a, b
