"""Bits in and out of 64-bit words. Bit i of a group stands at bit i % 64 of word i // 64."""

import numpy as np

WORD = 64


def pack_bits(bits):
    """Pack the last axis of an array of bits into words.

    Parameters
    ----------
    bits : ndarray of bool or uint8, shape (M, G, B)
        M rows of G groups of B bits. Each group starts a new word, so that a group (the
        channels of a pixel, say) can be copied as whole words.

    Returns
    -------
    ndarray of uint64, shape (M, G * ceil(B / 64))
        Unused bits are 0.

    Examples
    --------
    >>> pack_bits(np.array([[[1, 0, 1, 1]]], dtype=np.uint8))
    array([[13]], dtype=uint64)
    """
    m, groups, width = bits.shape
    words = -(-width // WORD)
    packed = np.zeros((m, groups, words * 8), dtype=np.uint8)
    packed[:, :, : -(-width // 8)] = np.packbits(bits, axis=-1, bitorder="little")
    return packed.view("<u8").reshape(m, groups * words)


def unpack_bits(words, groups, width):
    """Undo `pack_bits`: words (M, G * ceil(B / 64)) to uint8 bits (M, G, B)."""
    octets = words.view(np.uint8).reshape(len(words), groups, -1)
    return np.unpackbits(octets, axis=-1, count=width, bitorder="little")


def bit_planes(levels):
    """Split integers into their binary digits, each digit a packed plane.

    Parameters
    ----------
    levels : ndarray of uint8, shape (M, K)

    Returns
    -------
    list of (ndarray of uint64, shape (M, ceil(K / 64)))
        Plane p holds bit p of every level; as many planes as the largest level needs,
        at least one. A product with the levels is the sum of 2**p times that with plane p.
    """
    n_planes = max(1, int(levels.max(initial=0)).bit_length())
    return [pack_bits(((levels >> p) & 1)[:, None, :]) for p in range(n_planes)]
