"""The product of bits with ternary weights, by XNOR and popcount.

For a bit x in {0, 1} and a weight w in {-1, +1} write s = [w = +1]. Then w*x equals
[x = s] - [w = -1]: agreement counts one, and a negative weight has been counted once
too often. So  sum w*x  =  popcount(XNOR(x, s) AND mask)  -  number of negative weights,
where the mask leaves out the zeros. A bit x = 0 adds nothing, whichever the weight, so
padding with zeros needs no correction.
"""

from typing import NamedTuple

import numpy as np

from bnnkit.kernels._jit import kernel
from bnnkit.kernels.bits import pack_bits, unpack_bits


class PackedTernary(NamedTuple):
    """Rows of weights in {-1, 0, +1}, two bits a weight.

    Attributes
    ----------
    sign : ndarray of uint64, shape (O, W)
        1 where the weight is +1.
    mask : ndarray of uint64, shape (O, W)
        1 where the weight is not 0.
    negatives : ndarray of int32, shape (O,)
        Number of weights -1 in the row.
    """

    sign: np.ndarray
    mask: np.ndarray
    negatives: np.ndarray


def pack_ternary(weights):
    """Pack int8 weights in {-1, 0, +1}, shape (O, G, B), as `pack_bits` packs inputs (M, G, B)."""
    negatives = np.count_nonzero(weights < 0, axis=(1, 2)).astype(np.int32)
    return PackedTernary(pack_bits(weights > 0), pack_bits(weights != 0), negatives)


def unpack_ternary(sign, mask, groups, width):
    """Undo `pack_ternary`: words (O, G * ceil(B / 64)) to int8 weights (O, G, B)."""
    sign = unpack_bits(sign, groups, width).astype(np.int8)
    return (2 * sign - 1) * unpack_bits(mask, groups, width).astype(np.int8)


def ternary_product(words, packed):
    """Exact products of rows of bits with rows of ternary weights.

    Parameters
    ----------
    words : ndarray of uint64, shape (M, W)
        Packed inputs in {0, 1}.
    packed : PackedTernary
        O rows of W words.

    Returns
    -------
    ndarray of int32, shape (M, O)

    Examples
    --------
    >>> weights = np.array([[[1, -1, 0, 1]]], dtype=np.int8)
    >>> bits = np.array([[[1, 1, 1, 0]]], dtype=np.uint8)
    >>> ternary_product(pack_bits(bits), pack_ternary(weights))
    array([[0]], dtype=int32)
    """
    product = np.empty((len(words), len(packed.sign)), dtype=np.int32)
    _ternary_product(words, packed.sign, packed.mask, packed.negatives, product)
    return product


@kernel
def _popcount(word):
    """Number of ones, adding neighbours in parallel: pairs, nibbles, bytes, then all bytes.

    LLVM recognises this shape and emits the machine's own population count.
    """
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@kernel
def _ternary_product(words, sign, mask, negatives, product):
    for m in range(words.shape[0]):
        for o in range(sign.shape[0]):
            matches = np.uint64(0)
            for k in range(words.shape[1]):
                matches += _popcount(~(words[m, k] ^ sign[o, k]) & mask[o, k])
            product[m, o] = np.int64(matches) - negatives[o]
