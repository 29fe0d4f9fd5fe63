"""The definitions, as one would write them on a blackboard: XOR, popcount, add.

The faster kernels that count bits (`xnor`, `lut`, `sliced` and what serves them) compute what these
functions compute, bit for bit. They work on every processor and are good for reading, not for
speed. What training computes is defined by a float64 twin in the tests, since sums of float32
depend on their order.

For a bit x in {0, 1} and a weight w in {-1, +1} write s = [w = +1]. Then w*x = s - [x != s]: a
positive weight gives 1 unless the bit is missing, a negative one takes 1 if it is there. A mask
leaves out the weights that are 0, so that

    sum w*x  =  popcount(s AND mask)  -  popcount((x XOR s) AND mask).
"""

import numpy as np

from bnnkit.kernels._compile import entry, inner


@inner
def ones(octet):
    """Number of ones among 8 bits."""
    count = 0
    for i in range(8):
        count += (octet >> i) & 1
    return count


@entry
def product(x, sign, mask, out):
    """Products of rows of bits with rows of ternary weights.

    Parameters
    ----------
    x : ndarray of uint8, shape (M, K)
        Packed inputs, see `pack_bits`.
    sign, mask : ndarray of uint8, shape (O, K)
        Packed in the same way: bits that are 1 where a weight is +1, and where it is not 0.
    out : ndarray of int32, shape (M, O)
        Is written.
    """
    for m in range(len(x)):
        for o in range(len(sign)):
            total = 0
            for k in range(x.shape[1]):
                total += ones(sign[o, k] & mask[o, k]) - ones((x[m, k] ^ sign[o, k]) & mask[o, k])
            out[m, o] = total


@entry
def fires(z, threshold, sense, out):
    """The bits of neurons: [z >= threshold] or, where the sense is -1, [z <= threshold].

    Parameters
    ----------
    z : ndarray of int32, shape (M, O)
    threshold, sense : ndarray of int32 and int8, shape (O,)
    out : ndarray of uint8, shape (M, O)
        Is written.
    """
    for m in range(len(z)):
        for o in range(z.shape[1]):
            above, below = z[m, o] >= threshold[o], z[m, o] <= threshold[o]
            out[m, o] = np.uint8(above if sense[o] > 0 else below)


@entry
def convolution(x, weights, stride, padding, out):
    """Sums of weight * input over windows; outside of the image is 0.

    Parameters
    ----------
    x : ndarray of uint8, shape (N, H, W, C)
        Bits or levels.
    weights : ndarray of int8, shape (O, KH, KW, C)
    stride, padding : int
    out : ndarray of int32, shape (N, OH, OW, O)
        Is written.
    """
    for n, row, column, o in np.ndindex(out.shape):
        total = 0
        for i, j, c in np.ndindex(weights.shape[1:]):
            y, z = row * stride + i - padding, column * stride + j - padding
            if 0 <= y < x.shape[1] and 0 <= z < x.shape[2]:
                total += weights[o, i, j, c] * x[n, y, z, c]
        out[n, row, column, o] = total


@entry
def pool(x, size, stride, out):
    """The OR of the bits of each window; the AND is the complement of that of the complements.

    Parameters
    ----------
    x : ndarray of uint8, shape (N, H, W, C)
    size, stride : int
    out : ndarray of uint8, shape (N, OH, OW, C)
        Is written.
    """
    for n, row, column, c in np.ndindex(out.shape):
        any_bit = np.uint8(0)
        for i, j in np.ndindex((size, size)):
            any_bit |= x[n, row * stride + i, column * stride + j, c]
        out[n, row, column, c] = any_bit
