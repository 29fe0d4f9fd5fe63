"""The operators that a binarized network may be made of, one function each.

Each takes its node, the operands (a Tensor, an array, or None for an input that is left out) and
gives a Tensor. `onnx.reading` computes what depends on constants only.
"""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np

from bnnkit.interop.onnx.constants import cast_dtype, new_shape, squeezed, unsqueezed
from bnnkit.interop.onnx.layers import linear, max_pool
from bnnkit.interop.onnx.symbols import ONE, ZERO, Input, Tensor, constant, whole
from bnnkit.quantiser import Quantiser

_MOST_VALUES = 2**26
_DIGITS = 256  # binary digits of 1 / sqrt(variance), which is irrational


def apply(node, operands):
    """The result of a node, at least one of whose operands is a Tensor."""
    if node.op not in OPERATORS:
        raise ValueError(
            f"this operator is not supported; a binarized network may have {', '.join(OPERATORS)}"
        )
    if any(node.outputs[1:]) and node.op != "Dropout":
        raise ValueError(f"has {len(node.outputs)} outputs; one is supported")
    return OPERATORS[node.op](node, *operands)


def _plain(x):
    """A tensor that is known as a number, not just up to what keeps its sign or order."""
    if x.only is not None:
        raise ValueError("after a Clip there must be a Sign, and after a Softmax nothing")
    return x


def _pair(a, b):
    """(tensor, Fractions, whether the tensor comes first) of an operator's two operands."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        raise ValueError("joins two branches; only a chain of layers is supported")
    x, other = (a, b) if isinstance(a, Tensor) else (b, a)
    return _plain(x), constant(other, x.shape), isinstance(a, Tensor)


def _add(node, a, b):
    x, c, _ = _pair(a, b)
    return x.mapped(ONE, c)


def _sub(node, a, b):
    x, c, first = _pair(a, b)
    return x.mapped(ONE, -c) if first else x.mapped(-ONE, c)


def _mul(node, a, b):
    x, c, _ = _pair(a, b)
    return x.mapped(c, ZERO)


def _div(node, a, b):
    x, c, first = _pair(a, b)
    if not first or (c == 0).any():
        raise ValueError("divides by 0 or by what is no constant")
    return x.mapped(1 / c, ZERO)


def _neg(node, x):
    return _plain(x).mapped(-ONE, ZERO)


def _batch_normalization(node, x, gamma, beta, mean, variance):
    if not isinstance(x, Tensor) or node.attributes.get("training_mode", 0):
        raise ValueError("is in training mode, or normalizes a constant")
    shape = (-1, *(1,) * (len(x.shape) - 2))  # of the channels, which are axis 1
    gamma, beta, mean, variance = (
        constant(v.reshape(shape), x.shape) for v in (gamma, beta, mean, variance)
    )
    epsilon = Fraction(node.attributes.get("epsilon", float(np.float32(1e-5))))
    slope = gamma * _inverse_root(variance + epsilon)
    return _plain(x).mapped(slope, beta - mean * slope)


def _inverse_root_of_one(value):
    """1 / sqrt(value) to 256 binary digits; exact for the squares of fractions."""
    if value <= 0:
        raise ValueError(f"a variance of {float(value):g}")
    n, d = value.as_integer_ratio()
    if math.isqrt(n) ** 2 == n and math.isqrt(d) ** 2 == d:
        return Fraction(math.isqrt(d), math.isqrt(n))
    shift = max(0, 2 * _DIGITS + n.bit_length() - d.bit_length())
    shift += shift % 2
    return Fraction(math.isqrt((d << shift) // n), 1 << shift // 2)


_inverse_root = np.frompyfunc(_inverse_root_of_one, 1, 1)


def _sign(node, x):
    return x.stepped((-1, 0, 1), f"the Sign of {node}") if x.only != "output" else _plain(x)


def _comparison(negative, zero, positive):
    """[a > b] and its like, by the sign of a - b."""

    def compare(node, a, b):
        return _sub(node, a, b).stepped((negative, zero, positive), f"what {node} compares")

    return compare


def _not(node, x):
    return _steps(x).mapped(-ONE, ONE)


def _steps(x):
    if x.steps is None:
        raise ValueError("reads numbers where only a Sign or a comparison can be")
    return x


def _where(node, condition, a, b):
    if not isinstance(condition, Tensor) or isinstance(a, Tensor) or isinstance(b, Tensor):
        raise ValueError("chooses between tensors; only constants are supported")
    x = _steps(condition)
    a, b = constant(a, x.shape), constant(b, x.shape)
    return replace(x, steps=tuple(np.asarray(np.where(v != 0, a, b), object) for v in x.steps))


def _clip(node, x, low=None, high=None):
    low = node.attributes.get("min", low)
    high = node.attributes.get("max", high)
    low, high = (None if v is None else Fraction(np.asarray(v).item()) for v in (low, high))
    if _plain(x).steps is None:
        if (low is not None and low >= 0) or (high is not None and high <= 0):
            raise ValueError(f"clips to {low} .. {high}, which does not keep signs")
        return replace(x, only="sign")
    steps = [v if low is None else np.maximum(v, low) for v in x.steps]
    steps = [v if high is None else np.minimum(v, high) for v in steps]
    return replace(x, steps=tuple(np.asarray(v, object) for v in steps))


def _relu(node, x):
    return _clip(node, _steps(x), ZERO)


def _round(node, x):
    """Rounding to levels, half to even; of steps, where it is a number after all."""
    if _plain(x).steps is not None:
        return replace(x, steps=tuple(np.asarray(_rounded(v), object) for v in x.steps))
    source, slopes = x.source, set(x.scale.flat)
    if not isinstance(source, Input) or source.quantiser is not None or x.bias.any():
        raise ValueError("rounds what is no multiple of a pixel")
    low, high = source.pixels or (0, 1)
    if len(slopes) > 1 or min(slopes) <= 0 or low != 0:
        raise ValueError(
            f"rounds pixels from {low} to {high} times {float(min(slopes)):g} to "
            f"{float(max(slopes)):g}; they must begin at 0, and have one positive factor"
        )
    quantiser = Quantiser(1 / (slopes.pop() * high))
    return Tensor(replace(source, quantiser=quantiser, pixels=(low, high)), x.index)


_rounded = np.frompyfunc(lambda value: Fraction(round(value)), 1, 1)


def _cast(node, x):
    kind = cast_dtype(node.attributes).kind
    if kind == "b":
        return _steps(x).stepped((1, 0, 1), x.origin)
    if kind != "f" and x.only != "output":
        raise ValueError("casts to integers, whose arithmetic is another; cast to floats")
    return x


def _same(node, x, ratio=None, training=None):
    if training is not None and training.any():
        raise ValueError("is in training mode")
    return x


def _last(node, x):
    """What keeps the order of classes; a softmax or argmax has to be over all of them."""
    axis = node.attributes.get("axis", {"ArgMax": 0, "Sigmoid": None}.get(node.op, -1))
    if axis is not None and x.shape[axis] != x.index.size:
        raise ValueError(f"is over axis {axis} of a tensor {x.shape}, not over the classes")
    if node.attributes.get("select_last_index", 0):
        raise ValueError("gives a tie to the last class; bnnkit gives it to the first one")
    return replace(_plain(x), only="output")


def _transpose(node, x):
    perm = node.attributes.get("perm", range(len(x.shape))[::-1])
    return x.transposed(tuple(perm))


def _reshaped(x, shape):
    return x.laid_out(
        lambda values: values.reshape(shape), np.empty(x.shape, bool).reshape(shape).shape
    )


def _reshape(node, x, shape):
    return _reshaped(x, new_shape(x.shape, shape))


def _flatten(node, x):
    axis = node.attributes.get("axis", 1)
    return _reshaped(x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))


def _squeeze(node, x, axes=None):
    return _reshaped(x, squeezed(x.shape, node.attributes.get("axes", axes)))


def _unsqueeze(node, x, axes=None):
    return _reshaped(x, unsqueezed(x.shape, node.attributes.get("axes", axes)))


def _shape(node, x):
    return np.array(x.shape, np.int64)


def _window(node, size):
    """(size, stride, padding) of a convolution or pool: square, symmetric, not dilated."""
    found = node.attributes
    strides, pads = found.get("strides", [1, 1]), found.get("pads", [0] * 4)
    kind = found.get("auto_pad", b"NOTSET")
    if kind == b"VALID":
        pads = [0] * 4
    elif kind != b"NOTSET":
        raise ValueError(f"pads by {kind.decode()}; write the pads out")
    if len(size) != 2 or len(strides) != 2 or len(set(strides)) > 1 or len(set(pads)) > 1:
        raise ValueError(f"strides {strides} or pads {pads} that differ are not supported")
    if strides[0] < 1 or pads[0] < 0:
        raise ValueError(f"strides {strides} must be at least 1, pads {pads} at least 0")
    return strides[0], pads[0]


def _conv(node, x, weights, bias=None):
    if not isinstance(x, Tensor) or isinstance(weights, Tensor) or isinstance(bias, Tensor):
        raise ValueError("the weights must be constants")
    if weights.ndim != 4 or len(x.shape) != 4:
        raise ValueError(f"a convolution in two dimensions is supported, not {weights.shape}")
    stride, padding = _window(node, weights.shape[2:])
    weights = _ungrouped(weights, node.attributes.get("group", 1))
    weights = _undilated(weights, node.attributes.get("dilations", [1, 1]))
    x = _as_grid(x)
    return linear(x, weights, stride, padding, bias)


def _as_grid(x):
    """A tensor (1, C, H, W) in its source's layout; the input takes the layout that is read."""
    if x.is_grid:
        return x
    if not isinstance(x.source, Input) or x.shape[0] != 1:
        raise ValueError("reads rows, columns and channels in another order than they were made")
    x.on_source(x.scale)  # all pixels are there
    source = replace(x.source, shape=x.shape[1:], order=x.source.order[x.index.ravel()])
    return replace(x, source=source, index=whole(source).index)


def _ungrouped(weights, group):
    if group == 1:
        return weights
    o, c, kh, kw = weights.shape
    if group < 1 or o % group or o * c * group * kh * kw > _MOST_VALUES:
        raise ValueError(f"{group} groups do not fit weights of shape {weights.shape}")
    full = np.zeros((group, o // group, group, c, kh, kw), weights.dtype)
    each = np.arange(group)
    full[each, :, each] = weights.reshape(group, o // group, c, kh, kw)
    return full.reshape(o, group * c, kh, kw)


def _undilated(weights, dilations):
    o, c, kh, kw = weights.shape
    rows, columns = ((k - 1) * d + 1 for k, d in zip((kh, kw), dilations, strict=True))
    if min(dilations) < 1 or o * c * rows * columns > _MOST_VALUES:
        raise ValueError(f"dilations {dilations} do not fit weights of shape {weights.shape}")
    full = np.zeros((o, c, rows, columns), weights.dtype)
    full[:, :, :: dilations[0], :: dilations[1]] = weights
    return full


def _matmul(node, x, weights):
    if not isinstance(x, Tensor) or isinstance(weights, Tensor):
        raise ValueError("the weights must be constants, and the second factor")
    return _dense(x, weights)


def _gemm(node, x, weights, bias=None):
    found = node.attributes
    if isinstance(weights, Tensor) or isinstance(bias, Tensor) or not isinstance(x, Tensor):
        raise ValueError("the weights must be constants, and the second factor")
    if found.get("transA", 0):
        raise ValueError("a transposed input is not supported")
    weights = weights.T if found.get("transB", 0) else weights
    alpha, beta = (Fraction(found.get(name, 1.0)) for name in ("alpha", "beta"))
    result = _dense(x, weights).mapped(alpha, ZERO)
    return result if bias is None else result.mapped(ONE, constant(bias, result.shape) * beta)


def _dense(x, weights):
    if weights.ndim != 2 or x.shape != (1, len(weights)):
        raise ValueError(f"weights of shape {weights.shape} do not fit a tensor {x.shape}")
    x.on_source(ZERO)  # each place once
    kernel = np.empty((weights.shape[1], len(weights)), weights.dtype)
    kernel[:, x.index[0]] = weights.T
    result = linear(x, kernel.reshape(-1, *x.source.shape))
    return _reshaped(result, (1, weights.shape[1]))


def _max_pool(node, x):
    size = node.attributes["kernel_shape"]
    stride, padding = _window(node, size)
    rest = (node.attributes.get("ceil_mode", 0), set(node.attributes.get("dilations", [1])) - {1})
    if padding or any(rest) or len(set(size)) > 1:
        raise ValueError("pads, dilates, rounds up or is not square; none of it is supported")
    return max_pool(x, size[0], stride)


def _global_max_pool(node, x):
    if len(x.shape) != 4 or x.shape[2] != x.shape[3]:
        raise ValueError(f"pools a tensor {x.shape}, which is not square")
    return max_pool(x, x.shape[2], 1)


OPERATORS = {
    "Add": _add,
    "ArgMax": _last,
    "BatchNormalization": _batch_normalization,
    "Cast": _cast,
    "Clip": _clip,
    "Conv": _conv,
    "Div": _div,
    "Dropout": _same,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalMaxPool": _global_max_pool,
    "Greater": _comparison(0, 0, 1),
    "GreaterOrEqual": _comparison(0, 1, 1),
    "Identity": _same,
    "Less": _comparison(1, 0, 0),
    "LessOrEqual": _comparison(1, 1, 0),
    "LogSoftmax": _last,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "Mul": _mul,
    "Neg": _neg,
    "Not": _not,
    "Relu": _relu,
    "Reshape": _reshape,
    "Round": _round,
    "Shape": _shape,
    "Sigmoid": _last,
    "Sign": _sign,
    "Softmax": _last,
    "Squeeze": _squeeze,
    "Sub": _sub,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Where": _where,
}
