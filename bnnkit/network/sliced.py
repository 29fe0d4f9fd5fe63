"""Scores of many images at once, on bit slices (see `bnnkit.kernels.sliced`).

A network is prepared once: its layers become lists of planes. They take 4 bytes for each weight
that is not 0 (about 1 where all weights are +1 or -1), and the planes of a block some megabytes
for a large network, so both are kept only for the networks that were used last.
"""

import functools
import math

import numpy as np

from bnnkit.kernels.sliced import evaluate_layer
from bnnkit.kernels.slicing import SCRATCH, counts_of_planes, slice_levels
from bnnkit.kernels.threads import get_threads, map_ranges
from bnnkit.network.layers import Pool2d
from bnnkit.network.lists import PLANE, plan

_WORD = {256: np.uint32, 512: np.uint64}  # of a plane of so many images


def sliced_scores(network, levels):
    """Integer scores of quantised images, up to 512 at a time, in several threads.

    Parameters
    ----------
    network : BinaryNetwork
    levels : ndarray of uint8, shape (N, C, H, W)
        Levels of the network's quantiser.

    Returns
    -------
    ndarray of int64, shape (N, classes)
        What `BinaryNetwork.scores_of_levels` says.
    """
    engine = _engine(network)
    flat = np.ascontiguousarray(levels, np.uint8).reshape(-1)
    scores = np.empty((len(levels), network.n_classes), np.int64)

    def score(start, stop):
        for first in range(start, stop, 512):
            last = min(first + 512, stop)
            block = flat[first * engine.n_pixels :]
            by_class = engine.scores(block, 512 if last - first > 256 else 256)
            scores[first:last] = by_class[:, : last - first].T

    blocks = max(1, -(-len(levels) // 512))
    map_ranges(score, len(levels), 512 * -(-blocks // (2 * get_threads())))
    return scores


def worthwhile(network, n_images):
    """Whether to slice so many images, rather than to count in packed words.

    A block of 256 images costs as much as there are planes to add. Packed words cost about as
    much for 256 images if that is one plane for each weight, zeros included: so it was measured
    for nets of several shapes and densities, within a factor of two. Sparse networks would gain
    from some 50 images on, but for the time in which their lists are made, which is that of
    counting in words for some hundreds of images.
    """
    return n_images >= 256 and n_images >= 256 * _planes_per_weight(network)


@functools.lru_cache(maxsize=4)
def _planes_per_weight(network):
    """About how many planes are added for each weight, zeros included."""
    depth = (network.quantiser.n_levels - 1).bit_length()
    planes = weights = 0
    for layer, shape in zip((*network.layers, network.head), network.shapes, strict=True):
        if not isinstance(layer, Pool2d):
            used = layer.n_weights * math.prod(layer.output_shape(shape)[1:])
            added = 1 - layer.sparsity if layer.sparsity else 1 / 3  # binary ones go in fours
            planes, weights = planes + used * depth * added, weights + used
        depth = 1
    return planes / weights


@functools.lru_cache(maxsize=4)
def _engine(network):
    return _Engine(network)


class _Engine:
    """A network's plan, and planes for the blocks of images that are being evaluated."""

    def __init__(self, network):
        self.plan, head = plan(network), network.head
        self.n_pixels = self.plan.pixel.size
        self._scale = head.scale
        self._bias = (head.bias - head.scale * self.plan.excess)[:, None]  # of a count
        self._idle = {n_images: [] for n_images in _WORD}  # planes that no thread uses

    def scores(self, levels, n_images):
        """Scores of the first images of flat `levels`: int64 (classes, n_images)."""
        needed = n_images * self.n_pixels + max(0, 32 - self.n_pixels)
        if len(levels) < needed:
            levels = np.concatenate([levels, np.zeros(needed - len(levels), np.uint8)])
        try:
            planes = self._idle[n_images].pop()
        except IndexError:
            planes = self._planes(_WORD[n_images])
        counts = self._count(levels, planes, n_images)
        self._idle[n_images].append(planes)
        return self._scale * counts + self._bias

    def _count(self, levels, planes, n_images):
        layers, bits, pixel, room, *_ = self.plan
        octets, size = planes.view(np.uint8), np.uint64(n_images // 8)
        scratch = np.empty(SCRATCH, np.uint8)
        slice_levels(levels, np.uint64(self.n_pixels), *bits, pixel, scratch, octets, size)
        for layer in layers:
            evaluate_layer(layer, planes, room)
        counts = np.empty((len(self.plan.excess), n_images), np.int64)
        counts_of_planes(octets, layers[-1].target[0], size, layers[-1].n_digits[-1], counts)
        return counts

    def _planes(self, word):
        """Planes of zeros, on cache lines, with ones as the complement of the padding."""
        n_words = self.plan.n_words
        memory = np.zeros(n_words + PLANE, word)
        start = -memory.ctypes.data % (PLANE * memory.itemsize) // memory.itemsize
        planes = memory[start : start + n_words]
        for first, last in self.plan.ones:
            planes[first:last] = np.iinfo(word).max
        return planes
