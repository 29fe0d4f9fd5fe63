"""Linear layers with ternary weights that are learned through real-valued latents.

Every layer is a convolution on (N, H, W, C); a dense one has the whole input as kernel.
Inputs are uint8: the levels of an image for the first layer, bits for all others. Bits
are multiplied packed, by XNOR and popcount; levels, and everything in the backward pass,
by BLAS on float32 patches.
"""

import math

import numpy as np

from bnnkit.kernels import pack_bits, pack_ternary, patches, ternary_product
from bnnkit.kernels.training import add_patches, straight_through, ternarise
from bnnkit.nn.optim import Parameter

LATENT_SCALE = 0.01  # standard deviation of the initial latents: a few steps of Adam
_CHUNK = 1 << 20  # patch values at a time, so that they stay in the cache
_EXACT = 1 << 24  # float32 holds every integer up to here


class TernaryLayer:
    """Weights sign(latent) * [mask >= 0] with sign(0) = +1, and their products.

    The mask is what makes a weight 0 (BinMask; Jia & Rinard, 2020). Both arrays receive
    straight-through gradients and are kept in [-1, 1].

    Parameters
    ----------
    geometry : Geometry
    rng : numpy.random.Generator
    ternary : bool
        Without it there is no mask and weights are -1 or +1.
    mask_scale : float
        Initial masks are the absolute values of a normal distribution of this deviation.
    mask_decay : float
        Added to the gradient of the mask of every weight in use; pulls weights to 0.
    max_input : int
        Largest value of the input: 1 for bits, else the highest level.

    Attributes
    ----------
    latent, mask : Parameter, shape (O, kh, kw, C)
        Binary weights have a mask of zeros that is not learned.
    weights : ndarray of float32, shape (O, kh, kw, C)
        As of the last `refresh`.
    """

    def __init__(self, geometry, rng, ternary, mask_scale, mask_decay, max_input=1):
        shape = (geometry.output_shape[2], *geometry.kernel, geometry.input_shape[2])
        fan_in = math.prod(shape[1:])
        if fan_in * max_input > _EXACT:
            raise ValueError(
                f"a layer with {fan_in} inputs of up to {max_input} each can sum to more than "
                f"{_EXACT}, where float32 stops being exact; use fewer inputs or a larger "
                "quant_step"
            )
        self.geometry = geometry
        self.ternary = ternary
        self.mask_decay = np.float32(mask_decay)
        self.takes_bits = max_input == 1
        self.latent = Parameter(rng.normal(0, LATENT_SCALE, shape), limit=1)
        mask = np.abs(rng.normal(0, mask_scale, shape)) if ternary else np.zeros(shape)
        self.mask = Parameter(mask, limit=1)
        self.weights = np.empty(shape, np.float32)
        self.refresh()

    def parameters(self):
        """What the optimiser moves."""
        return [self.latent, self.mask] if self.ternary else [self.latent]

    @property
    def _matrix(self):
        return self.weights.reshape(len(self.weights), -1)

    def refresh(self):
        """Derive the weights from the latents, after these have changed."""
        ternarise(*map(np.ravel, (self.latent.value, self.mask.value, self.weights)))
        if self.takes_bits:
            outputs, kh, kw, channels = self.weights.shape
            self._packed = pack_ternary(self.weights.reshape(outputs, kh * kw, channels))

    def product(self, x):
        """Exact sums of weight * input: uint8 (N, H, W, C) to int32 (N, OH, OW, O)."""
        z = np.empty((len(x), *self.geometry.output_shape), np.int32)
        rows = z.reshape(-1, z.shape[3])
        if self.takes_bits:
            n, height, width, channels = x.shape
            words = pack_bits(x.reshape(-1, 1, channels)).reshape(n, height, width, -1)
            rows[:] = ternary_product(self._patches(words), self._packed)
            return z
        for part in self._chunks(len(x)):
            product = self._patches(x[part]).astype(np.float32) @ self._matrix.T
            z[part] = product.reshape(z[part].shape)
        return z

    def weight_gradient(self, x, dz):
        """Set the gradients of the parameters from input `x` and the gradient `dz` of z."""
        total = np.zeros_like(self._matrix)
        for part in self._chunks(len(x)):
            total += self._rows(dz[part]).T @ self._patches(x[part]).astype(np.float32)
        latent, mask = self.latent, self.mask
        arrays = (total, latent.value, mask.value, latent.gradient, mask.gradient)
        straight_through(*map(np.ravel, arrays), self.mask_decay)

    def input_gradient(self, dz):
        """Gradient of the input: float32 (N, OH, OW, O) to float32 (N, H, W, C)."""
        geometry, (kh, kw) = self.geometry, self.geometry.kernel
        n = len(dz)
        if geometry.output_shape[:2] == (1, 1) and not geometry.padding:
            return (self._rows(dz) @ self._matrix).reshape(n, *geometry.input_shape)
        total = np.zeros((n, *geometry.input_shape), np.float32)
        for part in self._chunks(n):
            gradient = self._rows(dz[part]) @ self._matrix
            gradient = gradient.reshape(*dz[part].shape[:3], kh, kw, -1)
            add_patches(gradient, kh, kw, geometry.stride, geometry.padding, total[part])
        return total

    def _patches(self, x):
        return patches(x, self.geometry.kernel, self.geometry.stride, self.geometry.padding)

    def _rows(self, dz):
        return dz.reshape(-1, dz.shape[3])

    def _chunks(self, n_images):
        rows, columns, _ = self.geometry.output_shape
        size = max(1, _CHUNK // (rows * columns * self._matrix.shape[1]))
        return [slice(start, start + size) for start in range(0, n_images, size)]


class ScalarHead:
    """The layer of classes: logits = scale * z + bias with one learned scale.

    A scale shared by the classes keeps the order of the integer sums, so that folding
    leaves small integers.

    Parameters
    ----------
    layer : TernaryLayer
        With one output a class.
    """

    def __init__(self, layer):
        self.layer = layer
        n_inputs = math.prod(layer.weights.shape[1:])
        self.scale = Parameter(np.array([1 / math.sqrt(n_inputs)]))
        self.bias = Parameter(np.zeros(len(layer.weights)))

    def parameters(self):
        """What the optimiser moves."""
        return [*self.layer.parameters(), self.scale, self.bias]

    def logits(self, z):
        """int32 (N, 1, 1, classes) to float64 (N, classes)."""
        z = z.reshape(len(z), -1).astype(np.float64)
        return float(self.scale.value[0]) * z + self.bias.value.astype(np.float64)

    def backward(self, z, d_logits):
        """Set the gradients of scale and bias; return that of z, float32 (N, 1, 1, classes)."""
        self.scale.gradient[0] = np.sum(d_logits * z.reshape(d_logits.shape))
        self.bias.gradient[:] = d_logits.sum(axis=0)
        return self.z_gradient(d_logits)

    def z_gradient(self, d_logits):
        """Gradient of z, float32 (N, 1, 1, classes)."""
        return (d_logits * float(self.scale.value[0])).astype(np.float32)[:, None, None, :]
