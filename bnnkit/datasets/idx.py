"""The IDX format of MNIST: a big-endian header, then the values row by row.

Header: two zero bytes, one byte for the type of the values (8: unsigned bytes), one for
the number of dimensions, then the size of each dimension in four bytes.
Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits, 1998.
"""

import math
import struct

import numpy as np

from bnnkit.datasets.files import CHUNK, opened

_UNSIGNED_BYTE = 8
_MEANING = {1: "labels", 3: "images"}


def read_images(path):
    """Read an IDX file of images, gzipped or not.

    Returns
    -------
    ndarray of uint8, shape (N, 1, H, W)

    Raises
    ------
    ValueError
        The file is not of that kind, truncated, too long, empty or damaged; names it.
    """
    return _read(path, ndim=3)[:, np.newaxis]


def read_labels(path):
    """Read an IDX file of labels, gzipped or not, as int64 (N,); errors as `read_images`."""
    return _read(path, ndim=1).astype(np.int64)


def _read(path, ndim):
    with opened(path) as (stream, most):
        shape = _read_shape(stream, path, ndim)
        size = math.prod(shape)
        if size == 0:
            raise ValueError(f"{path} holds no {_MEANING[ndim]}: its shape is {shape}")
        if size > most:
            raise _cut_short(path, size, f"at most {most}")
        values = np.empty(size, np.uint8)
        filled = _fill(stream, memoryview(values))
        if filled < size:
            raise _cut_short(path, size, filled)
        if stream.read(1):
            raise ValueError(f"{path} goes on after the {size} values that its header promises")
    return values.reshape(shape)


def _read_shape(stream, path, ndim):
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise ValueError(f"{path} is not an IDX file: it starts with {magic!r}")
    if magic[2] != _UNSIGNED_BYTE:
        raise ValueError(f"{path} holds values of IDX type {magic[2]}, not unsigned bytes (type 8)")
    if magic[3] != ndim:
        found = _MEANING.get(magic[3], "something else")
        raise ValueError(
            f"{path} holds {found} (IDX with {magic[3]} dimensions) where {_MEANING[ndim]} "
            f"({ndim}) are expected; are two files swapped?"
        )
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise ValueError(f"{path} is cut short: it ends within its header")
    return struct.unpack(f">{ndim}I", sizes)


def _fill(stream, buffer):
    """Read into `buffer`; return the number of bytes, less than its length at the end of file."""
    filled = 0
    while filled < len(buffer):
        count = stream.readinto(buffer[filled : filled + CHUNK])
        if not count:
            break
        filled += count
    return filled


def _cut_short(path, size, there):
    return ValueError(
        f"{path} is cut short: its header promises {size} values, {there} are there; get it anew"
    )
