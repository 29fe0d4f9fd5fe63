"""Random networks in EEV's form, their files, and their meaning by definition."""

import itertools
from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
from helpers import plain_conv
from interop import torch_files
from interop.torch_files import Tensor, module

EPSILON = Fraction(1, 10**5)


@dataclass
class Layer:
    """Parameters as they are stored, all float32."""

    weight: np.ndarray
    mask: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    mean: np.ndarray
    var: np.ndarray
    window: tuple = (1, 0)
    positive: bool = True

    @property
    def ternary(self):
        signs = (self.weight > 0).astype(int) - (self.weight < 0)
        return signs * (self.mask >= 0)


def random_layer(rng, shape, window=(1, 0), positive=True, head=False, scale=1.0):
    """Weights with zeros, masks of both signs and 0, means near the sums, so that bits differ."""
    n = shape[0]
    weight = rng.normal(0, 0.01, shape) * (rng.random(shape) < 0.9)
    mask = rng.normal(0.005, 0.01, shape) * (rng.random(shape) < 0.8)
    weight[0] *= rng.random() < 0.8  # a row without weights, now and then
    gamma = rng.choice([-1.5, 1, 0.25, 2], 1 if head else n)
    if not head:
        gamma[rng.random(n) < 0.1] = 0
    ternary = (np.sign(weight) * (mask >= 0)).reshape(n, -1)
    half = 5 * scale if scale < 1 else 0.5  # of the largest input
    spread = scale * np.sqrt(ternary.shape[1])
    mean = (ternary < 0).sum(axis=1) * positive + half * ternary.sum(axis=1)
    noise = rng.normal(0, spread / 4, n) * (not head)
    mean = np.rint((mean + noise) / 0.05) * 0.05  # ties
    beta = rng.choice([0, 0, 0.125, -0.125], n)
    var = rng.uniform(0.1, 2, gamma.shape) * spread**2
    numbers = (np.asarray(a, np.float32) for a in (weight, mask, gamma, beta, mean, var))
    return Layer(*numbers, window, positive)


def random_layers(rng, kind, positive=True):
    """Layers of a network on images (1, 8, 8), dense or with two convolutions."""
    if kind == "dense":
        sizes = [64, 7, 12, 4]
        shapes = [(n, m) for m, n in itertools.pairwise(sizes)]
        windows = [(1, 0)] * 3
    else:
        shapes = [(3, 1, 4, 4), (4, 3, 3, 3), (12, 64), (4, 12)]
        windows = [(2, 1), (1, 1), (1, 0), (1, 0)]
    last = len(shapes) - 1
    return [
        random_layer(rng, shape, window, positive, i == last, 0.1 if i == 0 else 1)
        for i, (shape, window) in enumerate(zip(shapes, windows, strict=True))
    ]


def plain_class(layers, levels, step):
    """The class of levels (1, 8, 8) by EEV's definition, and the lead of the best over the next.

    Bits are decided in rational numbers, logits are computed with 60 digits.
    """
    x, unit = levels.astype(np.int64), step
    for layer in layers:
        weights = layer.ternary
        if weights.ndim == 2:
            x = x.reshape(-1, 1, 1)
            weights = weights[:, :, None, None]
        stride, padding = layer.window
        z = plain_conv(x, weights, stride, padding)
        added = (weights < 0).sum(axis=(1, 2, 3)) * layer.positive
        if layer is layers[-1]:
            break
        columns = (getattr(layer, n).tolist() for n in ("gamma", "beta", "mean", "var"))
        bits = [
            [fires(unit * int(v) + int(p), *column) for v in values.ravel()]
            for values, p, *column in zip(z, added, *columns, strict=True)
        ]
        x, unit = np.array(bits, np.int64).reshape(z.shape), 1
    with localcontext() as context:
        context.prec = 60
        factor = (
            Decimal(float(layer.gamma[0])) / decimal(Fraction(layer.var.item()) + EPSILON).sqrt()
        )
        logits = [
            factor * (int(v) + int(p) - Decimal(m)) + Decimal(b)
            for v, p, m, b in zip(
                z[:, 0, 0], added, layer.mean.tolist(), layer.beta.tolist(), strict=True
            )
        ]
    best = max(range(len(logits)), key=lambda i: (logits[i], -i))
    lead = min(logits[best] - logit for i, logit in enumerate(logits) if i != best)
    return best, lead / abs(factor)


def fires(total, gamma, beta, mean, var):
    """Whether gamma * (total - mean) / sqrt(var + eps) + beta >= 0, by squares."""
    left = Fraction(gamma) * (total - Fraction(mean))  # >= -beta * deviation?
    square = Fraction(beta) ** 2 * (Fraction(var) + EPSILON)
    right = -square if beta > 0 else square  # of the same order as -beta * deviation
    signed = left * left if left >= 0 else -left * left
    return signed >= right


def decimal(fraction):
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


def parameters(layers):
    """The dictionary of parameters of a network, as `state_dict` gives it."""
    state, index = OrderedDict(), 1
    first_dense = next(layer for layer in layers if layer.weight.ndim == 2)
    for layer in layers:
        index += layer is first_dense  # the place of Flatten
        names = {"weight": layer.weight, "weight_mask": layer.mask}
        state |= {f"features.{index}.{name}": Tensor(a, False) for name, a in names.items()}
        names = {"weight": layer.gamma, "bias": layer.beta}
        names |= {"running_var": layer.var, "running_mean": layer.mean}
        state |= {f"features.{index + 1}.{name}": Tensor(a, False) for name, a in names.items()}
        if layer is not layers[-1]:
            state[f"features.{index + 2}.grad_scale"] = Tensor(1.0, False)
        index += 3
    return state


def whole_module(modules, layers, step):
    """The module tree of a network."""
    root = module(modules, "Model3")
    parts = [module(modules, "InputQuantizer", step=step)]
    for layer in layers:
        kind = "BinConv2d" if layer.weight.ndim == 4 else "BinLinear"
        if kind == "BinLinear" and not any(type(p).__name__ == "Flatten" for p in parts):
            parts.append(module(modules, "Flatten"))
        stride, padding = layer.window
        parts.append(
            module(
                modules,
                kind + ("Pos" if layer.positive else ""),
                _parameters={"weight": Tensor(layer.weight), "weight_mask": Tensor(layer.mask)},
                weight_binarizer=modules["eevbnn.net_bin"].TernaryWeightWithMaskFn,
                rounding=False,
                **{"stride": (stride, stride), "padding": (padding, padding)},
                **{"dilation": (1, 1), "groups": 1, "padding_mode": "zeros"},
            )
        )
        parts.append(
            module(
                modules,
                "BatchNormStatsCallbak",
                owner=root,
                eps=1e-5,
                _parameters={"weight": Tensor(layer.gamma), "bias": Tensor(layer.beta)},
                _buffers={
                    "running_var": Tensor(layer.var, False),
                    "running_mean": Tensor(layer.mean, False),
                },
            )
        )
        if layer is not layers[-1]:
            parts.append(module(modules, "Binarize01Act", _buffers={"grad_scale": Tensor(1.0)}))
    chain = module(modules, "Sequential", _modules={str(i): p for i, p in enumerate(parts)})
    root._modules["features"] = chain
    return root


def write(layers, form, step=0.1):
    """The bytes of a file of one of several forms."""
    with torch_files.stand_ins() as modules:
        made = whole_module(modules, layers, step) if "module" in form else parameters(layers)
        container = form.split()[0]
        return getattr(torch_files, container)(made)
