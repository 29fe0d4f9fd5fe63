"""Pooling of packed bits: the largest bit of a window is their OR, the smallest their AND."""

import numpy as np

_REDUCTION = {"or": np.bitwise_or, "and": np.bitwise_and}


def pool_words(words, kind, size, stride):
    """Pool packed channels over windows of `size` x `size` pixels, no padding.

    Parameters
    ----------
    words : ndarray of uint64, shape (N, H, W, C)
    kind : "or", "and"
    size, stride : int

    Returns
    -------
    ndarray of uint64, shape (N, OH, OW, C)
    """
    rows = (words.shape[1] - size) // stride + 1
    columns = (words.shape[2] - size) // stride + 1
    pooled = None
    for i in range(size):
        for j in range(size):
            tap = words[:, i : i + stride * rows : stride, j : j + stride * columns : stride]
            pooled = tap.copy() if pooled is None else _REDUCTION[kind](pooled, tap, out=pooled)
    return pooled
