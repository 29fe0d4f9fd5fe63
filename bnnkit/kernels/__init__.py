"""Packed-bit arithmetic: eight weights or activations in an octet, 256 in a register.

A neuron of a binarized network counts: how many of its inputs agree with its weights.
Bits in registers make that count an XOR and a popcount for 256 inputs at a time.
"""

from bnnkit.kernels.bits import bit_planes, pack_bits, unpack_bits
from bnnkit.kernels.levels import can_convolve, level_bits, stairs
from bnnkit.kernels.pooling import pool_octets
from bnnkit.kernels.ternary import (
    PackedTernary,
    pack_ternary,
    positives,
    ternary_bits,
    ternary_product,
    unpack_ternary,
)
from bnnkit.kernels.threads import get_threads, map_ranges, set_threads
from bnnkit.kernels.thresholds import threshold_bits
from bnnkit.kernels.windows import output_size, patches

__all__ = [
    "PackedTernary",
    "bit_planes",
    "can_convolve",
    "get_threads",
    "level_bits",
    "map_ranges",
    "output_size",
    "pack_bits",
    "pack_ternary",
    "patches",
    "pool_octets",
    "positives",
    "set_threads",
    "stairs",
    "ternary_bits",
    "ternary_product",
    "threshold_bits",
    "unpack_bits",
    "unpack_ternary",
]
