"""From an ONNX graph to a network: walk through its nodes, then put the layers together."""

import math
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from bnnkit._checks import simplest_fraction
from bnnkit.interop.onnx.constants import MOST_BYTES, fold
from bnnkit.interop.onnx.graph import as_node, read_graph
from bnnkit.interop.onnx.operators import apply
from bnnkit.interop.onnx.symbols import Bits, Input, Sums, Tensor
from bnnkit.interop.onnx.writing import RANGE_KEY, STEP_KEY, quantiser_nodes
from bnnkit.network import BinaryNetwork, Head, RealNetwork
from bnnkit.quantiser import Quantiser

_LARGEST_SCORE = 2**60
_IMAGE_CHANNELS = (1, 3, 4)


class Imported(NamedTuple):
    """What an ONNX file holds.

    Attributes
    ----------
    network : BinaryNetwork or RealNetwork
    order : ndarray of int64, shape (C * H * W,)
        Pixel k of the network, in (C, H, W) order, is number ``order[k]`` of the file's input, in
        the row-major order that VNN-LIB's ``X_0, X_1, ...`` have.
    unit : Fraction or None
        The file's output is the network's scores times `unit`. None if a softmax or the like
        follows, or where scores are rounded (in which case every comparison of two of them is
        still exact).

    Examples
    --------
    >>> import tempfile
    >>> import bnnkit
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bnnkit.interop.onnx.save(bnnkit.zoo.load("mnist-mlp-eps0.1"), f"{folder}/network.onnx")
    ...     imported = bnnkit.interop.onnx.read(f"{folder}/network.onnx")
    >>> imported.order.shape, imported.unit
    ((784,), Fraction(1, 1))
    """

    network: BinaryNetwork | RealNetwork
    order: np.ndarray
    unit: Fraction | None


def read(path, quant_step=None, input_shape=None, input_range=None):
    """Read an ONNX file.

    Parameters
    ----------
    path, quant_step, input_shape, input_range
        As of `load`.

    Returns
    -------
    Imported

    Examples
    --------
    >>> import tempfile
    >>> import bnnkit
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bnnkit.interop.onnx.save(network, f"{folder}/network.onnx")
    ...     network, order, unit = bnnkit.interop.onnx.read(f"{folder}/network.onnx")
    >>> network.input_shape, order[:3].tolist(), unit
    ((1, 28, 28), [0, 1, 2], Fraction(1, 1))
    """
    try:
        graph = read_graph(path)
        if input_range is None and RANGE_KEY in graph.metadata:
            input_range = [_fraction(text) for text in graph.metadata[RANGE_KEY].split(" ")]
        source = _input(graph.input_shape, input_shape, input_range, quant_step)
        return _imported(_walk(graph, source))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    except MemoryError:
        raise ValueError(f"{path}: needs more memory than there is") from None


def _fraction(text):
    """A Fraction of the metadata, "3/2" or "3"; no "1e999999", which would be written out."""
    if len(text) > 100 or "e" in text.lower():
        raise ValueError(f"the metadata has {text[:100]!r}, which is no fraction")
    return Fraction(text)


def _input(shape, wanted, input_range, quant_step):
    """The Input of a graph, with the layout that its shape suggests; a convolution may change it.

    Images of three axes are (H, W, C) if only the last of them is a number of channels.
    """
    size = math.prod(shape)
    order = np.arange(size)
    last_is_channel = len(shape) == 3 and shape[2] in _IMAGE_CHANNELS
    if wanted is not None:
        if math.prod(wanted) != size:
            raise ValueError(f"input_shape {tuple(wanted)} does not fit an input of shape {shape}")
        shape = tuple(wanted)
    elif last_is_channel and shape[0] not in _IMAGE_CHANNELS:
        order = order.reshape(shape).transpose(2, 0, 1).ravel()
        shape = (shape[2], *shape[:2])
    shape = (1,) * (3 - len(shape)) + shape
    pixels = None if input_range is None else _pixels(input_range)
    quantiser = None if quant_step is None else Quantiser(quant_step)
    return Input(shape, order, pixels, quantiser)


def _pixels(input_range):
    pixels = tuple(simplest_fraction(value, "input_range") for value in input_range)
    if len(pixels) != 2 or pixels[0] >= pixels[1]:
        raise ValueError(f"input_range must be (lowest, highest), got {tuple(map(str, pixels))}")
    return pixels


def _walk(graph, source):
    """The Tensor of the graph's output."""
    places = np.empty_like(source.order)
    places[source.order] = np.arange(len(places))
    index = places.reshape(1, *graph.input_shape)
    image = Tensor(source, index)
    if source.quantiser is not None:  # the file reads levels times the step
        image = replace(image, scale=np.array(source.quantiser.step, object))
    values, nodes = graph.constants | {graph.input: image}, graph.nodes
    if STEP_KEY in graph.metadata:
        nodes = _skip_quantiser(graph, image, values)
    room = MOST_BYTES
    for node in nodes:
        room -= _evaluate(node, values, room)
    if not isinstance(values.get(graph.output), Tensor):
        raise ValueError(f"the output {graph.output!r} does not depend on the input")
    return values[graph.output]


def _skip_quantiser(graph, image, values):
    """Put the levels into `values` that the first nodes of our own files make; the other nodes.

    The metadata has the step, and the nodes must be what `save` writes for it.
    """
    from onnx import numpy_helper

    quantiser = Quantiser(_fraction(graph.metadata[STEP_KEY]))
    ours = quantiser_nodes(quantiser)
    n = len(ours.nodes)
    same = graph.nodes[:n] == [as_node(node, 0) for node in ours.nodes] and all(
        np.array_equal(values.get(tensor.name), numpy_helper.to_array(tensor))
        for tensor in ours.constants
    )
    if not same:
        raise ValueError(
            f"the metadata has the step {quantiser.step}, but the graph does not begin with its "
            "levels; remove the metadata or save the network anew"
        )
    values[ours.last] = replace(image, source=replace(image.source, quantiser=quantiser))
    return graph.nodes[n:]


def _evaluate(node, values, room):
    """Put a node's result into `values`; the bytes that it takes of the `room` for constants."""
    try:
        operands = [values[name] if name else None for name in node.inputs]
    except KeyError as error:
        raise ValueError(f"{node}: reads {error}, which nothing before it makes") from None
    if node.op == "Constant":
        result = _constant(node)
    else:
        folded = not any(isinstance(x, Tensor) for x in operands)
        try:
            result = fold(node, operands, room) if folded else apply(node, operands)
        except (ValueError, TypeError, IndexError, ArithmeticError, AttributeError) as error:
            raise ValueError(f"{node}: {error}") from None
        except KeyError as error:
            raise ValueError(f"{node}: {error} is missing") from None
    for name in node.outputs[:1]:
        if name in values:
            raise ValueError(f"{node}: makes {name!r}, which is there already")
        values[name] = result
    return result.nbytes if isinstance(result, np.ndarray) else 0


def _constant(node):
    for kind in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if kind in node.attributes:
            dtype = {"value_float": np.float32, "value_floats": np.float32}.get(kind)
            return np.asarray(node.attributes[kind], dtype)
    raise ValueError(f"{node}: holds no numbers")


def _imported(x):
    """The network whose output is the tensor `x`, and what goes with it."""
    if not isinstance(x.source, Sums) or x.source.shape[1:] != (1, 1) or x.steps is not None:
        raise ValueError("the output must be the sums of a dense layer, one for each class")
    head, unit = _head(x)
    layers, source = [], x.source.source
    while isinstance(source, Bits):
        layers[:0] = source.layers
        source = source.source
    unit = None if x.only == "output" else unit
    return Imported(_network(source, layers, head), source.order, unit)


def _network(source, layers, head):
    if source.quantiser is not None:
        return BinaryNetwork(source.quantiser, layers, head, source.shape)
    if not layers:
        raise ValueError("there is no layer of bits between the pixels and the scores")
    low, high = source.pixels or (0, 255)
    between = layers[0].output_shape(source.shape)
    tail = BinaryNetwork(Quantiser(1), layers[1:], head, between)
    return RealNetwork(layers[0], tail, source.shape, low, high)


def _head(x):
    """The Head of the output's tensor, and the unit of its scores."""
    scale, bias = x.on_source(x.scale)[:, 0, 0], x.on_source(x.bias)[:, 0, 0]
    weights = x.source.weights
    used = weights.any(axis=(1, 2, 3))  # the others are constant, whatever their scale
    scale = scale[used] if used.any() else np.zeros(1, object)
    if (scale != scale[0]).any() or scale[0] == 0 or x.source.padding:
        raise ValueError(
            "the scores must be a * sum + b with the same a, not 0, for all classes, and without "
            f"padding; got scales from {float(min(scale)):g} to {float(max(scale)):g}"
        )
    most = (x.source.source.largest or 1) * (weights[0].size)
    denominator = math.lcm(*(v.denominator for v in (scale[0], *bias)))
    numbers = [int(v * denominator) for v in (scale[0], *bias)]
    common = math.gcd(*numbers) if denominator > 1 else 1  # whole numbers stay as they are
    scale, *bias = (v // common for v in numbers)
    unit = Fraction(common, denominator)
    if abs(scale) * most + max(map(abs, bias)) >= _LARGEST_SCORE:
        scale, bias, unit = *_rounded(scale, bias, most), None
    order = x.index.ravel()
    return Head(weights[order], scale, np.array(bias, np.int64)[order]), unit


def _rounded(scale, bias, most):
    """Scores of the same order as scale * z + bias, in fewer digits, for integers z."""
    size = abs(scale)
    room = _LARGEST_SCORE // 2 // (most + max(map(abs, bias)) // size + 1)
    factor = 1 << max(0, room.bit_length() - 1)
    rounded = [round(Fraction(b * factor, size)) for b in bias]
    lead = np.subtract.outer(np.array(bias, object), np.array(bias, object))
    short = np.subtract.outer(np.array(rounded, object), np.array(rounded, object))
    # z and the z of a rival differ by an integer, so the integers around a lead are what matters
    if (lead // size != short // factor).any() or (-lead // size != -short // factor).any():
        raise ValueError("classes whose biases nearly tie cannot be told apart in 60 binary digits")
    return factor if scale > 0 else -factor, rounded
