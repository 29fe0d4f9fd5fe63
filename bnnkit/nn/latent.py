"""The latent network: what is trained, and what is folded into a `BinaryNetwork`."""

import numpy as np

from bnnkit.kernels.training import channel_moments
from bnnkit.network import BinaryNetwork, Conv2d, Head, fold_head, fold_threshold
from bnnkit.nn.architectures import Dense, plan
from bnnkit.nn.batchnorm import BatchNormStep, mean_and_variance
from bnnkit.nn.layers import ScalarHead, TernaryLayer

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
    surrogate : callable
        ``surrogate(y, scale)`` stands in for the derivative of the step.
    surrogate_scale : float
    ternary : bool
    mask_scale, mask_decay : float
        As for `TernaryLayer`.
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
        ternary,
        mask_scale,
        mask_decay,
        rng,
    ):
        geometries = plan([*layers, Dense(n_classes)], input_shape)
        max_inputs = [n_levels - 1] + [1] * len(layers)
        *self.layers, last = (
            TernaryLayer(geometry, rng, ternary, mask_scale, mask_decay, max_input)
            for geometry, max_input in zip(geometries, max_inputs, strict=True)
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
        """Derive the weights from the latents, after a step of the optimiser."""
        for layer in [*self.layers, self.head.layer]:
            layer.refresh()

    def forward(self, levels):
        """Logits in training: normalised by the batch, and remembered for `backward`.

        Parameters
        ----------
        levels : ndarray of uint8, shape (N, H, W, C)

        Returns
        -------
        ndarray of float64, shape (N, classes)
        """
        self._trace, x = [], levels
        for layer, norm in zip(self.layers, self.norms, strict=True):
            z = layer.product(x)
            y, bits = norm.forward(z)
            self._trace.append((x, z, y))
            x = bits
        z = self.head.layer.product(x)
        self._trace.append((x, z, None))
        return self.head.logits(z)

    def backward(self, d_logits):
        """Set the gradient of every parameter, given that of the last `forward`'s logits."""
        x, z, _ = self._trace.pop()
        dz = self.head.backward(z, d_logits)
        layer = self.head.layer
        for index in reversed(range(len(self.layers))):
            layer.weight_gradient(x, dz)
            d_bits = layer.input_gradient(dz)
            x, z, y = self._trace.pop()
            dz = self.norms[index].backward(z, d_bits * self._slope(index, y))
            layer = self.layers[index]
        layer.weight_gradient(x, dz)

    def logits(self, levels):
        """Logits at inference, in float64: uint8 (N, H, W, C) to (N, classes)."""
        return np.concatenate([self._infer(part)[0] for part in _parts(levels)])

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
        for start in range(0, len(levels), _CHUNK):
            part = slice(start, start + _CHUNK)
            logits, values = self._infer(levels[part])
            losses[part], d_logits = loss(logits, part)
            dz = self.head.z_gradient(d_logits)
            layer = self.head.layer
            for index in reversed(range(len(self.layers))):
                slope, _ = self.norms[index].affine()
                slope = slope.astype(np.float32) * self._slope(index, values[index])
                dz = layer.input_gradient(dz) * slope
                layer = self.layers[index]
            gradient[part] = layer.input_gradient(dz)
        return gradient, losses

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
        x, constant = levels, []
        for index, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            norm.set_statistics(*_channel_statistics(layer.product(part) for part in _parts(x)))
            bits = [self._bits(index, layer.product(part))[1] for part in _parts(x)]
            x = np.concatenate(bits)
            if np.array_equal(x.min(axis=0), x.max(axis=0)):
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

    def _infer(self, levels):
        """Logits, and for each layer its y as float32."""
        x, values = levels, []
        for index, layer in enumerate(self.layers):
            y, x = self._bits(index, layer.product(x))
            values.append(y.astype(np.float32))
        return self.head.logits(self.head.layer.product(x)), values

    def _bits(self, index, z):
        """Values y = a * z + b at inference, in float64, and their bits."""
        slope, offset = self.norms[index].affine()
        y = slope * z + offset
        return y, (y >= 0).astype(np.uint8)

    def _slope(self, index, y):
        return self.surrogate(y, self.surrogate_scales[index])


def _channels_first(layer):
    """Weights as int8 (O, C, kh, kw)."""
    return layer.weights.transpose(0, 3, 1, 2).astype(np.int8)


def _parts(x):
    return (x[start : start + _CHUNK] for start in range(0, len(x), _CHUNK))


def _channel_statistics(products):
    """Mean and variance of each channel over all images and positions of several products."""
    sums = squares = count = 0
    for z in products:
        rows = z.reshape(-1, z.shape[3])
        part_sums, part_squares = channel_moments(rows)
        sums, squares, count = sums + part_sums, squares + part_squares, count + len(rows)
    return mean_and_variance(sums, squares, count)
