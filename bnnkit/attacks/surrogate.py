"""A gradient for a network that has none: the straight-through pass over a BinaryNetwork.

Forward, the network is exactly itself: its integers and bits, held in float32 (exact, since
sums stay below 2**24 up to some 60,000 inputs of 8 bits). Backward, each staircase is replaced
by a slope:

- quantiser: d level / dx = 1 / step;
- bit = [y >= 0] with y the distance from the threshold in units of the sum's spread:
  d bit / dy = 1 - tanh(y)**2 (Hubara et al., Binarized neural networks, NeurIPS 2016,
  with the soft slope of Jia and Rinard, NeurIPS 2020);
- pooling: shared by the positions that have the pooled value.

Here, and only here, are floats used with an integer network; nothing is decided by them.
"""

import numpy as np

from bnnkit._checks import as_images, as_labels
from bnnkit.kernels import output_size, patches
from bnnkit.network import Pool2d

_CHUNK = 64  # images at a time: bounds the memory of the gathered windows


class Surrogate:
    """Straight-through gradients of a BinaryNetwork's cross-entropy.

    Parameters
    ----------
    network : BinaryNetwork
        Its weights are unpacked once, here.
    """

    def __init__(self, network):
        self.network = network
        spread = (network.quantiser.n_levels - 1) / 2
        self._layers = []
        for layer in network.layers:
            step = _Pool(layer) if isinstance(layer, Pool2d) else _Threshold(layer, spread)
            self._layers.append(step)
            spread = 0.5  # of a bit
        self._head = _Head(network.head, spread)

    def loss_gradient(self, images, labels):
        """Gradient of the cross-entropy with respect to the pixels.

        Parameters
        ----------
        images : array_like
            uint8 in 0..255 or floats in [0, 1], any shape that the network takes.
        labels : array_like of int, shape (N,)

        Returns
        -------
        gradient : ndarray of float32, the shape of `images`
            On the [0, 1] scale of the pixels.
        loss : ndarray of float32, shape (N,)
        """
        x = as_images(images, self.network.input_shape)
        labels = as_labels(labels, len(x), self.network.n_classes)
        parts = [slice(i, i + _CHUNK) for i in range(0, len(x), _CHUNK)]
        gradients, losses = zip(*(self._chunk(x[p], labels[p]) for p in parts), strict=True)
        return np.concatenate(gradients).reshape(np.shape(images)), np.concatenate(losses)

    def _chunk(self, images, labels):
        levels = self.network.quantiser.levels(images)
        x = levels.transpose(0, 2, 3, 1).astype(np.float32)  # (N, H, W, C)
        backwards = []
        for layer in self._layers:
            x, backward = layer.forward(x)
            backwards.append(backward)
        logits, backward = self._head.forward(x)
        loss, g = _cross_entropy(logits, labels)
        g = backward(g)
        for backward in reversed(backwards):
            g = backward(g)
        g /= np.float32(self.network.quantiser.step)
        return g.transpose(0, 3, 1, 2), loss


def _product(a, b):
    # BLAS also computes with what lies beyond the ends of its operands; only flags are left of it
    with np.errstate(all="ignore"):
        return a @ b


class _Map:
    """Sums z = sum w*x over windows, as float32, and their transpose."""

    def __init__(self, layer, spread):
        weights = layer.weights.transpose(2, 3, 1, 0)  # (KH, KW, C, O)
        self.kernel, self.stride, self.padding = weights.shape[:2], layer.stride, layer.padding
        self.weights = weights.reshape(-1, weights.shape[3]).astype(np.float32)
        n_terms = np.maximum(np.abs(self.weights).sum(axis=0), 1)
        # the standard deviation of z if its inputs were independent and at their two ends
        self.deviation = np.float32(spread) * np.sqrt(n_terms)

    def sums(self, x):
        rows, columns = (
            output_size(side, k, self.stride, self.padding)
            for side, k in zip(x.shape[1:3], self.kernel, strict=True)
        )
        z = _product(patches(x, self.kernel, self.stride, self.padding), self.weights)
        return z.reshape(len(x), rows, columns, -1)

    def transposed(self, g, shape):
        """The gradient by inputs of `shape` (N, H, W, C) from the gradient by sums."""
        (n, h, w, c), pad, stride = shape, self.padding, self.stride
        rows, columns = g.shape[1:3]
        taps = _product(g.reshape(-1, g.shape[3]), self.weights.T)
        taps = taps.reshape(n, rows, columns, *self.kernel, c)
        total = np.zeros((n, h + 2 * pad, w + 2 * pad, c), dtype=np.float32)
        for i, j in np.ndindex(*self.kernel):
            window = (slice(None), _every(i, rows, stride), _every(j, columns, stride))
            total[window] += taps[:, :, :, i, j]
        return total[:, pad : pad + h, pad : pad + w]


class _Threshold(_Map):
    """Conv2d: sums, then bits."""

    def __init__(self, layer, spread):
        super().__init__(layer, spread)
        threshold = layer.threshold.astype(np.float32)
        self.threshold = threshold.transpose(1, 2, 0) if threshold.ndim == 3 else threshold
        self.sense = layer.sense.astype(np.float32)

    def forward(self, x):
        # The half puts the threshold between the two integers that it separates.
        y = (self.sense * (self.sums(x) - self.threshold) + np.float32(0.5)) / self.deviation

        def backward(g):
            slope = 1 - np.tanh(y) ** 2
            return self.transposed(g * slope * self.sense / self.deviation, x.shape)

        return (y >= 0).astype(np.float32), backward


class _Pool:
    """Pool2d: the largest or smallest bit of each window."""

    def __init__(self, layer):
        self.reduction = {"or": np.maximum, "and": np.minimum}[layer.kind]
        self.size, self.stride = layer.size, layer.stride

    def forward(self, x):
        rows, columns = (output_size(side, self.size, self.stride, 0) for side in x.shape[1:3])
        windows = [
            (slice(None), _every(i, rows, self.stride), _every(j, columns, self.stride))
            for i, j in np.ndindex(self.size, self.size)
        ]
        pooled = self.reduction.reduce([x[window] for window in windows])

        def backward(g):
            share = g / sum((x[window] == pooled).astype(np.float32) for window in windows)
            total = np.zeros_like(x)
            for window in windows:
                total[window] += share * (x[window] == pooled)
            return total

        return pooled, backward


class _Head(_Map):
    """Head: logits in units of the scores' spread, since the integers have lost their own."""

    def __init__(self, layer, spread):
        super().__init__(layer, spread)
        unit = self.deviation.max()
        self.scale = np.float32(np.sign(layer.scale)) / unit
        self.bias = (layer.bias / abs(layer.scale)).astype(np.float32) / unit

    def forward(self, x):
        logits = self.scale * self.sums(x)[:, 0, 0] + self.bias

        def backward(g):
            return self.transposed((self.scale * g)[:, None, None], x.shape)

        return logits, backward


def _every(first, count, stride):
    """The slice of `count` positions from `first` on, `stride` apart."""
    return slice(first, first + stride * (count - 1) + 1, stride)


def _cross_entropy(logits, labels):
    """Loss (N,) and its gradient by the logits (N, classes)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=1)
    index = np.arange(len(labels))
    g = exponentials / total[:, None]
    g[index, labels] -= 1
    return np.log(total) - shifted[index, labels], g
