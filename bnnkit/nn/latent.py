"""The latent network: what is trained, and what is folded into a `BinaryNetwork`."""

import functools
import math

import numpy as np

from bnnkit.kernels.training import from_lanes
from bnnkit.network import BinaryNetwork, Conv2d, Head, fold_head, fold_threshold
from bnnkit.nn.architectures import Dense, plan
from bnnkit.nn.batchnorm import BatchNormStep, mean_and_variance
from bnnkit.nn.bound_decay import for_layers
from bnnkit.nn.layers import ScalarHead, TernaryLayer
from bnnkit.nn.surrogate import window

_CHUNK = 128  # images at a time outside of training


class LatentNetwork:
    """Ternary layers with batch-norm and step, and a head, on levels.

    Parameters
    ----------
    layers : sequence of (Dense or Conv)
    input_shape : tuple of int
        (C, H, W).
    n_classes : int
    n_levels : int
        Inputs are 0 .. n_levels - 1.
    surrogate : "tanh" or "hardtanh"
        What stands in for the derivative of the step.
    surrogate_scale : float
    weights : "binmask", "ternary" or "binary"
    mask_scale : float
        As for `TernaryLayer`.
    mask_decay : float or tuple of float
        As for `TernaryLayer`; a tuple has one for each layer, the head's last.
    rng : numpy.random.Generator

    Attributes
    ----------
    layers : list of TernaryLayer
    norms : list of BatchNormStep
        One a layer.
    head : ScalarHead
    surrogate_scales : list of float
        One a layer.
    """

    def __init__(
        self,
        layers,
        input_shape,
        n_classes,
        *,
        n_levels,
        surrogate,
        surrogate_scale,
        weights,
        mask_scale,
        mask_decay,
        rng,
    ):
        geometries = plan([*layers, Dense(n_classes)], input_shape)
        max_inputs = [n_levels - 1] + [1] * len(layers)
        decays = for_layers(mask_decay, len(geometries))
        *self.layers, last = (
            TernaryLayer(geometry, rng, weights, mask_scale, decay, max_input)
            for geometry, decay, max_input in zip(geometries, decays, max_inputs, strict=True)
        )
        self.norms = [BatchNormStep(layer.geometry.output_shape[2]) for layer in self.layers]
        self.head = ScalarHead(last)
        self.surrogate = surrogate
        self.surrogate_scales = [surrogate_scale] * len(self.layers)

    def parameters(self):
        """What the optimiser moves, in a fixed order."""
        parts = [*self.layers, *self.norms, self.head]
        return [parameter for part in parts for parameter in part.parameters()]

    def refresh(self):
        """Derive the weights from the latents, after a step of the optimiser.

        Raises
        ------
        ValueError
            A layer has no weights left.
        FloatingPointError
            It has none because its parameters have become infinite or NaN.
        """
        for index, layer in enumerate(self.linear_layers()):
            layer.refresh()
            if layer.sparsity < 1:
                continue
            name = f"hidden layer {index + 1}" if index < len(self.layers) else "the head"
            if not layer.is_finite():
                raise FloatingPointError(
                    f"training diverged: {name} has parameters that are no finite numbers; lower "
                    "learning_rate, interval_loss or bound_decay"
                )
            raise ValueError(
                f"{name} has no weights left: all of its {layer.weights.size} are 0 with "
                f"mask_decay={layer.mask_decay:g}; lower mask_decay or the learning rate, "
                "or raise mask_scale (binmask)"
            )

    def sparsities(self):
        """Share of zeros among the weights of each hidden layer, then of the head."""
        return [layer.sparsity for layer in self.linear_layers()]

    def release(self):
        """Give back the memory that batches were computed in; the next one takes it again."""
        self._trace = []
        for part in [*self.layers, *self.norms, self.head.layer]:
            part.space.clear()

    def forward(self, levels):
        """Logits in training: normalised by the batch, and remembered for `backward`.

        No other method may be called in between, since all share their arrays.

        Parameters
        ----------
        levels : ndarray of uint8, shape (N, H, W, C)

        Returns
        -------
        ndarray of float64, shape (N, classes)
        """
        n = self._n_images = len(levels)
        self._trace, x = [], self.layers[0].lanes(levels)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            z = layer.product(x, n)
            self._trace.append((x, z))
            x = norm.forward(z, n)
        z = self.head.sums(x, n)
        self._trace.append((x, z))
        return self.head.logits(z)

    def backward(self, d_logits):
        """Set the gradient of every parameter, given that of the last `forward`'s logits."""
        n = self._n_images
        x, z = self._trace.pop()
        dz, layer = self.head.backward(z, d_logits), self.head.layer
        for index in reversed(range(len(self.layers))):
            layer.weight_gradient(x, dz)
            gradient = layer.input_gradient(dz, n)
            x, z = self._trace.pop()
            layer = self.layers[index]
            dz = gradient.reshape(len(gradient), *z.shape[1:3], -1)
            self.norms[index].backward(z, dz, n, self.window(index))
        layer.weight_gradient(x, dz)

    def logits(self, levels):
        """Logits at inference, in float64: uint8 (N, H, W, C) to (N, classes)."""
        parts = ((self.layers[0].lanes(part), len(part)) for part in _parts(levels))
        return np.concatenate([self._infer(x, n)[0] for x, n in parts])

    def input_gradient(self, levels, loss):
        """Gradient of a loss with respect to the levels, at inference.

        Parameters
        ----------
        levels : ndarray of uint8, shape (N, H, W, C)
        loss : callable
            ``loss(logits, part)`` returns the losses (n,) and the gradient of the logits
            of the images in the slice `part`.

        Returns
        -------
        gradient : ndarray of float32, shape (N, H, W, C)
            Through the steps by their surrogates.
        losses : ndarray of float64, shape (N,)
        """
        gradient, losses = np.empty(levels.shape, np.float32), np.empty(len(levels))
        rows = gradient.reshape(len(levels), -1)
        for start in range(0, len(levels), _CHUNK):
            part = slice(start, start + _CHUNK)
            x, n = self.layers[0].lanes(levels[part]), len(levels[part])
            dx, losses[part] = self.lane_gradient(x, n, functools.partial(loss, part=part))
            from_lanes(dx.reshape(len(dx), rows.shape[1], -1), rows[part])
        return gradient, losses

    def lane_gradient(self, x, n_images, loss, batch_statistics=False):
        """The same for a batch in lanes.

        Parameters
        ----------
        x : ndarray of int8 or int16, shape (slabs, sites, C, lanes)
            As ``layers[0].lanes(levels)`` gives it.
        n_images : int
        loss : callable
            ``loss(logits)`` returns the losses (n_images,) and the gradient of the logits.
        batch_statistics : bool
            Normalise by the statistics of these images, which the batch-norms then keep, as
            if `forward` had seen them. The backward pass takes them as constants.

        Returns
        -------
        gradient : ndarray of float32, shape (slabs, sites, C, 16)
            Zeros beyond the last image; overwritten by the next batch.
        losses : ndarray of float64, shape (n_images,)
        """
        logits, products = self._infer(x, n_images, batch_statistics)
        losses, d_logits = loss(logits)
        return self._input_lanes(products, d_logits, n_images), losses

    def estimate_statistics(self, levels):
        """Fix the statistics of every batch-norm, layer by layer, with the weights as they are.

        Parameters
        ----------
        levels : ndarray of uint8, shape (N, H, W, C)

        Returns
        -------
        list of int
            The hidden layers, from 1, whose bits are the same for all of `levels`.
        """
        parts = [(self.layers[0].lanes(part).copy(), len(part)) for part in _parts(levels)]
        constant = []
        for index, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            moments = [norm.moments(layer.product(x, n), n) for x, n in parts]
            count = len(levels) * math.prod(layer.geometry.output_shape[:2])
            norm.set_statistics(*mean_and_variance(*np.sum(moments, axis=0), count))
            parts = [(norm.bits(layer.product(x, n), n).copy(), n) for x, n in parts]
            ones = sum(bits.sum(axis=(0, 3), dtype=np.int64) for bits, _ in parts)
            if np.isin(ones, (0, len(levels))).all():
                constant.append(index + 1)
        return constant

    def fold(self, quantiser, input_shape):
        """The exact integer network of the same function as `logits`.

        Parameters
        ----------
        quantiser : Quantiser
        input_shape : tuple of int
            (C, H, W).

        Returns
        -------
        BinaryNetwork
        """
        layers = []
        for layer, norm in zip(self.layers, self.norms, strict=True):
            threshold, sense = fold_threshold(*norm.affine())
            geometry = layer.geometry
            window = {"stride": geometry.stride, "padding": geometry.padding}
            layers.append(Conv2d(_channels_first(layer), threshold, sense, **window))
        bias = self.head.bias.value.astype(np.float64)
        scale, bias = fold_head(float(self.head.scale.value[0]), bias)
        head = Head(_channels_first(self.head.layer), scale, bias)
        return BinaryNetwork(quantiser, layers, head, input_shape)

    def linear_layers(self):
        """Hidden layers and the head's."""
        return [*self.layers, self.head.layer]

    def _infer(self, x, n_images, batch_statistics=False):
        """Logits of lanes, and the sums of each layer."""
        products = []
        for layer, norm in zip(self.layers, self.norms, strict=True):
            products.append(layer.product(x, n_images))
            bits = norm.forward if batch_statistics else norm.bits
            x = bits(products[-1], n_images)
        return self.head.logits(self.head.sums(x, n_images)), products

    def _input_lanes(self, products, d_logits, n_images):
        """Lanes of the gradient of the input, the statistics being constants."""
        dz, layer = self.head.z_gradient(d_logits), self.head.layer
        for index in reversed(range(len(self.layers))):
            z, dz = products[index], layer.input_gradient(dz, n_images)
            dz = dz.reshape(len(dz), *z.shape[1:3], -1)
            self.norms[index].backward_fixed(z, dz, self.window(index))
            layer = self.layers[index]
        return layer.input_gradient(dz, n_images)

    def window(self, index):
        """The surrogate of the step of hidden layer `index`."""
        return window(self.surrogate, self.surrogate_scales[index])


def _channels_first(layer):
    """Weights as int8 (O, C, kh, kw)."""
    return layer.weights.transpose(0, 3, 1, 2)


def _parts(x):
    return (x[start : start + _CHUNK] for start in range(0, len(x), _CHUNK))
