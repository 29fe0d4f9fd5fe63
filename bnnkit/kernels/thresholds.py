"""Thresholds of sums that are already there, where no kernel compares while it counts."""

import numpy as np
from numba import uint8, uint64

from bnnkit.kernels._compile import entry


def threshold_bits(sums, threshold, sense):
    """Compare rows of sums with thresholds and pack the outcomes.

    Parameters
    ----------
    sums : ndarray of int32, shape (M, O)
    threshold : ndarray of int32, shape (R, O)
        Row m is compared with row m % R.
    sense : ndarray of int8, shape (O,)
        +1: bit = [sum >= threshold]; -1: bit = [sum <= threshold].

    Returns
    -------
    ndarray of uint8, shape (M, ceil(O / 8))

    Examples
    --------
    >>> from bnnkit.kernels import threshold_bits
    >>> sums, threshold = np.array([[3, 3]], np.int32), np.array([[3, 2]], np.int32)
    >>> threshold_bits(sums, threshold, np.array([1, -1], np.int8))
    array([[1]], dtype=uint8)
    """
    packed = np.empty((len(sums), -(-sums.shape[1] // 8)), np.uint8)
    _compare(sums, threshold, sense, packed)
    return packed


@entry
def _compare(sums, threshold, sense, packed):
    outputs = uint64(sums.shape[1])
    for m in range(uint64(sums.shape[0])):
        row = m % uint64(threshold.shape[0])
        for i in range(uint64(packed.shape[1])):
            octet, first = uint64(0), uint64(8) * i
            for o in range(first, min(first + uint64(8), outputs)):
                z, t = sums[m, o], threshold[row, o]
                octet |= uint64(z >= t if sense[o] > 0 else z <= t) << (o - first)
            packed[m, i] = uint8(octet)
