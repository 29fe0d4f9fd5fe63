"""From tensors of a graph to layers: linear maps, thresholds, pools."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np

from bnnkit.interop.onnx.symbols import Bits, Input, Pooled, Sums, Tensor, whole
from bnnkit.kernels import output_size
from bnnkit.network import Conv2d, Pool2d, RealConv2d
from bnnkit.network.folding import NEVER
from bnnkit.network.rationals import as_integers, as_python, window_sums

_MOST_VALUES = 2**26  # of a layer's weights or outputs

_floor, _ceil = np.frompyfunc(math.floor, 1, 1), np.frompyfunc(math.ceil, 1, 1)


def linear(x, weights, stride=1, padding=0, bias=None):
    """The tensor weights * x + bias, over `Sums`.

    Parameters
    ----------
    x : Tensor
        In the layout of its source, unless the kernel covers all of it.
    weights : ndarray, shape (O, C, KH, KW)
        Of one magnitude for each output, and zeros.
    stride, padding : int
    bias : ndarray, shape (O,), optional

    Returns
    -------
    Tensor, shape (1, O, OH, OW)
    """
    x = two_valued(x)
    if isinstance(x.source, (Sums, Pooled)):
        raise ValueError(
            "reads sums that are not binarized; between two layers with weights there must be a "
            "Sign or a comparison"
        )
    scale, offset = x.on_source(x.scale), x.on_source(x.bias)
    if scale.shape[1:] != (1, 1) and weights.shape[1:] != x.source.shape:
        raise ValueError("the inputs of a convolution must have one scale for each channel")
    shape = _output_shape(x.source.shape, weights.shape, stride, padding)
    inputs = _magnitude(scale, "the scales of the inputs")
    magnitude = [_magnitude(row, f"the weights of output {o}") for o, row in enumerate(weights)]
    magnitude = np.array(magnitude, object)[:, None, None]
    signs = np.sign(weights).astype(np.int8)
    constant = magnitude * _constant_part(signs, offset, x.source.shape, stride, padding)
    if bias is not None:
        constant = constant + np.array([Fraction(v) for v in bias.tolist()], object)[:, None, None]
    ternary = signs * np.sign(scale).astype(np.int8)
    return whole(Sums(shape, ternary, stride, padding, x.source), magnitude * inputs, constant)


def _output_shape(shape, kernel_shape, stride, padding):
    o, c, kh, kw = kernel_shape
    rows, columns = (
        output_size(size, k, stride, padding) for size, k in zip(shape[1:], (kh, kw), strict=True)
    )
    if c != shape[0] or rows < 1 or columns < 1:
        raise ValueError(f"weights of shape {kernel_shape} do not fit an input of shape {shape}")
    if max(o * rows * columns, math.prod(kernel_shape)) > _MOST_VALUES:
        raise ValueError(f"a layer of {o} x {rows} x {columns} outputs is beyond the limit")
    return o, rows, columns


def _magnitude(values, what):
    """The one magnitude that there is beside 0, as a Fraction; 1 if all are 0."""
    magnitudes = sorted({abs(v) for v in np.unique(values[values != 0]).tolist()})
    if len(magnitudes) > 1:
        raise ValueError(
            f"{what} are not binary: they have magnitudes {float(magnitudes[0]):g} and "
            f"{float(magnitudes[-1]):g}; allowed are 0 and +-c with one c"
        )
    return Fraction(magnitudes[0]) if magnitudes else Fraction(1)


def _constant_part(signs, offset, shape, stride, padding):
    """Sums of what is added to the inputs, Fractions (O, 1, 1) or (O, OH, OW): less at borders."""
    if not offset.any():
        return np.full((len(signs), 1, 1), Fraction(0))
    if padding == 0 and offset.shape[1:] == (1, 1):
        shape = signs.shape[1:]  # any window will do
    numerators, denominator = as_integers(np.broadcast_to(offset, shape))
    sums = window_sums(numerators[None], signs, stride, padding)[0]
    return as_python(sums) * Fraction(1, denominator)


def two_valued(x):
    """A tensor whose values are steps, as an affine function of new bits; others as they are.

    Raises
    ------
    ValueError
        A Sign that can be 0, so that there are three values.
    """
    if x.only is not None:
        raise ValueError("after a Clip there must be a Sign, and after a Softmax nothing")
    if x.steps is None:
        return x
    low, middle, high = (x.on_source(values) for values in x.steps)
    strict = middle != high
    three = strict & (middle != low)
    bits, flipped = _fire(replace(x, steps=None), strict, three)
    low, high = np.where(flipped, high, low), np.where(flipped, low, high)
    scale, bias = (_laid_out(values, bits.shape, x.index) for values in (high - low, low))
    return Tensor(bits, x.index, scale, bias)


def _laid_out(values, shape, index):
    """An array of the source, (C, H, W) or (C, 1, 1), in the layout of `index`."""
    if (values == values.flat[0]).all():
        return values.reshape(-1)[:1].reshape((1,) * index.ndim)
    return np.broadcast_to(values, shape).ravel()[index]


def _fire(x, strict, three):
    """The Bits [x > 0] where `strict`, [x >= 0] elsewhere, and which channels have them negated.

    Where `three`, it has to be impossible that x = 0.
    """
    scale, bias = x.on_source(x.scale), x.on_source(x.bias)
    if isinstance(x.source, Pooled):
        return _fire_pooled(x, scale, bias, strict, three)
    sums = x.source if isinstance(x.source, Sums) else _itself(x.source)
    scale, bias, strict, three = np.broadcast_arrays(scale, bias, strict, three)
    sense, constant = _sense(scale), scale == 0
    place = -bias / np.where(constant, Fraction(1), scale)
    _check_zero(x.origin, sums, place, three & (~constant | (bias == 0)))
    always = constant & ((bias > 0) | ((bias == 0) & ~strict))
    make = _real_layer if sums.source.largest is None else _integer_layer
    layer = make(sums, place, sense, strict, always, constant & ~always)
    return Bits(sums.shape, (layer,), sums.source), np.zeros((len(sense), 1, 1), bool)


def _itself(source):
    """A source as sums of single terms."""
    c = source.shape[0]
    if c * c > _MOST_VALUES:
        raise ValueError(f"a Sign of {c} channels that no layer has summed")
    return Sums(source.shape, np.eye(c, dtype=np.int8)[:, :, None, None], 1, 0, source)


def _sense(scale):
    """The direction of each channel's thresholds."""
    rising, falling = ((side).any(axis=(1, 2)) for side in (scale > 0, scale < 0))
    if (rising & falling).any():
        raise ValueError(
            f"the scales of channel {(rising & falling).argmax()} have both signs; one is allowed"
        )
    return np.where(falling, -1, 1)


def _check_zero(origin, sums, place, three):
    """Complain where a Sign has `three` values and the sum can be at its place, an integer."""
    reached = three
    if sums.source.largest is not None:
        low, high = (
            sums.source.largest * side.sum(axis=(1, 2, 3))[:, None, None].astype(object)
            for side in (sums.weights < 0, sums.weights > 0)
        )
        reached = three & (_floor(place) == place) & (-low <= place) & (place <= high)
    if reached.any():
        raise ValueError(
            f"{origin} can be 0 (where a sum is {float(place[reached][0]):g}), which is a third "
            "value; export sign(sign(x) + 0.1), or a comparison and Where"
        )


def _integer_layer(sums, place, sense, strict, always, never):
    falling = (sense < 0)[:, None, None]
    up = np.where(strict, _floor(place) + 1, _ceil(place))
    down = np.where(strict, _ceil(place) - 1, _floor(place))
    threshold = np.where(falling, down, up)
    threshold = np.where(always, np.where(falling, NEVER, -NEVER), threshold)
    threshold = np.where(never, np.where(falling, -NEVER, NEVER), threshold)
    # beyond float32's integers, "never" is not written digit for digit
    far = np.where(threshold > 0, NEVER, -NEVER)
    threshold = np.where(abs(threshold) > NEVER // 2, far, threshold)
    threshold = _by_channel(threshold.astype(np.int32))
    return Conv2d(sums.weights, threshold, sense, sums.stride, sums.padding)


def _real_layer(sums, place, sense, strict, always, never):
    """Constants have weights of 0, as sums of pixels have no limit: 0 >= -1, or 0 >= 1."""
    o, constant = len(sense), always | never
    if any((values.reshape(o, -1) != values[:, :1, 0]).any() for values in (strict, constant)):
        raise ValueError("the thresholds of a channel must all be strict or not, and none constant")
    off = constant[:, 0, 0]
    weights = np.where(off[:, None, None, None], 0, sums.weights).astype(np.int8)
    threshold = np.where(constant, np.where(always, Fraction(-1), Fraction(1)), place)
    strict, sense = strict[:, 0, 0] & ~off, np.where(off, 1, sense)
    return RealConv2d(weights, _by_channel(threshold), sense, strict, sums.stride, sums.padding)


def _by_channel(threshold):
    """(O,) where all positions agree."""
    first = threshold[:, :1, :1]
    return first[:, 0, 0] if (threshold == first).all() else threshold


def _fire_pooled(x, scale, bias, strict, three):
    """Bits of maxima: [max z > t] is the OR of [z > t], and [max z < t] the negated OR of [z >= t].

    So a channel of negative scale gets the other strictness, and negated bits.
    """
    if any(values.shape[1:] != (1, 1) for values in (scale, bias, strict, three)):
        raise ValueError("after a MaxPool there may be one scale and one bias for each channel")
    pooled, flipped = x.source, scale < 0
    constant = scale == 0
    shift = bias / np.where(constant, Fraction(1), scale)
    kept = np.where(constant, Fraction(0), Fraction(1))
    inner = replace(pooled.inner.mapped(kept, shift), origin=x.origin)
    bits, negated = _fire(inner, strict ^ flipped, three)
    if negated.any() and not negated.all():
        raise ValueError("pools of pools whose channels have scales of both signs")
    pool = Pool2d("and" if negated.any() else "or", pooled.size, pooled.stride)
    return Bits(pooled.shape, (*bits.layers, pool), bits.source), flipped ^ negated


def max_pool(x, size, stride):
    """The maxima of a tensor over windows of its rows and columns."""
    only, x = x.only, replace(x, only=None) if x.only == "sign" else x
    x = two_valued(x)
    if isinstance(x.source, Input) or not x.is_grid:
        raise ValueError("pools what no layer has summed, or not over rows and columns")
    shape = Pool2d("or", size, stride).output_shape(x.source.shape)
    if not isinstance(x.source, Bits):
        return replace(whole(Pooled(shape, x, size, stride)), only=only)
    scale, bias = x.on_source(x.scale), x.on_source(x.bias)
    if scale.shape[1:] != (1, 1) or bias.shape[1:] != (1, 1) or _sign_count(scale) > 1:
        raise ValueError("bits that are pooled must have one scale for each channel, of one sign")
    pool = Pool2d("and" if (scale < 0).any() else "or", size, stride)
    return whole(Bits(shape, (*x.source.layers, pool), x.source.source), scale, bias)


def _sign_count(scale):
    return int((scale > 0).any()) + int((scale < 0).any())
