"""Networks of random weights, and their float32 twins in torch."""

import functools
import math

import numpy as np
import torch
from torch import nn

from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.nn.architectures import Dense, parse_architecture, plan
from bnnkit.quantiser import Quantiser

SHAPES = {"512-512": (1, 28, 28), "conv-small": (1, 28, 28), "conv-large": (3, 32, 32)}
LAYOUTS = (torch.contiguous_format, torch.channels_last)


def random_network(name, density, step, shape):
    """A network of random ternary weights whose neurons fire for about half of the images.

    Parameters
    ----------
    name : str
        An architecture.
    density : float
        Share of the weights that are not 0; all of them at 1.
    step : float
        Of the quantiser.
    shape : tuple of int
        (C, H, W) of an image.

    Returns
    -------
    BinaryNetwork
    """
    rng, quantiser = np.random.default_rng(0), Quantiser(step)
    layers, mean = [], (quantiser.n_levels - 1) / 2
    *hidden, last = plan([*parse_architecture(name), Dense(10)], shape)
    for geometry in hidden:
        weights = _random_weights(rng, geometry, density)
        threshold = np.rint(weights.sum(axis=(1, 2, 3)) * mean).astype(int)
        sense = rng.choice([-1, 1], len(weights))
        layers.append(Conv2d(weights, threshold, sense, geometry.stride, geometry.padding))
        mean = 0.5
    head = Head(_random_weights(rng, last, density), 1, np.zeros(10, int))
    return BinaryNetwork(quantiser, layers, head, shape)


def _random_weights(rng, geometry, density):
    shape = (geometry.output_shape[2], geometry.input_shape[2], *geometry.kernel)
    return rng.choice([-1, 1], shape) * (rng.random(shape) < density)


def torch_twin(name, shape):
    """The architecture with real weights and ReLU."""
    parts = []
    for geometry in plan([*parse_architecture(name), Dense(10)], shape):
        inputs, outputs = geometry.input_shape[2], geometry.output_shape[2]
        if geometry.output_shape[:2] == (1, 1):
            size = math.prod(geometry.input_shape)
            parts += [nn.Flatten(), nn.Linear(size, outputs), nn.ReLU()]
        else:
            window = (geometry.kernel, geometry.stride, geometry.padding)
            parts += [nn.Conv2d(inputs, outputs, *window), nn.ReLU()]
    return nn.Sequential(*parts[:-1]).eval()


def twin_runs(name, shape, batch):
    """The twin on `batch` images, in each layout: functions without arguments."""
    return [
        inference(torch_twin(name, shape), torch.rand(batch, *shape), layout) for layout in LAYOUTS
    ]


def inference(module, x, layout):
    """A function without arguments: `module` on `x`, both in a layout, without gradients."""
    module, x = module.to(memory_format=layout), x.to(memory_format=layout)
    return torch.inference_mode()(functools.partial(module, x))


def matmul_runs(m, k, n):
    """The float32 product of (m, k) and (k, n), with the second one by rows and by columns."""
    a, b = torch.randn(m, k), torch.randn(k, n)
    return [functools.partial(torch.mm, a, b), functools.partial(torch.mm, a, b.T.contiguous().T)]


def binary_twin(name, shape):
    """The architecture with binary weights and activations, as it is usually written."""
    parts = []
    for geometry in plan(parse_architecture(name), shape):
        inputs, outputs = geometry.input_shape[2], geometry.output_shape[2]
        if geometry.output_shape[:2] == (1, 1):
            size = math.prod(geometry.input_shape)
            linear = _BinaryLinear(size, outputs, bias=False)
            parts += [nn.Flatten(), linear, nn.BatchNorm1d(outputs), _Step()]
        else:
            window = (geometry.kernel, geometry.stride, geometry.padding)
            conv = _BinaryConv2d(inputs, outputs, *window, bias=False)
            parts += [conv, nn.BatchNorm2d(outputs), _Step()]
    return nn.Sequential(*parts, _BinaryLinear(outputs, 10, bias=False), nn.BatchNorm1d(10))


class _Activation(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        return gradient * (x.abs() <= 1)


class _Weight(torch.autograd.Function):  # of latents, which are clipped after each step
    @staticmethod
    def forward(_, latent):
        return latent.sign()

    @staticmethod
    def backward(_, gradient):
        return gradient


class _BinaryLinear(nn.Linear):
    def forward(self, x):
        return nn.functional.linear(x, _Weight.apply(self.weight))


class _BinaryConv2d(nn.Conv2d):
    def forward(self, x):
        return self._conv_forward(x, _Weight.apply(self.weight), None)


class _Step(nn.Module):
    def forward(self, x):
        return _Activation.apply(x)
