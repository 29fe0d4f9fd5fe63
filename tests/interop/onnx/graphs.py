"""Random binarized ONNX graphs in the dialects of exporters, and an interpreter in Fractions."""

import math
from fractions import Fraction

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """Nodes that are added one after another, each reading the last one."""

    def __init__(self, rng, input_shape):
        self.rng, self.nodes, self.constants, self.metadata = rng, [], [], {}
        self.input_shape, self.last = input_shape, "input"

    def add(self, op, *operands, first=True, **attributes):
        """Add a node of the last tensor and `operands`, names or arrays (None: left out)."""
        names = [self.constant(v) if not isinstance(v, str) else v for v in operands]
        names = [self.last, *names] if first else [*names, self.last]
        self.nodes.append(
            helper.make_node(
                op, names, [f"t{len(self.nodes)}"], f"{op}_{len(self.nodes)}", **attributes
            )
        )
        self.last = self.nodes[-1].output[0]
        return self.last

    def constant(self, value):
        if value is None:
            return ""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def model(self, opset=17, batch="N"):
        shape = [batch, *self.input_shape]
        graph = helper.make_graph(
            self.nodes,
            "random",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(self.last, TensorProto.FLOAT, None)],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        model.ir_version = 8
        helper.set_model_props(model, self.metadata)
        return model


def save(model, path):
    path.write_bytes(model.SerializeToString())
    return path


def dyadic(rng, *shape, nonzero=False):
    """Multiples of 1/4 in -1 .. 1, with which ties are common and float32 is exact."""
    values = rng.integers(-4, 5, shape) / np.float32(4)
    if nonzero:
        values = np.where(values == 0, np.float32(0.5), values)
    return values.astype(np.float32)


def add_batch_norm(graph, channels):
    """1 / sqrt(variance + epsilon) is a power of two, hence exact in float32; scales may be 0."""
    rng = graph.rng
    gamma, beta, mean = dyadic(rng, channels), dyadic(rng, channels), 2 * dyadic(rng, channels)
    variance = rng.choice([0.25, 1, 4], channels).astype(np.float32) - np.float32(0.125)
    graph.add("BatchNormalization", gamma, beta, mean, variance, epsilon=0.125)


def add_affine(graph, shape):
    """One of the ways in which a scale and a bias for each channel are written."""
    rng = graph.rng
    channels, rest = shape[0], (1,) * (len(shape) - 1)
    kind = rng.choice(["none", "batch-norm", "mul-add", "sub-div", "rsub", "neg"])
    if kind == "batch-norm":
        add_batch_norm(graph, channels)
    elif kind == "mul-add":
        graph.add("Mul", dyadic(rng, channels, *rest), first=bool(rng.random() < 0.5))
        graph.add("Add", dyadic(rng, 1, channels, *rest), first=bool(rng.random() < 0.5))
    elif kind == "sub-div":
        graph.add("Sub", dyadic(rng, channels, *rest))
        graph.add("Div", rng.choice([-2, 0.5, 4], (channels, *rest)).astype(np.float32))
    elif kind == "rsub":
        graph.add("Sub", dyadic(rng, channels, *rest), first=False)
    elif kind == "neg":
        graph.add("Neg")
    if rng.random() < 0.2:
        graph.add("Add", dyadic(rng, *shape))  # a bias for each position
        return True
    return False


def add_sign(graph, clip):
    """One of the ways in which a two-valued sign is written."""
    rng = graph.rng
    kind = rng.choice(["sign-sign", "greater-equal", "greater", "less", "where", "clip"])
    if kind == "sign-sign" or (kind == "clip" and not clip):
        graph.add("Sign")
        graph.add("Add", np.float32(rng.choice([0.1, -0.1, 0.5])))
        graph.add("Sign")
    elif kind == "clip":
        graph.add("Clip", np.float32(-1), np.float32(1))
        graph.add("Sign")
        graph.add("Add", np.float32(0.25), first=False)
        graph.add("Sign")
    elif kind == "where":
        graph.add(str(rng.choice(["GreaterOrEqual", "Less"])), np.float32(0))
        graph.add("Where", np.float32(1), np.float32(-1))
    else:
        op = {"greater-equal": "GreaterOrEqual", "greater": "Greater", "less": "LessOrEqual"}[kind]
        graph.add(op, np.float32(0.25), first=bool(rng.random() < 0.5))
        if rng.random() < 0.3:
            graph.add("Not")
        graph.add("Cast", to=TensorProto.FLOAT)
        if rng.random() < 0.7:  # -1 and +1, else 0 and 1
            graph.add("Mul", np.float32(2))
            graph.add("Sub", np.float32(1))


def binary(rng, *shape):
    """Weights of one magnitude an output, now and then with zeros, or a row of them."""
    weights = rng.choice([-1, 1], shape).astype(np.float32)
    if rng.random() < 0.5:
        weights *= rng.random(shape) < 0.7
    if rng.random() < 0.3:
        weights *= rng.choice([0.5, 1, 2, 0.25], (shape[0],) + (1,) * (len(shape) - 1))
    if rng.random() < 0.1:
        weights[0] = 0
    return weights.astype(np.float32)


def add_conv(graph, shape, nhwc):
    """A convolution; returns the new shape (C, H, W)."""
    rng = graph.rng
    c, h, w = shape
    o, k, pad = int(rng.integers(2, 5)), int(rng.integers(1, 4)), int(rng.integers(0, 2))
    k, stride = min(k, h, w), int(rng.integers(1, 3))
    group = c if rng.random() < 0.15 else 1
    o = o * group if group > 1 else o
    attributes = {"strides": [stride] * 2, "pads": [pad] * 4, "group": group}
    bias = dyadic(rng, o) if rng.random() < 0.4 else None
    if nhwc:
        graph.add("Transpose", perm=[0, 3, 1, 2])
    graph.add("Conv", binary(rng, o, c // group, k, k), bias, **attributes)
    return o, *((side + 2 * pad - k) // stride + 1 for side in (h, w))


def add_pool(graph, shape, stride):
    graph.add("MaxPool", kernel_shape=[2, 2], strides=[stride] * 2)
    return shape[0], *((side - 2) // stride + 1 for side in shape[1:])


def add_conv_block(graph, shape, nhwc):
    """Convolution, affine, sign, with a pool anywhere or nowhere; in NHWC between, or in NCHW."""
    rng = graph.rng
    shape = add_conv(graph, shape, nhwc)
    place = rng.choice(["none", "before", "between", "after"]) if min(shape[1:]) > 1 else "none"
    stride = int(rng.integers(1, 3))
    if place == "before":
        shape = add_pool(graph, shape, stride)
    by_position = add_affine(graph, shape) if rng.random() < 0.8 else False
    if place == "between" and not by_position:
        shape = add_pool(graph, shape, stride)
        if rng.random() < 0.5:
            add_batch_norm(graph, shape[0])
    if place == "before" and by_position:  # is refused: take it back
        graph.nodes.pop()
        graph.last = graph.nodes[-1].output[0]
    if nhwc:
        graph.add("Transpose", perm=[0, 2, 3, 1])
    add_sign(graph, clip=not nhwc)
    if place == "after":
        if nhwc:
            graph.add("Transpose", perm=[0, 3, 1, 2])
        shape = add_pool(graph, shape, stride)
        if nhwc:
            graph.add("Transpose", perm=[0, 2, 3, 1])
    return shape


def add_dense(graph, size, outputs):
    rng = graph.rng
    kind = rng.choice(["matmul", "gemm", "gemm-t"])
    weights = binary(rng, outputs, size)
    if kind == "matmul":
        graph.add("MatMul", np.ascontiguousarray(weights.T))
        return
    bias = dyadic(rng, outputs) if rng.random() < 0.5 else None
    if kind == "gemm":
        graph.add("Gemm", np.ascontiguousarray(weights.T), bias, alpha=0.5, beta=2.0)
    else:
        graph.add("Gemm", weights, bias, transB=1)


def random_graph(rng, quantised=False):
    """A random graph of convolutions and dense layers, with ties everywhere."""
    nhwc = bool(rng.random() < 0.4)
    shape = (int(rng.integers(1, 4)), int(rng.integers(4, 7)), int(rng.integers(4, 7)))
    graph = Graph(rng, (*shape[1:], shape[0]) if nhwc else shape)
    if quantised:
        graph.add(*(("Mul", np.float32(4)) if rng.random() < 0.5 else ("Div", np.float32(0.25))))
        graph.add("Round")
        if rng.random() < 0.5:
            graph.add("Mul", np.float32(0.25))
    if rng.random() < 0.4:
        graph.add("Sub", np.float32(0.5))
        graph.add("Mul", np.float32(2))
    for _ in range(int(rng.integers(0, 3))):
        shape = add_conv_block(graph, shape, nhwc)
    add_flatten(graph, math.prod(shape))
    size = math.prod(shape)
    if not any(node.op_type == "Conv" for node in graph.nodes) or rng.random() < 0.5:
        add_dense(graph, size, size := int(rng.integers(3, 9)))
        add_affine(graph, (size,))
        add_sign(graph, clip=True)
    add_dense_head(graph, size)
    return graph


def add_flatten(graph, size):
    kind = graph.rng.choice(["flatten", "reshape", "shape"])
    if kind == "flatten":
        graph.add("Flatten")
    elif kind == "reshape":
        graph.add("Reshape", np.array([-1, size], np.int64))
    else:  # as torch writes x.view(x.size(0), -1)
        tensor = graph.last
        graph.add("Shape")
        graph.add("Gather", np.array(0, np.int64))
        graph.add("Unsqueeze", np.array([0], np.int64))
        batch = graph.add("Concat", np.array([-1], np.int64), axis=0)
        graph.last = tensor
        graph.add("Reshape", batch)


def add_dense_head(graph, size):
    rng, classes = graph.rng, 4
    weights = rng.choice([-1, 0, 1], (size, classes)).astype(np.float32)
    graph.add("MatMul", weights * np.float32(rng.choice([1, 0.5, 3])))
    if rng.random() < 0.6:
        graph.add("Mul", np.float32(rng.choice([0.25, -1, 2])))
        graph.add("Add", dyadic(rng, classes))
    if rng.random() < 0.3:
        graph.add("Softmax", axis=-1)


def exact(model, x):
    """The output of a model for one image of Fractions, by the definitions of ONNX.

    A softmax is left out.
    """
    values = {c.name: fractions(numpy_helper.to_array(c)) for c in model.graph.initializer}
    values["input"], values[""] = x[None], None
    for node in model.graph.node:
        found = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        operands = [values[name] for name in node.input]
        values[node.output[0]] = np.asarray(EXACT[node.op_type](found, *operands), object)
    return values[model.graph.output[0].name]


def fractions(array):
    result = np.empty(array.shape, object)
    result[...] = np.frompyfunc(Fraction, 1, 1)(array.astype(object))
    return result


def exact_conv(found, x, weights, bias=None):
    group, (o, c, kh, kw) = found.get("group", 1), weights.shape
    stride, pad = found["strides"][0], found["pads"][0]
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=Fraction(0))
    windows = np.lib.stride_tricks.sliding_window_view(x[0], (kh, kw), axis=(1, 2))
    windows = windows[:, ::stride, ::stride]
    sums = []
    for k in range(o):
        first = k // (o // group) * c
        z = np.einsum("cijyx,cyx->ij", windows[first : first + c], weights[k])
        sums.append(z if bias is None else z + bias[k])
    return np.array(sums, object)[None]


def exact_pool(found, x):
    windows = np.lib.stride_tricks.sliding_window_view(x, found["kernel_shape"], axis=(2, 3))
    stride = found["strides"][0]
    return windows[:, :, ::stride, ::stride].max(axis=(4, 5))


def exact_batch_norm(found, x, gamma, beta, mean, variance):
    g, b, m, v = (a.reshape(-1, *(1,) * (x.ndim - 2)) for a in (gamma, beta, mean, variance))
    epsilon = Fraction(found["epsilon"])
    root = np.frompyfunc(lambda value: {Fraction(1, 4): 2, 1: 1, 4: Fraction(1, 2)}[value], 1, 1)
    return (x - m) * g * root(v + epsilon) + b


def exact_gemm(found, x, weights, bias=None):
    weights = weights.T if found.get("transB") else weights
    product = x @ weights * Fraction(found.get("alpha", 1.0))
    return product if bias is None else product + bias * Fraction(found.get("beta", 1.0))


def compared(compare):
    return lambda found, a, b: np.where(compare(a, b), Fraction(1), Fraction(0))


def each(function):
    return lambda found, *operands: np.frompyfunc(function, len(operands), 1)(*operands)


EXACT = {
    "Add": lambda found, a, b: a + b,
    "Sub": lambda found, a, b: a - b,
    "Mul": lambda found, a, b: a * b,
    "Div": lambda found, a, b: a / b,
    "Neg": lambda found, a: -a,
    "Not": lambda found, a: 1 - a,
    "Cast": lambda found, a: a,
    "Sign": each(lambda v: Fraction((v > 0) - (v < 0))),
    "Round": each(lambda v: Fraction(round(v))),
    "Clip": each(lambda v, low, high: min(max(v, low), high)),
    "Where": lambda found, condition, a, b: np.where(condition != 0, a, b),
    "Greater": compared(lambda a, b: a > b),
    "GreaterOrEqual": compared(lambda a, b: a >= b),
    "Less": compared(lambda a, b: a < b),
    "LessOrEqual": compared(lambda a, b: a <= b),
    "Transpose": lambda found, a: a.transpose(found["perm"]),
    "Flatten": lambda found, a: a.reshape(1, -1),
    "Reshape": lambda found, a, shape: a.reshape(1, -1),
    "Shape": lambda found, a: a,
    "Gather": lambda found, a, _: a,
    "Unsqueeze": lambda found, a, _: a,
    "Concat": lambda found, a, _: a,
    "Conv": exact_conv,
    "MaxPool": exact_pool,
    "BatchNormalization": exact_batch_norm,
    "Gemm": exact_gemm,
    "MatMul": lambda found, a, b: a @ b,
    "Softmax": lambda found, a: a,
}
