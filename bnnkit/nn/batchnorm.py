"""Batch-norm followed by the step: from exact integer sums to bits."""

import numpy as np

from bnnkit.kernels import training
from bnnkit.nn.lanes import FLOATS, Workspace
from bnnkit.nn.optim import Parameter

_EPSILON = 1e-5  # added to the variance


class BatchNormStep:
    """bit = [y >= 0] with y = gamma * (z - mean) / sqrt(var + 1e-5) + beta, per channel.

    In training mean and variance are those of the batch (Ioffe & Szegedy, 2015). For
    inference they are estimated once from many images, with the final weights, and set
    by `set_statistics`: running averages would lag behind weights that flip.

    All z and their gradients are lanes, as `TernaryLayer` gives and takes them. What the
    methods return is overwritten by the next batch.

    Parameters
    ----------
    channels : int

    Attributes
    ----------
    gamma, beta : Parameter, shape (channels,)
    mean, variance : ndarray of float64, shape (channels,)
        As of the last batch, until inference sets them.
    space : Workspace
    """

    def __init__(self, channels):
        self.gamma = Parameter(np.ones(channels))
        self.beta = Parameter(np.zeros(channels))
        self.mean = np.zeros(channels)
        self.variance = np.ones(channels)
        self.space = Workspace()

    def parameters(self):
        """What the optimiser moves."""
        return [self.gamma, self.beta]

    def set_statistics(self, mean, variance):
        """Fix what `affine` normalises with."""
        self.mean, self.variance = mean, variance

    @property
    def deviation(self):
        """What z - mean is divided by: sqrt(var + 1e-5), float64 (channels,)."""
        return np.sqrt(self.variance + _EPSILON)

    def affine(self):
        """Slope a and offset b, float64 (channels,), of y = a * z + b at inference."""
        slope = self.gamma.value / self.deviation
        return slope, self.beta.value - self.mean * slope

    def moments(self, z, n_images):
        """Sum and sum of squares of each channel, float64 (channels,)."""
        totals = np.zeros((2, len(self.mean)))
        training.channel_moments(z, n_images, self._lanes(np.float64), totals)
        return totals

    def bits(self, z, n_images):
        """Bits at the statistics as they are: int8 (slabs, sites, channels, 64)."""
        bits = self.space.lanes("bits", n_images, *z.shape[1:3], np.int8)
        training.step(z, *self.affine(), n_images, bits)
        return bits

    def forward(self, z, n_images):
        """Take the statistics of the batch; return its bits."""
        count = n_images * z.shape[1]
        self._totals = np.zeros((2, len(self.mean)))  # of other sums, for `backward`
        self.set_statistics(*mean_and_variance(*self.moments(z, n_images), count))
        return self.bits(z, n_images)

    def backward(self, z, gradient, n_images, window):
        """Set the gradients of gamma and beta, and turn the gradient of the bits into that of z.

        To be called after `forward` on the same `z`, and after `through_same_statistics` if there
        are other sums.

        Parameters
        ----------
        z : ndarray
        gradient : ndarray of float32, shape (slabs, sites, channels, 16)
            Changed in place.
        n_images : int
        window : Window
            The surrogate of the step.
        """
        sums, products = self._through_step(z, gradient, window) + self._totals
        deviation = self.deviation
        self.beta.gradient[:] = sums
        self.gamma.gradient[:] = products / deviation
        slope, count = self.gamma.value / deviation, n_images * z.shape[1]
        # the batch's mean and variance depend on z as well, hence two more terms
        along_z = -slope * products / (deviation**2 * count)
        constant = -slope * sums / count
        training.combine(gradient, z, self.mean, slope, along_z, constant, n_images)

    def through_same_statistics(self, z, gradient, window):
        """Turn the gradient of the bits of other sums into that of these sums, in place.

        Other sums than the batch's that are normalised by its statistics. The gradients of mean,
        variance, gamma and beta are kept for the `backward` of the batch.
        """
        self._totals += self._through_step(z, gradient, window)
        gradient *= self.affine()[0].astype(np.float32)[:, None]

    def backward_fixed(self, z, gradient, window):
        """As `backward`, where the statistics are constants and nothing is learned."""
        training.fixed_gradient(gradient, z, *self._normalisation(), *window)

    def _through_step(self, z, gradient, window):
        """Multiply by the window; totals of the result, and of it times (z - mean)."""
        totals, lanes = np.zeros((2, len(self.mean))), self._lanes(np.float32)
        training.window_gradient(gradient, z, *self._normalisation(), *window, lanes, totals)
        return totals

    def _normalisation(self):
        """Mean, slope and shift, float64 (channels,), of y = slope * (z - mean) + shift."""
        return self.mean, self.affine()[0], self.beta.value.astype(np.float64)

    def _lanes(self, dtype):
        """Zeros, to add up each lane of each channel; the kernels leave zeros."""
        return self.space.array("lanes", (2, len(self.mean), FLOATS), dtype)


def mean_and_variance(sums, squares, count):
    """Mean and (biased) variance from the sum and the sum of squares of `count` values."""
    mean = sums / count
    return mean, np.maximum(squares / count - mean**2, 0)
