"""Packed-bit arithmetic: 64 weights or activations in a machine word.

A neuron of a binarized network counts: how many of its inputs agree with its weights.
Bits in words make that count an XNOR, an AND and a popcount for 64 inputs at a time.
"""

from bnnkit.kernels.bits import bit_planes, pack_bits, unpack_bits
from bnnkit.kernels.pooling import pool_words
from bnnkit.kernels.ternary import PackedTernary, pack_ternary, ternary_product, unpack_ternary
from bnnkit.kernels.windows import output_size, patches

__all__ = [
    "PackedTernary",
    "bit_planes",
    "output_size",
    "pack_bits",
    "pack_ternary",
    "patches",
    "pool_words",
    "ternary_product",
    "unpack_bits",
    "unpack_ternary",
]
