"""Pooling of packed bits: the largest bit of a window is their OR, the smallest their AND.

As in `bnnkit.kernels.windows`, whole registers are read and written, and what is written too
much behind a pixel is written over by the next one.
"""

import numpy as np
from numba import uint8, uint64

from bnnkit.kernels._compile import entry
from bnnkit.kernels._vector import VECTOR_BYTES, load, splat, store
from bnnkit.kernels.windows import output_size, pad_image, room

_FLIP = {"or": np.uint8(0), "and": np.uint8(255)}


def pool_octets(octets, kind, size, stride):
    """Pool packed channels over windows of `size` x `size` pixels, no padding.

    Parameters
    ----------
    octets : ndarray of uint8, shape (N, H, W, C)
    kind : "or", "and"
    size, stride : int

    Returns
    -------
    ndarray of uint8, shape (N, OH, OW, C)

    Examples
    --------
    >>> from bnnkit.kernels import pool_octets
    >>> octets = np.array([[[[0b01], [0b11]]]], np.uint8)  # one image, 1 x 2 pixels, 8 channels
    >>> pool_octets(np.repeat(octets, 2, axis=1), "and", 2, 2).ravel()
    array([1], dtype=uint8)
    """
    n, height, width, channels = octets.shape
    rows, columns = (output_size(side, size, stride, 0) for side in (height, width))
    source = np.ascontiguousarray(octets).reshape(n, height, width * channels)
    pooled = room(n * rows * columns * channels)
    geometry = np.array([channels, size, stride, rows, columns], np.uint64)
    _pool(source, room(height * width * channels), _FLIP[kind], geometry, pooled)
    return pooled[:-VECTOR_BYTES].reshape(n, rows, columns, channels)


@entry
def _pool(x, image, flip, geometry, pooled):
    """OR of the bits of each window, or with all bits flipped the OR of what they are not."""
    pixel, size, stride, rows, columns = geometry
    line, place, flips = uint64(x.shape[2]), uint64(0), splat(flip)
    for n in range(uint64(x.shape[0])):
        pad_image(x, n, image, line, uint64(0), pixel)
        for row in range(rows):
            for column in range(columns):
                corner = row * stride * line + column * stride * pixel
                for start in range(uint64(0), pixel, uint64(VECTOR_BYTES)):
                    any_set = splat(uint8(0))
                    for i in range(size):
                        for j in range(size):
                            at = corner + start + i * line + j * pixel
                            any_set = any_set | (load(image, at) ^ flips)
                    store(pooled, place + start, any_set ^ flips)
                place += pixel
