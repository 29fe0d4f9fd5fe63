"""Sliding windows: a convolution is a product with the patches of its input.

The pixels that a window covers in one row of the image lie side by side in memory, so a window
is a few runs of bytes. They are copied by registers of 32 bytes: what a copy writes too much
behind its run, the next copy writes over.
"""

import numpy as np
from numba import uint64

from bnnkit.kernels._compile import entry, inner
from bnnkit.kernels._vector import VECTOR_BYTES, load, store

_REGISTER = uint64(VECTOR_BYTES)


def output_size(size, kernel, stride, padding):
    """Positions of a window along one axis: (size + 2 * padding - kernel) // stride + 1.

    Parameters
    ----------
    size, kernel, stride, padding : int
        In elements of the axis; the padding is added at both ends.

    Returns
    -------
    int

    Examples
    --------
    >>> from bnnkit.kernels import output_size
    >>> output_size(28, 4, 2, 1)
    14
    """
    return (size + 2 * padding - kernel) // stride + 1


def patches(x, kernel, stride=1, padding=0):
    """Gather the input window of every output position.

    Parameters
    ----------
    x : ndarray, shape (N, H, W, C)
        Of any dtype; the C values of a pixel may be channels or octets of packed channels.
    kernel : tuple of int
        (kh, kw).
    stride, padding : int
        The same for both axes; the padding is 0.

    Returns
    -------
    ndarray, shape (N * OH * OW, kh * kw * C)
        Row-major over (kernel row, kernel column, channel).

    Examples
    --------
    >>> from bnnkit.kernels import patches
    >>> row = np.array([[[[1], [2], [3]]]], np.uint8)  # one image, 1 x 3 pixels, one channel
    >>> patches(row, kernel=(1, 2))
    array([[1, 2],
           [2, 3]], dtype=uint8)
    """
    kh, kw = kernel
    n, height, width, channels = x.shape
    if (height, width, padding) == (kh, kw, 0):  # one window, the whole input: a dense layer
        return x.reshape(n, kh * kw * channels)
    rows = output_size(height, kh, stride, padding)
    columns = output_size(width, kw, stride, padding)
    pixel = channels * x.itemsize
    image = np.zeros(
        (height + 2 * padding) * (width + 2 * padding) * pixel + VECTOR_BYTES, np.uint8
    )
    windows = room(n * rows * columns * kh * kw * pixel)
    source = np.ascontiguousarray(x).view(np.uint8).reshape(n, height, width * pixel)
    _gather(source, image, pixel, kh, kw, stride, padding, rows, columns, windows)
    return windows[:-VECTOR_BYTES].view(x.dtype).reshape(-1, kh * kw * channels)


def room(size):
    """Make an array of bytes with room behind it for the rest of a register."""
    return np.empty(size + VECTOR_BYTES, np.uint8)


@entry
def _gather(x, image, pixel, kh, kw, stride, padding, rows, columns, windows):
    """Copy all windows of the images x (N, H, bytes a row); `image` holds one with padding."""
    pixel, stride, padding = uint64(pixel), uint64(stride), uint64(padding)
    line = uint64(x.shape[2]) + uint64(2) * padding * pixel  # bytes of a padded row
    run, place = uint64(kw) * pixel, uint64(0)
    for n in range(uint64(x.shape[0])):
        pad_image(x, n, image, line, padding, pixel)
        for row in range(uint64(rows)):
            for column in range(uint64(columns)):
                corner = row * stride * line + column * stride * pixel
                for i in range(uint64(kh)):
                    _copy(image, corner + i * line, windows, place, run)
                    place += run


@inner
def pad_image(x, n, image, line, padding, pixel):
    """Copy image n of x (N, H, bytes a row) into the middle of `image`, `line` bytes a row."""
    for row in range(uint64(x.shape[1])):
        start = (row + padding) * line + padding * pixel
        for i in range(uint64(x.shape[2])):
            image[start + i] = x[n, row, i]


@inner
def _copy(source, start, target, place, size):
    for i in range(uint64(0), size, _REGISTER):
        store(target, place + i, load(source, start + i))
