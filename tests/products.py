"""Lanes, and the plain products that the kernels must equal."""

import numpy as np

from bnnkit.kernels._lanes import aligned
from bnnkit.kernels.links import links

# size, kernel, stride, padding, channels, outputs, images
CASES = {
    "dense": ((1, 1), (1, 1), 1, 0, 70, 37, 100),
    "dense-wide": ((1, 1), (1, 1), 1, 0, 200, 16, 64),
    "one-row": ((1, 1), (1, 1), 1, 0, 1, 1, 1),
    "conv": ((5, 6), (3, 3), 1, 1, 3, 20, 17),
    "conv-strided": ((7, 5), (4, 4), 2, 1, 16, 9, 65),
    "conv-out-of-reach": ((6, 6), (2, 2), 3, 0, 33, 48, 128),
}


def to_lanes(values, dtype, width=None):
    """(N, sites, C) to lanes (slabs, sites, C, width); lanes without an image stay 0."""
    n, sites, channels = values.shape
    width = width or 64 // np.dtype(dtype).itemsize
    slabs = -(-n // 64) * (64 // width)
    lanes = aligned((slabs, sites, channels, width), dtype)
    padded = np.zeros((slabs * width, sites, channels))
    padded[:n] = values
    lanes[:] = padded.reshape(slabs, width, sites, channels).transpose(0, 2, 3, 1)
    return lanes


def from_lanes(lanes, n_images):
    """Undo `to_lanes`, in float64."""
    images = lanes.transpose(0, 3, 1, 2).reshape(-1, *lanes.shape[1:3])
    assert not images[n_images:].any()
    return images[:n_images].astype(float)


class Case:
    """A layer with random weights, input and gradient."""

    def __init__(self, name, base, rng):
        size, kernel, stride, padding, channels, outputs, self.n = CASES[name]
        self.forward, self.backward = links(size, kernel, stride, padding)
        self.taps = kernel[0] * kernel[1]
        values = [-1, 1] if base == 2 else [-1, 0, 1]
        self.weights = rng.choice(values, (outputs, self.taps, channels)).astype(np.int8)
        sites, positions = len(self.forward.start) - 1, len(self.backward.start) - 1
        self.x = rng.normal(size=(self.n, sites, channels))
        self.bits = rng.integers(0, 2, self.x.shape)
        self.dz = rng.normal(size=(self.n, positions, outputs))

    def pairs(self):
        """(output site, pixel, tap) of every link."""
        for site in range(len(self.backward.start) - 1):
            for link in range(self.backward.start[site], self.backward.start[site + 1]):
                yield site, self.backward.site[link], self.backward.tap[link]

    def product(self, x):
        z = np.zeros(self.dz.shape)
        for site, pixel, tap in self.pairs():
            z[:, site] += x[:, pixel] @ self.weights[:, tap].T
        return z

    def input_gradient(self):
        dx = np.zeros(self.x.shape)
        for site, pixel, tap in self.pairs():
            dx[:, pixel] += self.dz[:, site] @ self.weights[:, tap]
        return dx

    def weight_gradient(self, x):
        dw = np.zeros(self.weights.shape)
        for site, pixel, tap in self.pairs():
            dw[:, tap] += self.dz[:, site].T @ x[:, pixel]
        return dw
