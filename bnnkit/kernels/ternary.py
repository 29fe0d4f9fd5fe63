"""Products of packed bits with rows of weights in {-1, 0, +1}.

`bnnkit.kernels.plain` defines them and `bnnkit.kernels.xnor` computes them on any processor. For
four rows and more of weights without zeros `bnnkit.kernels.lut` takes its place where that is
faster.
"""

from typing import NamedTuple

import numpy as np

from bnnkit.kernels import lut, xnor
from bnnkit.kernels._tiles import BLOCK, MOST, ROOM
from bnnkit.kernels.bits import pack_bits, unpack_bits
from bnnkit.kernels.thresholds import threshold_bits

_BLOCK = int(BLOCK)  # outputs whose octets lie side by side
_SLACK = 32  # bytes that may be read behind the last octet


class PackedTernary(NamedTuple):
    """Rows of weights in {-1, 0, +1}: two bits a weight, or one where none of them is 0.

    The octets of 32 rows are interleaved: first octet 0 of rows 0 to 31, then octet 1 of these
    rows, and so on; then come the next 32 rows. The last block holds the rows that are left.

    Attributes
    ----------
    sign : ndarray of uint8, shape (O * K + 32,)
        Bits that are 1 where the weight is +1, K octets a row. The last 32 bytes mean nothing.
    mask : ndarray of uint8, shape (O * K + 32,), or None
        1 where the weight is not 0; None if no weight is.
    n_outputs, n_octets : int
        O and K.

    Examples
    --------
    >>> from bnnkit.kernels import pack_ternary
    >>> dense = pack_ternary(np.array([[[1, -1, 1]]], np.int8))
    >>> sparse = pack_ternary(np.array([[[1, 0, 1]]], np.int8))
    >>> dense.mask is None, sparse.mask is None, dense.n_outputs
    (True, False, 1)
    """

    sign: np.ndarray
    mask: np.ndarray | None
    n_outputs: int
    n_octets: int


def pack_ternary(weights):
    """Pack int8 weights in {-1, 0, +1}, shape (O, G, B), as `pack_bits` packs inputs (M, G, B).

    Parameters
    ----------
    weights : ndarray of int8 in {-1, 0, +1}, shape (O, G, B)
        O outputs over G groups of B inputs.

    Returns
    -------
    PackedTernary

    Examples
    --------
    >>> from bnnkit.kernels import pack_ternary
    >>> packed = pack_ternary(np.array([[[1, -1, 0, 1]]], np.int8))
    >>> bin(packed.sign[0]), bin(packed.mask[0])  # from the right
    ('0b1001', '0b1011')
    """
    sign = pack_bits(weights > 0)
    mask = None if weights.all() else _interleave(pack_bits(weights != 0))
    return PackedTernary(_interleave(sign), mask, *sign.shape)


def unpack_ternary(packed, groups, width):
    """Undo `pack_ternary`: int8 weights (O, G, B).

    Parameters
    ----------
    packed : PackedTernary
    groups, width : int
        G and B.

    Returns
    -------
    ndarray of int8 in {-1, 0, +1}, shape (O, G, B)

    Examples
    --------
    >>> from bnnkit.kernels import pack_ternary, unpack_ternary
    >>> packed = pack_ternary(np.array([[[1, -1, 0, 1]]], np.int8))
    >>> unpack_ternary(packed, groups=1, width=4)
    array([[[ 1, -1,  0,  1]]], dtype=int8)
    """
    weights = 2 * _unpack(packed, packed.sign, groups, width).astype(np.int8) - 1
    if packed.mask is None:
        return weights
    return weights * _unpack(packed, packed.mask, groups, width).astype(np.int8)


def _interleave(octets):
    """The octets (O, K) of rows as `PackedTernary` keeps them."""
    blocks = [octets[o : o + _BLOCK].T.ravel() for o in range(0, len(octets), _BLOCK)]
    return np.concatenate([*blocks, np.zeros(_SLACK, np.uint8)])


def _unpack(packed, interleaved, groups, width):
    n, k = packed.n_outputs, packed.n_octets
    blocks = np.split(interleaved[: n * k], range(_BLOCK * k, n * k, _BLOCK * k))
    octets = np.concatenate([block.reshape(k, -1).T for block in blocks])
    return unpack_bits(np.ascontiguousarray(octets), groups, width)


def ternary_product(octets, packed):
    """Exact products of rows of bits with rows of ternary weights.

    Parameters
    ----------
    octets : ndarray of uint8, shape (M, K) or (P, M, K)
        Packed inputs in {0, 1}, or P planes of them (see `bit_planes`).
    packed : PackedTernary
        O rows of K octets.

    Returns
    -------
    ndarray of int32, shape (M, O)

    Examples
    --------
    >>> from bnnkit.kernels import pack_bits, pack_ternary, ternary_product
    >>> weights = np.array([[[1, -1, 0, 1]]], dtype=np.int8)
    >>> bits = np.array([[[1, 1, 1, 0]]], dtype=np.uint8)
    >>> ternary_product(pack_bits(bits), pack_ternary(weights))
    array([[0]], dtype=int32)
    """
    planes = _planes(octets, packed)
    product = np.empty((planes.shape[1], packed.n_outputs), np.int32)
    product[:] = (2 ** len(planes) - 1) * positives(packed)
    _subtract_counts(planes, packed, product)
    return product


def _planes(octets, packed):
    """Inputs as planes (P, M, K), side by side in memory: kernels do not check what they read."""
    planes = np.ascontiguousarray(octets if octets.ndim == 3 else octets[None])
    if planes.shape[2] != packed.n_octets:
        raise ValueError(
            f"rows of {planes.shape[2]} octets do not fit weights of {packed.n_octets} octets"
        )
    return planes


def positives(packed):
    """Number of weights +1 in each row, int32 (O,): what a row of zeros lacks.

    Parameters
    ----------
    packed : PackedTernary

    Returns
    -------
    ndarray of int32, shape (O,)

    Examples
    --------
    >>> from bnnkit.kernels import pack_ternary, positives
    >>> positives(pack_ternary(np.array([[[1, -1, 0, 1]], [[-1, -1, 0, 0]]], np.int8)))
    array([2, 0], dtype=int32)
    """
    count = np.zeros((1, packed.n_outputs), np.int32)
    _subtract_counts(np.zeros((1, 1, packed.n_octets), np.uint8), packed, count)
    return -count[0]


def _subtract_counts(planes, packed, out):
    xnor.subtract_counts(planes, packed.sign, packed.mask, np.empty(32, np.uint16), out)


def ternary_bits(octets, packed, limit, sense):
    """Thresholds of products, as packed bits: the outputs of a layer of neurons.

    Parameters
    ----------
    octets : ndarray of uint8, shape (M, K) or (P, M, K)
        As for `ternary_product`.
    packed : PackedTernary
        O rows of K octets.
    limit : ndarray of int32 or int64, shape (O,)
        Number of weights +1 less the threshold. That is how many bits may differ from the
        weights: what is counted is compared with it, so it is kept rather than the threshold.
    sense : ndarray of int8, shape (O,)
        +1: bit = [product >= threshold]; -1: bit = [product <= threshold].

    Returns
    -------
    ndarray of uint8, shape (M, ceil(O / 8))

    Examples
    --------
    >>> from bnnkit.kernels import pack_bits, pack_ternary, ternary_bits
    >>> weights = np.array([[[1, -1, 0, 1]]], dtype=np.int8)
    >>> bits = np.array([[[1, 1, 1, 0]], [[1, 0, 0, 1]]], dtype=np.uint8)
    >>> at_least_2 = np.array([2 - 2], np.int32)
    >>> ternary_bits(pack_bits(bits), pack_ternary(weights), at_least_2, np.ones(1, np.int8))
    array([[0],
           [1]], dtype=uint8)
    """
    planes = _planes(octets, packed)
    n, largest = packed.n_outputs, 2 ** len(planes) - 1
    if 8 * packed.n_octets * largest > MOST:
        threshold = (positives(packed) - limit)[None]
        return threshold_bits(ternary_product(planes, packed), threshold, sense)
    if largest > 1:
        limit = np.minimum(limit, 2**30) + (largest - 1) * positives(packed)
    out, bounds = bit_rows(planes.shape[1], n), bounds_room(n)
    if lut.FASTEST and packed.mask is None and planes.shape[1] > 3:
        places = np.empty((len(planes), 4, packed.n_octets), np.uint16)
        lut.bits(planes, packed.sign, lut.TABLES, places, limit, sense, bounds, out)
    else:
        xnor.bits(planes, packed.sign, packed.mask, limit, sense, bounds, out)
    return out


def bit_rows(rows, width):
    """Room for rows of packed bits, uint8 (rows, ceil(width / 8)), and for a word behind them."""
    octets = (width + 7) // 8
    if octets % 4 == 0:  # words end where rows do
        return np.empty((rows, octets), np.uint8)
    return np.empty((rows + 4, octets), np.uint8)[:rows]


def bounds_room(outputs):
    """Room for what the kernels compare counts with."""
    return np.empty(((outputs + 31) // 32, ROOM), np.uint16)
