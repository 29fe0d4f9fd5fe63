"""Batch-norm followed by the step: from exact integer sums to bits."""

import numpy as np

from bnnkit.kernels.training import channel_moments, combine, gradient_moments, normalise
from bnnkit.nn.optim import Parameter

_EPSILON = 1e-5  # added to the variance


class BatchNormStep:
    """bit = [y >= 0] with y = gamma * (z - mean) / sqrt(var + 1e-5) + beta, per channel.

    In training mean and variance are those of the batch (Ioffe & Szegedy, 2015). For
    inference they are estimated once from many images, with the final weights, and set
    by `set_statistics`: running averages would lag behind weights that flip.

    Parameters
    ----------
    channels : int

    Attributes
    ----------
    gamma, beta : Parameter, shape (channels,)
    mean, variance : ndarray of float64, shape (channels,)
    """

    def __init__(self, channels):
        self.gamma = Parameter(np.ones(channels))
        self.beta = Parameter(np.zeros(channels))
        self.mean = np.zeros(channels)
        self.variance = np.ones(channels)

    def parameters(self):
        """What the optimiser moves."""
        return [self.gamma, self.beta]

    def set_statistics(self, mean, variance):
        """Fix what `affine` normalises with."""
        self.mean, self.variance = mean, variance

    def affine(self):
        """Slope a and offset b, float64 (channels,), of y = a * z + b at inference."""
        slope = self.gamma.value / np.sqrt(self.variance + _EPSILON)
        return slope, self.beta.value - self.mean * slope

    def forward(self, z):
        """Normalise by the statistics of the batch.

        Parameters
        ----------
        z : ndarray of int32, shape (N, H, W, C)

        Returns
        -------
        y : ndarray of float32, the shape of `z`
        bits : ndarray of uint8, the shape of `z`
        """
        rows = z.reshape(-1, z.shape[3])
        self.set_statistics(*mean_and_variance(*channel_moments(rows), len(rows)))
        slope, _ = self.affine()
        mean, slope = self.mean.astype(np.float32), slope.astype(np.float32)
        y, bits = normalise(rows, mean, slope, self.beta.value)
        return y.reshape(z.shape), bits.reshape(z.shape)

    def backward(self, z, dy):
        """Set the gradients of gamma and beta; return that of `z`, float32.

        To be called after `forward` on the same `z`; `dy` is float32 of its shape.
        """
        rows, dy = z.reshape(-1, z.shape[3]), dy.reshape(-1, z.shape[3])
        deviation = np.sqrt(self.variance + _EPSILON)
        sums, products = gradient_moments(dy, rows, self.mean)
        self.beta.gradient[:] = sums
        self.gamma.gradient[:] = products / deviation
        slope = self.gamma.value / deviation
        # the batch's mean and variance depend on z as well, hence two more terms
        along_z = -slope * products / (deviation**2 * len(rows))
        coefficients = (self.mean, slope, along_z, -slope * sums / len(rows))
        coefficients = (coefficient.astype(np.float32) for coefficient in coefficients)
        return combine(dy, rows, *coefficients).reshape(z.shape)


def mean_and_variance(sums, squares, count):
    """Mean and (biased) variance from the sum and the sum of squares of `count` values."""
    mean = sums / count
    return mean, np.maximum(squares / count - mean**2, 0)
