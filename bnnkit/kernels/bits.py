"""Bits in and out of octets: bit i of a group stands at bit i % 8 of octet i // 8.

32 bytes are one register, and a processor can collect one bit of each of its bytes in a single
instruction (`top_bits`). So plane p of 32 levels is: shift bit p to the top, collect.
"""

import numpy as np
from numba import uint8, uint64

from bnnkit.kernels._compile import entry, inner
from bnnkit.kernels._vector import load, top_bits

OCTET = 8


def pack_bits(bits):
    """Pack the last axis of an array of bits into octets.

    Parameters
    ----------
    bits : ndarray of bool or uint8 in {0, 1}, shape (M, G, B)
        M rows of G groups of B bits. Each group starts a new octet, so that a group (the
        channels of a pixel, say) can be copied as whole octets.

    Returns
    -------
    ndarray of uint8, shape (M, G * ceil(B / 8))
        Unused bits are 0.

    Examples
    --------
    >>> from bnnkit.kernels import pack_bits
    >>> pack_bits(np.array([[[1, 0, 1, 1]]], dtype=np.uint8))
    array([[13]], dtype=uint8)
    """
    m, groups, width = bits.shape
    planes = bit_planes(bits.reshape(m * groups, width).view(np.uint8), 1)
    return planes.reshape(m, groups * planes.shape[2])


def unpack_bits(octets, groups, width):
    """Undo `pack_bits`: octets (M, G * ceil(B / 8)) to uint8 bits (M, G, B).

    Parameters
    ----------
    octets : ndarray of uint8, shape (M, G * ceil(B / 8))
    groups, width : int
        G and B.

    Returns
    -------
    ndarray of uint8 in {0, 1}, shape (M, G, B)

    Examples
    --------
    >>> from bnnkit.kernels import pack_bits, unpack_bits
    >>> octets = pack_bits(np.array([[[1, 0, 1, 1]]], dtype=np.uint8))
    >>> unpack_bits(octets, groups=1, width=4)
    array([[[1, 0, 1, 1]]], dtype=uint8)
    """
    grouped = octets.reshape(len(octets), groups, -(-width // OCTET))
    return np.unpackbits(grouped, axis=-1, count=width, bitorder="little")


def bit_planes(levels, n_planes):
    """Split integers into their binary digits, each digit a packed plane.

    Parameters
    ----------
    levels : ndarray of uint8, shape (M, K)
        Below ``2**n_planes``.
    n_planes : int

    Returns
    -------
    ndarray of uint8, shape (n_planes, M, ceil(K / 8))
        Plane p holds bit p of every level. A product with the levels is the sum of 2**p
        times that with plane p.

    Examples
    --------
    >>> from bnnkit.kernels import bit_planes
    >>> bit_planes(np.array([[1, 2, 3]], np.uint8), n_planes=2)[:, 0, 0].tolist()  # 0b101, 0b110
    [5, 6]
    """
    rows, width = levels.shape
    planes = np.empty((n_planes, rows, -(-width // OCTET)), np.uint8)
    if width % OCTET:
        _pack(np.ascontiguousarray(levels), planes)
    else:  # no octet is shared by two rows, so all rows are one long one
        _pack(levels.reshape(1, -1), planes.reshape(n_planes, 1, -1))
    return planes


@entry
def _pack(levels, planes):
    width, octets = uint64(levels.shape[1]), uint64(planes.shape[2])
    whole = width // uint64(32) * uint64(4)  # octets that come from full registers
    for m in range(uint64(levels.shape[0])):
        for p in range(uint64(planes.shape[0])):
            for i in range(uint64(0), whole, uint64(4)):
                x = load(levels, m * width + i * uint64(8))
                packed = top_bits(x << (uint64(7) - p))
                for j in range(uint64(4)):
                    planes[p, m, i + j] = uint8(packed >> (uint64(8) * j))
            for i in range(whole, octets):
                planes[p, m, i] = _octet(levels, m, p, i * uint64(8), width)


@inner
def _octet(levels, m, p, start, width):
    packed = uint64(0)
    for k in range(start, min(start + uint64(8), width)):
        packed |= (uint64(levels[m, k]) >> p & uint64(1)) << (k - start)
    return uint8(packed)
