"""Reading the file of a network into plain arrays, and its digest."""

import hashlib
import json
import math
from fractions import Fraction

import numpy as np

from bnnkit._files import read_npz

MOST_BITS = 10**6  # of a layer, padding included


def read_network(path):
    """The network in a file, and the SHA-256 of its content.

    Returns
    -------
    network : dict
        ``step`` (Fraction), ``shape`` (C, H, W), ``layers``, ``head`` (weights), ``scale``,
        ``bias``. A layer has ``weights`` int64 (O, C, KH, KW), ``threshold``, ``sense``,
        ``stride``, ``padding``; or ``pool`` ("or", "and"), ``size``, ``stride``.
    digest : str

    Raises
    ------
    OSError, ValueError
        A file that cannot be read, or has no network that makes sense.
    """
    arrays = read_npz(path)
    try:
        header = json.loads(arrays["header"].tobytes())
        _demand(header["format"] == "bnnkit-network" and header["version"] == 1, "another format")
        return _network(header, arrays), _digest(arrays)
    except (KeyError, ValueError, TypeError, ArithmeticError, AttributeError, RecursionError) as e:
        raise ValueError(f"{path}: not a network ({type(e).__name__}: {e})") from None


def _digest(arrays):
    content = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        content.update(f"{name} {array.dtype.str} {array.shape} ".encode() + array.tobytes())
    return content.hexdigest()


def _network(header, arrays):
    shape, (above, below) = [_size(n) for n in header["input_shape"]], header["quant_step"]
    _demand(type(above) is type(below) is int and len(shape) == 3, "shape or step")
    network = {"step": Fraction(above, below), "shape": tuple(shape), "layers": []}
    _demand(Fraction(1, 255) <= network["step"] < 2, "step")
    for i, entry in enumerate(header["layers"]):
        layer = {"stride": _size(entry["stride"])}
        if entry["kind"] == "pool2d":
            _demand(entry["pool"] in ("or", "and") and i > 0, "pool")
            layer |= {"pool": entry["pool"], "size": _size(entry["size"])}
            kernel, padding = (layer["size"],) * 2, 0
        else:
            _demand(entry["kind"] == "conv2d", "kind of layer")
            weights, padding = _weights(arrays, str(i), entry["kernel_shape"]), entry["padding"]
            kernel, layer["weights"], layer["padding"] = weights.shape[2:], weights, padding
            _demand(weights.shape[1] == shape[0] and padding == _size(padding + 1) - 1, "weights")
            shape[0] = len(weights)
        padded = [n + 2 * padding for n in shape[1:]]
        _demand(shape[0] * math.prod(padded) <= MOST_BITS, "size of a layer")
        shape[1:] = [
            _size((n - k) // layer["stride"] + 1) for n, k in zip(padded, kernel, strict=True)
        ]
        if entry["kind"] == "conv2d":
            layer |= {name: _integers(arrays[f"{i}.{name}"]) for name in ("threshold", "sense")}
            _demand(layer["threshold"].shape in (tuple(shape[:1]), tuple(shape)), "thresholds")
            _demand(
                layer["sense"].shape == (shape[0],) and (abs(layer["sense"]) == 1).all(), "sense"
            )
        network["layers"].append(layer)
    head = header["head"]
    network["head"] = _weights(arrays, "head", head["kernel_shape"])
    network["scale"], network["bias"] = head["scale"], _integers(arrays["head.bias"])
    _demand(network["head"].shape[1:] == tuple(shape), "weights of the head")
    _demand(network["bias"].shape == network["head"].shape[:1], "biases")
    _demand(isinstance(head["scale"], int) and head["scale"] != 0, "scale")
    return network


def _weights(arrays, name, kernel_shape):
    """Weights from their words: which are 1, and which are not 0."""
    shape = tuple(_size(n) for n in kernel_shape)
    n, bits = math.prod(shape[1:]), {}
    for part in ("sign", "mask"):
        words = arrays[f"{name}.{part}"]
        _demand(words.dtype == "<u8" and words.shape == (shape[0], -(-n // 64)), "words")
        octets = np.ascontiguousarray(words).view(np.uint8)
        bits[part] = np.unpackbits(octets, axis=1, count=n, bitorder="little").astype(np.int64)
    _demand(len(shape) == 4, "shape of the weights")
    return (bits["mask"] * (2 * bits["sign"] - 1)).reshape(shape)


def _integers(array):
    _demand(array.dtype.kind == "i", "no integers")
    return array.astype(np.int64)


def _size(n):
    _demand(type(n) is int and 1 <= n < 2**31, f"size {n!r}")
    return n


def _demand(holds, what):
    if not holds:
        raise ValueError(what)
