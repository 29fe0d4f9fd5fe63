"""Sliding windows: a convolution is a product with the patches of its input."""

import numpy as np


def output_size(size, kernel, stride, padding):
    """Positions of a window along one axis: (size + 2 * padding - kernel) // stride + 1."""
    return (size + 2 * padding - kernel) // stride + 1


def patches(x, kernel, stride=1, padding=0):
    """Gather the input window of every output position.

    Parameters
    ----------
    x : ndarray, shape (N, H, W, C)
        Of any dtype; the C values of a pixel may be channels or words of packed channels.
    kernel : tuple of int
        (kh, kw).
    stride, padding : int
        The same for both axes; the padding is 0.

    Returns
    -------
    ndarray, shape (N * OH * OW, kh * kw * C)
        Row-major over (kernel row, kernel column, channel).
    """
    kh, kw = kernel
    n, _, _, channels = x.shape
    if padding:
        x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    if x.shape[1:3] == (kh, kw):  # one window, the whole input: a dense layer
        return x.reshape(n, kh * kw * channels)
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(1, 2))
    windows = windows[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
    return windows.reshape(-1, kh * kw * channels)
