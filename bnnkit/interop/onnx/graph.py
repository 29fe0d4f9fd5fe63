"""An ONNX file as nodes and arrays: whatever it claims is checked before memory is taken."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bnnkit._files import read_bounded

LARGEST_FILE = 2**30  # bytes, unpacked; protobuf itself ends at 2**31
_MOST_VALUES = 2**28  # of one array
_MOST_NODES = 10_000
_OLDEST_OPSET = 7
_MOST_PIXELS = 2**24
_NUMBERS = ("float16", "float32", "float64", "int8", "int16", "int32", "int64")
_NUMBERS += ("uint8", "uint16", "uint32", "uint64", "bool")


class Node(NamedTuple):
    """An operator: attributes as Python values, with arrays for tensors."""

    op: str
    name: str
    inputs: tuple
    outputs: tuple
    attributes: dict

    def __str__(self):
        return f"node {self.name!r} ({self.op})"


class Graph(NamedTuple):
    """What a network computes.

    Attributes
    ----------
    nodes : list of Node
        Only those that the output depends on.
    constants : dict of str to ndarray
    input, output : str
    input_shape : tuple of int
        Without the batch.
    metadata : dict of str to str
    """

    nodes: list
    constants: dict
    input: str
    output: str
    input_shape: tuple
    metadata: dict


def read_graph(path):
    """The Graph of an ONNX file, plain or gzipped; ValueError says what is wrong with it."""
    try:
        import onnx
    except ImportError:
        raise ImportError("ONNX files need the package onnx: pip install 'bnnkit[onnx]'") from None
    from google.protobuf.message import DecodeError

    content = read_bounded(Path(path), LARGEST_FILE)
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise ValueError(f"not an ONNX file, or damaged ({error})") from None
    if not model.graph.node:
        raise ValueError("not an ONNX file, or one without a graph")
    return _graph(model)


def _graph(model):
    graph = model.graph
    if len(graph.node) > _MOST_NODES:
        raise ValueError(f"a graph of {len(graph.node)} nodes; the limit is {_MOST_NODES}")
    if graph.sparse_initializer:
        raise ValueError("sparse initializers are not supported; save them as dense ones")
    _check_opset(model)
    constants = {}
    for tensor in graph.initializer:
        constants[tensor.name] = as_array(tensor, f"initializer {tensor.name!r}")
    inputs = [entry for entry in graph.input if entry.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise ValueError(
            f"a classifier has one input and one output, this graph has {len(inputs)} "
            f"and {len(graph.output)}"
        )
    output = graph.output[0].name
    nodes = _needed([as_node(node, i) for i, node in enumerate(graph.node)], output)
    _check_type(inputs[0], nodes)
    return Graph(
        nodes=nodes,
        constants=constants,
        input=inputs[0].name,
        output=output,
        input_shape=_image_shape(inputs[0]),
        metadata={entry.key: entry.value for entry in model.metadata_props},
    )


def _check_opset(model):
    """Older operators broadcast differently, and batch-norm was in training mode by default."""
    opsets = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if max(opsets, default=1) < _OLDEST_OPSET:
        raise ValueError(f"opset {max(opsets, default=1)}; from {_OLDEST_OPSET} on is supported")


def _check_type(entry, nodes):
    """Integers would divide and overflow as such, so they have to be cast at once."""
    from onnx import TensorProto

    floats = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)
    readers = [node for node in nodes if entry.name in node.inputs and node.op != "Cast"]
    if entry.type.tensor_type.elem_type not in floats and readers:
        raise ValueError(
            f"{readers[0]}: reads the input {entry.name!r}, which are no floats; cast it"
        )


def _needed(nodes, output):
    """The nodes that `output` depends on, in their order."""
    wanted, needed = {output}, []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            needed.append(node)
            wanted.update(node.inputs)
    return needed[::-1]


def as_node(node, place):
    """The Node of a NodeProto, number `place` of its graph."""
    from onnx import AttributeProto, helper

    name = node.name or (node.output[0] if node.output else f"number {place}")
    result = Node(node.op_type, name, tuple(node.input), tuple(node.output), {})
    if node.domain not in ("", "ai.onnx"):
        raise ValueError(f"{result}: operators of the domain {node.domain!r} are not supported")
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        if attribute.type == AttributeProto.TENSOR:
            value = as_array(value, str(result))
        result.attributes[attribute.name] = value
    return result


def as_array(tensor, where):
    """The array of a TensorProto, whose size is compared with what it holds first."""
    from onnx import TensorProto, helper, numpy_helper

    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise ValueError(f"{where}: data in other files is not read; save the model as one file")
    if tensor.data_type not in TensorProto.DataType.values() or tensor.data_type == 0:
        raise ValueError(f"{where}: unknown data type {tensor.data_type}")
    dtype = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    if tensor.data_type == TensorProto.BFLOAT16 or dtype.name not in _NUMBERS:
        raise ValueError(f"{where}: numbers of type {dtype} are not supported")
    count = math.prod(tensor.dims)
    fields = (tensor.float_data, tensor.double_data, tensor.int32_data, tensor.int64_data)
    held = sum(map(len, (*fields, tensor.uint64_data)))
    if tensor.HasField("raw_data"):
        held = len(tensor.raw_data) / dtype.itemsize
    if min(tensor.dims, default=0) < 0 or count > _MOST_VALUES or held != count:
        raise ValueError(
            f"{where}: an array of shape {tuple(tensor.dims)} that holds {held:g} values"
        )
    array = numpy_helper.to_array(tensor)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{where}: numbers that are not finite")
    return array


def _image_shape(entry):
    """The shape of the input without the batch, whose size is 1 or open."""
    dims = entry.type.tensor_type.shape.dim
    batch, *shape = [dim.dim_value if dim.HasField("dim_value") else 0 for dim in dims] or [0]
    if batch > 1 or not 1 <= len(shape) <= 3 or min(shape) < 1 or math.prod(shape) > _MOST_PIXELS:
        raise ValueError(
            f"the input {entry.name!r} must be a batch of 1 or of any size, of images of a fixed "
            f"shape, got {[dim.dim_value or dim.dim_param for dim in dims]}"
        )
    return tuple(shape)
