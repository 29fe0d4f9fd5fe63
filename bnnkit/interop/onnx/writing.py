"""Networks as ONNX graphs that a runtime evaluates exactly, though it computes in floats.

Sums of bits, of levels and of 8-bit pixels are small integers, which float32 holds. A threshold is
Sign(sense * (z - t) + 1/2), which is never 0; behind it, -1 and +1 become the bits 0 and 1 again,
so that padding means what it does here. Levels are found by comparing pixels with the stairs (see
`_places`). Thresholds of real pixels are in float64, rounded to the side on which they
decide alike for all floats.
"""

import gzip
import math
import os
from fractions import Fraction

import numpy as np

from bnnkit._files import atomic_path
from bnnkit.network import Pool2d, RealNetwork

STEP_KEY, RANGE_KEY = "bnnkit.quant_step", "bnnkit.input_range"  # in the file's metadata

_OPSET, _IR_VERSION = 13, 8
_LARGEST_SUM = 2**22  # float32 holds halves up to here
_LARGEST_SCORE = 2**53


def save(network, path):
    """Write a network as an ONNX file, atomically; gzipped if the name ends in .gz.

    Parameters
    ----------
    network : BinaryNetwork or RealNetwork
    path : path-like

    Raises
    ------
    ImportError
        The package onnx is missing.
    ValueError
        Sums, scores or thresholds are too large for the floats of a runtime.

    Notes
    -----
    The input is a float32 batch (N, C, H, W): pixels in [0, 1] for a BinaryNetwork (an 8-bit image
    divided by 255), in its own range for a RealNetwork. The output are its scores, float64
    (N, classes). `load` makes the same network of it, but for thresholds of a RealNetwork that no
    float64 equals, which become those next to them.

    Examples
    --------
    A pixel that is class 0 up to 0.15, which onnxruntime evaluates:

    >>> import tempfile
    >>> from bnnkit.interop import onnx
    >>> from bnnkit.network import BinaryNetwork, Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> network = BinaryNetwork(Quantiser(0.1), [Conv2d([[[[1]]]], [2], [1])], head, (1, 1, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     onnx.save(network, f"{folder}/pixel.onnx")
    ...     onnx.replay(f"{folder}/pixel.onnx", [0.2]), network.scores([[[[0.2]]]])[0]
    (array([0., 1.], dtype=float32), array([0, 1]))
    """
    try:
        import onnx  # noqa: F401 (asked for here, so that the error names the extra)
    except ImportError:
        raise ImportError("ONNX files need the package onnx: pip install 'bnnkit[onnx]'") from None
    content = _model(network).SerializeToString(deterministic=True)
    if os.fspath(path).endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        file.write(content)


def _model(network):
    from onnx import TensorProto, helper

    if isinstance(network, RealNetwork):
        metadata = {RANGE_KEY: " ".join(map(str, network.input_range))}
        graph, tail = _front_nodes(network.front), network.tail
    else:
        metadata = {STEP_KEY: str(network.quantiser.step)}
        graph, tail = quantiser_nodes(network.quantiser), network
    largest = tail.quantiser.n_levels - 1
    for layer in tail.layers:
        if isinstance(layer, Pool2d):
            _add_pool(graph, layer)
        else:
            _add_layer(graph, layer, largest)
        largest = 1
    _add_head(graph, tail.head, largest)
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", *network.input_shape])
    shape = ["N", network.n_classes]
    scores = helper.make_tensor_value_info(graph.last, TensorProto.DOUBLE, shape)
    made = helper.make_graph(graph.nodes, "bnnkit", [images], [scores], graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)])
    model.ir_version, model.producer_name = _IR_VERSION, "bnnkit"
    helper.set_model_props(model, metadata)
    return model


class _Nodes:
    """A chain of nodes, each reading the last one and constants."""

    def __init__(self):
        self.nodes, self.constants, self.last = [], [], "images"

    def add(self, op, *constants, **attributes):
        from onnx import helper, numpy_helper

        name, inputs = f"{op}_{len(self.nodes)}", [self.last]
        for i, array in enumerate(constants):
            self.constants.append(numpy_helper.from_array(np.asarray(array), f"{name}.{i}"))
            inputs.append(self.constants[-1].name)
        self.last = f"{name}.out"
        self.nodes.append(helper.make_node(op, inputs, [self.last], name, **attributes))

    def cast(self, dtype):
        from onnx import helper

        self.add("Cast", to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def convolve(self, layer):
        weights = np.ascontiguousarray(layer.weights, np.float32)
        self.add("Conv", weights, strides=[layer.stride] * 2, pads=[layer.padding] * 4)


def quantiser_nodes(quantiser):
    """The nodes with which the graph of a BinaryNetwork begins, up to the levels."""
    graph = _Nodes()
    graph.add("Unsqueeze", np.array([4]))
    graph.add("GreaterOrEqual", _places(quantiser))
    graph.cast(np.float32)
    graph.add("ReduceSum", np.array([4]), keepdims=0)
    return graph


def _places(quantiser):
    """The smallest float32 that has each level from 1 on.

    The float32 v / 255 stands for the fraction v / 255, so that 8-bit images get their own levels
    even if a grey value is where two levels meet; all other floats stand for their exact values.

    Returns
    -------
    ndarray of float32, shape (levels - 1,)
    """
    return np.array(
        [_first_of(quantiser, k + 1) for k in range(quantiser.n_levels - 1)], np.float32
    )


def _first_of(quantiser, level):
    """The smallest float32 that stands for a number of at least `level`."""
    stair, _, closed = quantiser.cell(level)

    def reached(value):
        meant = _meant(value)
        return meant > stair or (closed and meant == stair)

    place = np.float32(float(stair))
    while reached(np.nextafter(place, np.float32(-1))):
        place = np.nextafter(place, np.float32(-1))
    while not reached(place):
        place = np.nextafter(place, np.float32(np.inf))
    return place


def _meant(value):
    """The number that a float32 stands for: a grey value if it is that float32 division's."""
    grey = round(float(value) * 255)
    if np.float32(grey) / np.float32(255) == value:
        return Fraction(grey, 255)
    return Fraction(float(value))


def _front_nodes(front):
    """The nodes of a first layer over real pixels."""
    graph = _Nodes()
    graph.convolve(front)
    graph.cast(np.float64)
    graph.add("Mul", _by_channel(front.sense.astype(np.float64)))
    strict = np.broadcast_to(front.strict[:, None, None], front.signed_threshold.shape)
    graph.add("Sub", _place(front.signed_threshold, strict).astype(np.float64)[None])
    graph.add("Sign")
    graph.add("Add", _by_channel(np.where(front.strict, -0.5, 0.5)))  # what a tie becomes
    graph.add("Sign")
    graph.cast(np.float32)
    _add_bits(graph)
    return graph


def _float_place(threshold, strict):
    """The float64 t with [z >= t] ([z > t] if strict) as for the fraction, for all floats z."""
    if abs(threshold) >= 2**1000:
        raise ValueError("a threshold of 2**1000 or more, which is beyond all floats")
    value = float(threshold)
    if strict and Fraction(value) > threshold:
        return math.nextafter(value, -math.inf)
    if not strict and Fraction(value) < threshold:
        return math.nextafter(value, math.inf)
    return value


_place = np.frompyfunc(_float_place, 2, 1)


def _add_layer(graph, layer, largest):
    _check_sums(layer, largest)
    graph.convolve(layer)
    sense, threshold = _by_channel(layer.sense), layer.threshold.astype(np.float64)
    threshold = threshold[None] if threshold.ndim == 3 else _by_channel(threshold)
    graph.add("Mul", sense.astype(np.float32))
    graph.add("Add", (0.5 - sense * threshold).astype(np.float32))
    graph.add("Sign")
    _add_bits(graph)


def _add_bits(graph):
    """From -1 and +1 to 0 and 1."""
    graph.add("Mul", np.float32(0.5))
    graph.add("Add", np.float32(0.5))


def _add_pool(graph, pool):
    window = {"kernel_shape": [pool.size] * 2, "strides": [pool.stride] * 2}
    if pool.kind == "and":
        graph.add("Neg")
    graph.add("MaxPool", **window)
    if pool.kind == "and":
        graph.add("Neg")


def _add_head(graph, head, largest):
    most = _check_sums(head, largest)
    if abs(head.scale) * most + int(np.abs(head.bias).max()) >= _LARGEST_SCORE:
        raise ValueError("scores may reach 2**53, beyond which float64 rounds integers")
    graph.convolve(head)
    graph.cast(np.float64)
    graph.add("Mul", np.float64(head.scale))
    graph.add("Add", _by_channel(head.bias.astype(np.float64)))
    graph.add("Flatten")


def _check_sums(layer, largest):
    most = int(np.abs(layer.weights).sum(axis=(1, 2, 3), dtype=np.int64).max()) * largest
    if most >= _LARGEST_SUM:
        raise ValueError(f"a sum may reach {most}, and float32 is exact up to {_LARGEST_SUM} only")
    return most


def _by_channel(values):
    return values.reshape(1, -1, 1, 1)
