"""Planes for the tests of the bit-sliced engine."""

import numpy as np

WORDS = {256: np.uint32, 512: np.uint64}


def planes_of_bits(bits):
    """Bits (planes, images) as flat words: bit j of byte k of a plane is image j * bytes + k."""
    n_planes, n_images = bits.shape
    octets = bits.reshape(n_planes, 8, n_images // 8).transpose(0, 2, 1)
    return np.packbits(octets, axis=-1, bitorder="little").reshape(-1).view(WORDS[n_images])


def bits_of_planes(planes, n_images):
    """The same the other way round."""
    octets = planes.view(np.uint8).reshape(-1, n_images // 8, 1)
    bits = np.unpackbits(octets, axis=-1, bitorder="little")
    return bits.transpose(0, 2, 1).reshape(-1, n_images)
