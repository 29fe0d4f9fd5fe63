"""Between images and planes: the transpositions at both ends of the bit-sliced engine.

A plane holds one bit of one input for all images of a block; see `bnnkit.kernels.sliced`. With
B bytes a plane, bit j of byte k belongs to image j * B + k, so that images j * B to j * B + B - 1
are neighbours in memory on both sides.

Levels come image by image. Eight images at a time, one bit of each pixel is shifted into a byte:
32 pixels in a register, and the byte of a pixel then holds the bits of eight images. 32 such
registers are a square of bytes with a row for eight images and a column for a pixel; the square
is transposed by five perfect shuffles, each of which interleaves its first half with its second,
which turns the ten bits of a byte's address (row, column) by one place.
"""

import numpy as np
from llvmlite import ir
from numba.extending import intrinsic

from bnnkit.kernels._compile import entry, inner
from bnnkit.kernels._vector import as_bytes, as_halves, load, splat, store

_0, _1, _2, _7, _8, _16 = map(np.uint64, (0, 1, 2, 7, 8, 16))
_SIDE = np.uint64(32)  # bytes of a register: rows and columns of the square
_SQUARE = np.uint64(1024)

SCRATCH = 2 * 1024  # bytes of the two squares


@entry
def slice_levels(levels, n_pixels, added, shift, complement, target, scratch, octets, plane):
    """Write the planes of a block of images, each followed by its complement.

    Parameters
    ----------
    levels : ndarray of uint8
        The levels of all images, ``n_pixels`` for each; of images with less than 32 pixels
        so many bytes more that 32 can be read from the last image on.
    n_pixels : uint64
    added, shift : ndarray of uint8, shape (planes of a pixel,)
        Plane i of a pixel holds ``(level + added[i]) >> shift[i] & 1``.
    complement : uint64
        Words from a plane to its complement, 0 if none is needed.
    target : ndarray of uint64, shape (n_pixels,)
        Where the planes of a pixel begin, in words of which 8 are a plane.
    scratch : ndarray of uint8, shape (SCRATCH,)
    octets : ndarray of uint8
        All planes.
    plane : uint64
        Bytes of a plane: 32 or 64.
    """
    columns = min(_SIDE, n_pixels)
    for step in range(_0, n_pixels, _SIDE):
        pixel = min(step, n_pixels - columns)  # the last 32 may overlap those before
        for i in range(np.uint64(added.size)):
            for octet in range(_0, plane, _SIDE):
                for row in range(_SIDE):
                    first = (octet + row) * n_pixels + pixel
                    bits = _gather(levels, first, plane * n_pixels, added[i], shift[i])
                    store(scratch, row * _SIDE, bits)
                _transpose(scratch)
                for column in range(columns):
                    bits = load(scratch, _SQUARE + column * _SIDE)
                    place = (target[pixel + column] // _8 + i) * plane + octet
                    store(octets, place, bits)
                    if complement != _0:
                        store(octets, place + complement // _8 * plane, ~bits)


@inner
def _gather(levels, first, step, added, shift):
    """One bit of 32 pixels of eight images, an image each `step` bytes; image 0 lowest."""
    added, one, bits = splat(added), splat(np.uint8(1)), splat(np.uint8(0))
    for image in range(_8):
        place = first + (_7 - image) * step
        # what a shift of pairs of bytes moves from one to the other does not reach bit 0
        bit = as_bytes(as_halves(load(levels, place) + added) >> shift) & one
        bits = (bits + bits) | bit
    return bits


@inner
def _transpose(scratch):
    """Transpose the square at byte 0, 32 x 32 bytes, into the one that follows it."""
    source, target = _0, _SQUARE
    for _ in range(5):
        for k in range(_16):
            x = load(scratch, source + k * _SIDE)
            y = load(scratch, source + (k + _16) * _SIDE)
            store(scratch, target + _2 * k * _SIDE, _first_pairs(x, y))
            store(scratch, target + (_2 * k + _1) * _SIDE, _last_pairs(x, y))
        source, target = target, source


def _interleaved(builder, arguments, first):
    """Bytes first, first + 1, ... of two registers in turn."""
    places = [lane for k in range(first, first + 16) for lane in (k, 32 + k)]
    order = ir.Constant(ir.VectorType(ir.IntType(32), 32), places)
    return builder.shuffle_vector(*arguments, order)


@intrinsic
def _first_pairs(typing, x, y):
    """x[0], y[0], x[1], y[1], ..., x[15], y[15]."""
    return x(x, y), lambda _, builder, __, xs: _interleaved(builder, xs, 0)


@intrinsic
def _last_pairs(typing, x, y):
    """x[16], y[16], ..., x[31], y[31]."""
    return x(x, y), lambda _, builder, __, xs: _interleaved(builder, xs, 16)


@entry
def counts_of_planes(octets, place, plane, n_digits, counts):
    """The integers whose binary digits are in planes.

    Parameters
    ----------
    octets : ndarray of uint8
        All planes.
    place : uint64
        Where the digits of the first row begin, in words of which 8 are a plane.
    plane : uint64
        Bytes of a plane: 32 or 64.
    n_digits : uint64
    counts : ndarray of int64, shape (rows, images)
        Is written.
    """
    counts[:] = 0
    for row in range(np.uint64(counts.shape[0])):
        for digit in range(n_digits):
            first = (place // _8 + row * n_digits + digit) * plane
            for image in range(_8):
                for octet in range(plane):
                    bit = octets[first + octet] >> image & _1
                    counts[row, image * plane + octet] += np.int64(bit << digit)
