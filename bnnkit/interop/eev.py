"""Checkpoints of EEV, and of the studies built on it, without PyTorch.

EEV trains ternary networks (K. Jia and M. Rinard, Efficient Exact Verification of Binarized
Neural Networks, NeurIPS 2020; github: jia-kai/eevbnn). Its blocks are

    weights sign(weight) * [weight_mask >= 0], batch-norm, bit = [. >= 0].

A layer that is "positive" adds the number of its -1 weights to each sum, as if a weight of -1
counted the negated input. A file holds either the parameters alone, by names such as
``features.2.weight``, or the modules too, with strides and the step of the quantiser.
"""

import math
import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bnnkit._checks import simplest_fraction
from bnnkit.interop._torch_files import Module, Tensor, read_object
from bnnkit.network import BinaryNetwork, Conv2d, Head, fold_batch_norm, fold_head
from bnnkit.quantiser import Quantiser

_CLASSES = (
    *("eevbnn.net_bin", "eevbnn.utils", "eevbnn_models", "__main__"),
    *("torch.nn.modules.container", "torch.nn.modules.flatten"),
)
_LINEAR = ("BinLinear", "BinLinearPos", "BinConv2d", "BinConv2dPos")
_EPSILON = 1e-5  # added to the variance, unless the file says otherwise
_STEP = Fraction(1, 10)
_WINDOWS = {4: (2, 1), 3: (1, 1)}  # stride and padding of the kernels of all published networks
_SHAPES = ((1, 28, 28), (3, 32, 32))  # of MNIST and CIFAR-10


@dataclass
class _Block:
    """Weights (int8), window (stride, padding) of convolutions, batch-norm, and a step or none."""

    name: str
    weights: np.ndarray
    positive: bool
    window: tuple | None
    norm: dict | None = None
    fires: bool = False


def load(path, quant_step=None, input_shape=None):
    """Read a checkpoint of EEV as an exact integer network.

    Parameters
    ----------
    path : path-like
        What `torch.save` or `pickle` wrote: a dictionary of parameters or a whole module.
    quant_step : float or Fraction, optional
        Step of the input quantiser. A whole module holds its own; dictionaries of parameters
        do not, and get 0.1 unless you say otherwise.
    input_shape : tuple of int, optional
        (C, H, W); where it is left out, (1, 28, 28) or (3, 32, 32) is taken, whichever fits, and
        (1, 1, features) for dense networks of other sizes.

    Returns
    -------
    BinaryNetwork

    Raises
    ------
    OSError
        There is no such file.
    ValueError
        It is not such a checkpoint, or damaged, or names what no checkpoint needs (which is
        refused unrun); or `quant_step` or `input_shape` does not fit it.

    Notes
    -----
    A dictionary of parameters has no strides: kernels of size 4 have stride 2 and those of size 3
    have stride 1, both padding 1, as in all networks of EEV and the seed study. It does not say
    either which layers are positive: all of them are, as in that study. Thresholds are those of
    the real numbers that the stored float32 values stand for, exactly.

    Examples
    --------
    >>> from bnnkit.interop import eev
    >>> network = eev.load("mnist-mlp.pth", quant_step=0.61)  # doctest: +SKIP
    """
    try:
        found = read_object(path, _CLASSES)
        blocks, stored_step = (_modules if isinstance(found, Module) else _parameters)(found)
        return _network(blocks, _chosen_step(quant_step, stored_step), input_shape)
    except ValueError as error:
        raise ValueError(f"{path} is no checkpoint that can be read: {error}") from error


def _chosen_step(given, stored):
    if given is None:
        return simplest_fraction(stored, "the stored step") if stored is not None else _STEP
    given = simplest_fraction(given, "quant_step")
    if stored is not None and simplest_fraction(stored, "the stored step") != given:
        raise ValueError(f"it was trained with the step {stored}, not {float(given):g}")
    return given


def _modules(root):
    """Blocks and step of a whole module."""
    features = _attribute(_attribute(root, "_modules", dict), "features", Module)
    blocks, step = [], None
    for name, module in _attribute(features, "_modules", dict).items():
        kind = module.name if isinstance(module, Module) else type(module).__name__
        if kind == "InputQuantizer" and not blocks:
            step = _attribute(module, "step", float)
        elif kind in _LINEAR:
            if module.state.get("rounding") is not False and not blocks:
                raise ValueError(f"features.{name} rounds its sums, of pixels that are no integers")
            blocks.append(_linear_block(name, module))
        elif kind == "BatchNormStatsCallbak":
            tensors = _attribute(module, "_parameters", dict) | _attribute(module, "_buffers", dict)
            _add_norm(blocks, name, tensors, module.state.get("eps", _EPSILON))
        elif kind == "Binarize01Act":
            _add_step(blocks, name)
        elif kind != "Flatten":
            raise ValueError(f"its module features.{name} is a {kind}, which is not supported")
    if step is None:
        raise ValueError("it does not quantise its input first")
    return blocks, step


def _linear_block(name, module):
    binarizer = module.state.get("weight_binarizer")
    if getattr(binarizer, "name", None) != "TernaryWeightWithMaskFn":
        raise ValueError(f"the weights of features.{name} are not made ternary by a mask")
    window = None
    if "Conv2d" in module.name:
        window = _window(name, module.state)
    weights = _weights(name, _attribute(module, "_parameters", dict))
    return _Block(name, weights, module.name.endswith("Pos"), window)


def _window(name, state):
    match [state.get(key) for key in ("stride", "padding", "dilation", "groups", "padding_mode")]:
        case [(int(s), int(t)), (int(p), int(q)), (1, 1), 1, "zeros"] if s == t and p == q:
            return s, p
    raise ValueError(f"the convolution features.{name} has a window that is not supported")


def _parameters(tensors):
    """Blocks of a dictionary of parameters, and no step."""
    if not isinstance(tensors, dict):
        raise ValueError(f"it holds a {type(tensors).__name__}, not parameters of a network")
    by_module = {}
    for key, tensor in tensors.items():
        match key.split("."):
            case ["features", index, name] if re.fullmatch("0|[1-9][0-9]{0,3}", index):
                by_module.setdefault(int(index), {})[name] = tensor
            case _:
                raise ValueError(f"it holds {key[:60]!r}, which no network of EEV has")
    blocks = []
    for index, parts in sorted(by_module.items()):
        if "weight_mask" in parts:
            weights = _weights(index, parts)
            window = _WINDOWS.get(weights.shape[-1]) if weights.ndim == 4 else None
            blocks.append(_Block(index, weights, True, window))
        elif "running_var" in parts:
            _add_norm(blocks, index, parts, _EPSILON)
        elif parts.keys() == {"grad_scale"}:
            _add_step(blocks, index)
        else:
            raise ValueError(f"its features.{index} has {sorted(parts)}, which no layer of EEV has")
    return blocks, None


def _attribute(holder, name, kind):
    """A part of a module or dictionary, or an error if it is missing or something else."""
    value = (holder.state if isinstance(holder, Module) else holder).get(name)
    if type(value) is not kind:
        raise ValueError(f"it has no {name} as a network of EEV does")
    return value


def _values(tensors, module, name, shape=None):
    """A tensor's values; `shape` is that of a vector, checked where given."""
    values = _attribute(tensors, name, Tensor).to_numpy()
    if not np.isfinite(values).all():
        raise ValueError(f"features.{module}.{name} has values that are not finite")
    if shape is not None and values.shape != shape:
        raise ValueError(f"features.{module}.{name} has shape {values.shape}, not {shape}")
    return values


def _weights(module, tensors):
    weight, mask = _values(tensors, module, "weight"), _values(tensors, module, "weight_mask")
    if weight.shape != mask.shape or weight.ndim not in (2, 4) or weight.size == 0:
        raise ValueError(
            f"features.{module} has weights {weight.shape} and masks {mask.shape}; "
            "both must be (out, in), or (out, in, height, width)"
        )
    return (np.sign(weight) * (mask >= 0)).astype(np.int8)


def _add_norm(blocks, module, tensors, epsilon):
    if not blocks or blocks[-1].norm is not None:
        raise ValueError(f"the batch-norm features.{module} follows no layer with weights")
    classes = (len(blocks[-1].weights),)
    variance = _values(tensors, module, "running_var")
    if variance.shape not in (classes, (1,)):
        raise ValueError(f"features.{module}.running_var has shape {variance.shape}")
    if type(epsilon) is not float or not 0 <= epsilon < 1 or not (variance + epsilon > 0).all():
        raise ValueError(f"the variance of features.{module} is not above 0")
    blocks[-1].norm = {
        "variance": [Fraction(v) + Fraction(str(epsilon)) for v in variance.tolist()],
        "gamma": _values(tensors, module, "weight", variance.shape).tolist(),
        "beta": _values(tensors, module, "bias", classes).tolist(),
        "mean": _values(tensors, module, "running_mean", classes).tolist(),
    }


def _add_step(blocks, module):
    if not blocks or blocks[-1].norm is None or blocks[-1].fires:
        raise ValueError(f"the activation features.{module} follows no batch-norm")
    blocks[-1].fires = True


def _network(blocks, step, input_shape):
    if len(blocks) < 2 or any(block.norm is None for block in blocks):
        raise ValueError(f"it has {len(blocks)} layers; two or more, each with batch-norm, must be")
    if not all(block.fires for block in blocks[:-1]) or blocks[-1].fires:
        raise ValueError("an activation must follow each layer but the last")
    shape = input_shape = _input_shape(blocks, input_shape)
    quantiser, layers, scale = Quantiser(step), [], step
    for block in blocks[:-1]:
        layers.append(_hidden_layer(block, shape, scale))
        shape, scale = layers[-1].output_shape(shape), 1
    return BinaryNetwork(quantiser, layers, _head(blocks[-1], shape), input_shape)


def _input_shape(blocks, given):
    """The shape (C, H, W) of the image, as given or by the size of the first layer."""
    weights = blocks[0].weights
    if given is not None:
        return tuple(given)
    if weights.ndim == 2:
        features = weights.shape[1]
        fitting = [shape for shape in _SHAPES if math.prod(shape) == features]
        return fitting[0] if fitting else (1, 1, features)
    fitting = [shape for shape in _SHAPES if shape[0] == weights.shape[1]]
    if not fitting:
        raise ValueError(f"its images have {weights.shape[1]} channels; give an input_shape")
    return fitting[0]


def _hidden_layer(block, shape, scale):
    """The Conv2d of bit = [gamma * (scale * z + p - mean) / deviation + beta >= 0]."""
    norm = block.norm
    if len(norm["gamma"]) != len(block.weights):
        raise ValueError(f"features.{block.name} has one scale for all of its outputs")
    mean = _means(block)
    threshold, sense = fold_batch_norm(norm["gamma"], norm["beta"], mean, norm["variance"], scale)
    window = (1, 0)
    if block.weights.ndim == 4:
        window = block.window
        if window is None:
            raise ValueError(f"the stride of features.{block.name} is not known; save the module")
    return Conv2d(_spatial(block, shape), threshold, sense, *window)


def _means(block):
    """Means of the sums without what a positive layer adds to them, as fractions."""
    added = np.zeros(len(block.weights), int)
    if block.positive:
        added = (block.weights < 0).reshape(len(block.weights), -1).sum(axis=1)
    return [Fraction(mean) - int(p) for mean, p in zip(block.norm["mean"], added, strict=True)]


def _spatial(block, shape):
    """Weights (O, C, H, W) of a block whose input has a shape (C, H, W)."""
    weights = block.weights
    if weights.ndim == 2:
        if weights.shape[1] != math.prod(shape):
            raise ValueError(
                f"features.{block.name} takes {weights.shape[1]} inputs, but gets {shape}; "
                "the input_shape or the strides are others"
            )
        weights = weights.reshape(-1, *shape)
    return weights


def _head(block, shape):
    norm = block.norm
    if len(norm["gamma"]) != 1:
        raise ValueError("its last batch-norm has a scale for each class, not one for all")
    a = norm["gamma"][0] / math.sqrt(norm["variance"][0])
    means = np.array([float(mean) for mean in _means(block)])
    scale, bias = fold_head(a, np.array(norm["beta"]) - means * a)
    if block.weights.ndim != 2:
        raise ValueError("its last layer is a convolution, not a dense one")
    return Head(_spatial(block, shape), scale, bias)
