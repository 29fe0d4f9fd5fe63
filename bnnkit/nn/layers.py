"""Linear layers with ternary weights that are learned through real-valued latents.

Every layer is a convolution; a dense one has a single position, at which it sees all of its
input. Inputs are the levels of an image for the first layer, bits for all others. Activations
and gradients are *lanes*, and products are made by table look-up: `bnnkit.kernels.russians`
explains both. Where few weights are left, products are made from lists of them instead:
`WeightLists` says where.
"""

import copy
import math

import numpy as np

from bnnkit.kernels import training
from bnnkit.kernels.codes import code_bits, code_inputs, code_outputs, n_words
from bnnkit.kernels.gradients import lanes_by_bits, lanes_by_lanes
from bnnkit.kernels.links import links
from bnnkit.kernels.russians import weights_by_lanes
from bnnkit.nn.lanes import Workspace
from bnnkit.nn.lists import WeightLists, weights_in_use
from bnnkit.nn.optim import Parameter

WEIGHTS = ("binmask", "ternary", "binary")
LATENT_SCALE = 0.01  # standard deviation of the initial latents: a few steps of Adam
_LEAST = np.float32(0.005)  # of the absolute latent of a weight in use, without a mask
_EXACT = 1 << 24  # float32 holds every integer up to here
_SHORT = 1 << 15  # int16 every one below


class TernaryLayer:
    """Weights made of latents by one of three quantisers, and their products.

    ============ ================================== =============================
    "binmask"    sign(latent) * [mask >= 0]         BinMask (Jia & Rinard, 2020)
    "ternary"    sign(latent) * [|latent| >= 0.005] one array decides sign and zero
    "binary"     sign(latent)                       no zeros
    ============ ================================== =============================

    sign(0) = +1. Latents and masks receive straight-through gradients and are kept in
    [-1, 1]. What the methods return is overwritten by the next batch.

    Parameters
    ----------
    geometry : Geometry
    rng : numpy.random.Generator
    weights : "binmask", "ternary" or "binary"
    mask_scale : float
        Initial masks are the absolute values of a normal distribution of this deviation.
    mask_decay : float
        Pulls every weight in use to 0: "binmask" adds it to the gradient of the mask,
        "ternary" adds mask_decay * sign(latent) to that of the latent.
    max_input : int
        Largest value of the input: 1 for bits, else the highest level.

    Attributes
    ----------
    latent, mask : Parameter, shape (O, kh, kw, C)
        Only "binmask" has a mask.
    weights : ndarray of int8, shape (O, kh, kw, C)
        As of the last `refresh`.
    space : Workspace
    """

    def __init__(self, geometry, rng, weights, mask_scale, mask_decay, max_input=1):
        shape = (geometry.output_shape[2], *geometry.kernel, geometry.input_shape[2])
        fan_in = math.prod(shape[1:])
        if fan_in * max_input > _EXACT:
            raise ValueError(
                f"a layer with {fan_in} inputs of up to {max_input} each can sum to more than "
                f"{_EXACT}, where float32 stops being exact; use fewer inputs or a larger "
                "quant_step"
            )
        self.geometry = geometry
        self.quantiser = weights
        self.mask_decay = np.float32(mask_decay)
        self.takes_bits, self._max_input = max_input == 1, max_input
        self.latent = Parameter(rng.normal(0, LATENT_SCALE, shape), limit=1)
        if weights == "binmask":
            self.mask = Parameter(np.abs(rng.normal(0, mask_scale, shape)), limit=1)
        self.weights = np.empty(shape, np.int8)
        self._base = 2 if weights == "binary" else 3
        self._plan_sites()
        self.space = Workspace()
        self.refresh()

    def twin(self, space, absolute=False):
        """The layer with the weights that it has now, or their absolute values, in other arrays.

        Parameters
        ----------
        space : Workspace
        absolute : bool
        """
        twin = copy.copy(self)
        twin.space = space
        if absolute:
            twin.weights = np.abs(self.weights)
            twin._coded_outputs = twin._coded_inputs = twin._found = None
            twin._output_lists = copy.copy(self._output_lists)
            twin._input_lists = copy.copy(self._input_lists)
        return twin

    def parameters(self):
        """What the optimiser moves."""
        return [self.latent, self.mask] if self.quantiser == "binmask" else [self.latent]

    def refresh(self):
        """Derive the weights from the latents, after these have changed."""
        latent, weights = self.latent.value.reshape(-1), self.weights.reshape(-1)
        if self.quantiser == "binmask":
            self._in_use = training.masked_signs(latent, self.mask.value.reshape(-1), weights)
        elif self.quantiser == "ternary":
            self._in_use = training.large_signs(latent, _LEAST, weights)
        else:
            training.signs(latent, weights)
            self._in_use = weights.size
        self._coded_outputs = self._coded_inputs = self._found = None

    def is_finite(self):
        """Whether all parameters are numbers."""
        return all(np.isfinite(parameter.value).all() for parameter in self.parameters())

    @property
    def sparsity(self):
        """Share of the weights that are 0."""
        return 1 - self._in_use / self.weights.size

    def lanes(self, levels):
        """Lanes of the input: uint8 (N, H, W, C) to int8 (bits) or int16 (levels)."""
        dtype = np.int8 if self.takes_bits else np.int16
        x = self.space.lanes("x", len(levels), self._sites, self._channels, dtype)
        rows = levels.reshape(len(levels), -1)
        training.to_lanes(rows, x.reshape(len(x), rows.shape[1], -1))
        return x

    def product(self, x, n_images):
        """Exact sums of weight * input.

        Parameters
        ----------
        x : ndarray of int8, shape (slabs, sites, C, 64), or of int16, shape (..., 32)
            From `lanes`, or the bits of the layer before.
        n_images : int

        Returns
        -------
        ndarray of int16 or int32, shape (slabs, OH * OW, O, 64 or 32)
        """
        short = self.weights[0].size * self._max_input < _SHORT
        rows, columns, outputs = self.geometry.output_shape
        sites, dtype = rows * columns, np.int16 if short else np.int32
        z = self.space.lanes("z", n_images, sites, outputs, dtype, x.shape[-1])
        x = self._shaped(x)
        if self._in_use <= self._output_lists.most:
            return self._add_up(x, z, self._output_lists, n_images)
        return self._look_up(x, z, self._output_codes(), self._forward, n_images)

    def weight_gradient(self, x, dz):
        """Set the gradients of the parameters from input `x` and the gradient `dz` of z.

        `dz` is float32 (slabs, OH * OW, O, 16).
        """
        self.outer(x, dz, self.latent.gradient)
        self._through_quantiser()

    def add_weight_gradient(self, gradient):
        """Add to the gradients of the parameters that of the weights, float32 (O, kh, kw, C).

        `gradient` is changed.
        """
        if self.quantiser == "binmask":
            of_mask = self.space.array("of mask", gradient.shape, np.float32)
            arrays = gradient, self.latent.value, self.mask.value, of_mask
            training.straight_through(*(a.reshape(-1) for a in arrays), np.float32(0))
            self.mask.gradient += of_mask
        self.latent.gradient += gradient

    def outer(self, x, dz, gradient):
        """Write the products of `dz` with `x` to float32 `gradient` (O, kh, kw, C)."""
        x, gradient = self._shaped(x), gradient.reshape(len(self.weights), -1)
        tile = self.space.array("tile", (64, 16), np.float32)
        block = self.space.array("block", (-(-gradient.shape[1] // 16) * 16, 16), np.float32)
        if self.takes_bits:
            codes = self.space.array("codes", (*x.shape[:3], 16), np.uint8)
            code_bits(x.reshape(-1, 64), codes.reshape(-1, 16))
            table, codes = self.space.table(np.float32), codes.view(np.uint64)
            lanes_by_bits(dz, codes, self._backward, table, tile, block, gradient)
        else:
            real = self.space.lanes("real", 16 * len(dz), *x.shape[1:3], np.float32)
            training.to_floats(x, real)
            lanes_by_lanes(dz, real, self._backward, tile, block, gradient)

    def input_gradient(self, dz, n_images):
        """Gradient of the input: float32 (slabs, OH * OW, O, 16) to (slabs, sites, C, 16)."""
        dx = self.space.lanes("dx", n_images, self._sites, self._channels, np.float32)
        if self._in_use <= self._input_lists.most:
            return self._add_up(dz, dx, self._input_lists, n_images)
        return self._look_up(dz, dx, self._input_codes(), self._backward, n_images)

    def _through_quantiser(self):
        """Turn the gradient of the weights, which the latents hold, into that of the parameters."""
        latent = self.latent
        if self.quantiser == "binmask":
            arrays = (latent.gradient, latent.value, self.mask.value, self.mask.gradient)
            training.straight_through(*(a.reshape(-1) for a in arrays), self.mask_decay)
        elif self.quantiser == "ternary" and self.mask_decay:
            latent.gradient += self.mask_decay * self.weights

    def _add_up(self, x, y, lists, n_images):
        if self._found is None:
            self._found = weights_in_use(self._tapped(), self._in_use)
        lists.product(self._found, x, n_images, y)
        return y

    def _look_up(self, x, y, codes, ways, n_images):
        table = self.space.table(x.dtype.type)
        weights_by_lanes(x, *codes, self._base, ways, n_images, table, y)
        return y

    def _plan_sites(self):
        """Give a dense layer a single site, and link the sites of a convolution."""
        (height, width, channels), kernel = self.geometry.input_shape, self.geometry.kernel
        if kernel == (height, width) and not self.geometry.padding:
            height, width, channels, kernel = 1, 1, height * width * channels, (1, 1)
        self._sites, self._channels = height * width, channels
        window = (kernel, self.geometry.stride, self.geometry.padding)
        self._forward, self._backward = links((height, width), *window)
        shape, positions = self._tapped().shape, math.prod(self.geometry.output_shape[:2])
        self._output_lists = WeightLists(shape, self._backward, self._sites, False, self._base)
        self._input_lists = WeightLists(shape, self._forward, positions, True, self._base)

    def _tapped(self):
        """The weights as (O, taps, C), with the channels of a site."""
        return self.weights.reshape(len(self.weights), -1, self._channels)

    def _shaped(self, x):
        """Lanes of the layer before, (slabs, sites, channels, L), with the sites of this one."""
        return x.reshape(len(x), self._sites, self._channels, -1)

    def _output_codes(self):
        """Codes of the weights in groups of inputs, and the steps between their words."""
        if self._coded_outputs is None:
            weights = self._tapped()
            outputs, taps, channels = weights.shape
            words = n_words(channels, self._base)
            codes = self.space.array("output codes", (outputs, taps, 8 * words), np.uint8)
            code_outputs(weights, self._base, codes)
            self._coded_outputs = codes.view(np.uint64).reshape(-1), (words, taps * words, 1)
        return self._coded_outputs

    def _input_codes(self):
        """The same in groups of outputs."""
        if self._coded_inputs is None:
            weights = self.weights.reshape(len(self.weights), -1)
            words = n_words(len(weights), self._base)
            codes = self.space.array("input codes", (words, weights.shape[1]), np.uint64)
            code_inputs(weights, self._base, codes)
            self._coded_inputs = codes.reshape(-1), (self._channels, 1, weights.shape[1])
        return self._coded_inputs


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

    def sums(self, x, n_images):
        """Lanes of bits to int64 (N, classes)."""
        return self.rows(self.layer.product(x, n_images), n_images)

    def rows(self, z, n_images):
        """Lanes of sums to int64 (N, classes)."""
        return z.transpose(0, 3, 1, 2).reshape(-1, z.shape[2])[:n_images].astype(np.int64)

    def logits(self, z):
        """Sums (N, classes) to float64 (N, classes)."""
        return float(self.scale.value[0]) * z + self.bias.value.astype(np.float64)

    def backward(self, z, d_logits):
        """Set the gradients of scale and bias; return that of z as `z_gradient` does."""
        self.scale.gradient[0] = np.sum(d_logits * z)
        self.bias.gradient[:] = d_logits.sum(axis=0)
        return self.z_gradient(d_logits)

    def z_gradient(self, d_logits):
        """Gradient of z: float64 (N, classes) to float32 lanes (slabs, 1, classes, 16)."""
        n_images, classes = d_logits.shape
        rows = np.zeros((64 * -(-n_images // 64), classes), np.float32)
        rows[:n_images] = d_logits * float(self.scale.value[0])
        dz = rows.reshape(-1, 16, classes).transpose(0, 2, 1)
        return np.ascontiguousarray(dz)[:, None]
