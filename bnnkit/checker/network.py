"""Reading the file of a network into plain arrays, and its digest."""

import hashlib
import json
import math
from fractions import Fraction

import numpy as np

from bnnkit._files import read_npz

MOST_BITS = 10**6  # that a layer reads, padding included; and of all layers
MOST_WEIGHTS = 2**25  # of a layer


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
        types = {name: array.dtype.str for name, array in arrays.items()}
        _demand(types == _members(header), "its members and their types are not those it needs")
        return _network(header, arrays), _digest(arrays)
    except (KeyError, ValueError, TypeError, ArithmeticError, AttributeError, RecursionError) as e:
        raise ValueError(f"{path}: not a network ({type(e).__name__}: {e})") from None


def _members(header):
    """The types of all arrays that the file has, by their names."""
    types = {"header": "|u1", "head.sign": "<u8", "head.mask": "<u8", "head.bias": "<i8"}
    for i, entry in enumerate(header["layers"]):
        if entry["kind"] == "conv2d":
            of_layer = {"sign": "<u8", "mask": "<u8", "threshold": "<i4", "sense": "|i1"}
            types |= {f"{i}.{name}": kind for name, kind in of_layer.items()}
    return types


def _digest(arrays):
    content = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        content.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        content.update(array.data)
    return content.hexdigest()


def _network(header, arrays):
    bits, shape, (above, below) = 0, [_size(n) for n in header["input_shape"]], header["quant_step"]
    _demand(type(above) is type(below) is int and len(shape) == 3, "shape or step")
    network = {"step": Fraction(above, below), "shape": tuple(shape), "layers": []}
    _demand(Fraction(1, 255) <= network["step"] < 2, "step")
    for i, entry in enumerate(header["layers"]):
        layer = {"stride": _size(entry["stride"])}
        if entry["kind"] == "pool2d":
            _demand(entry["pool"] in ("or", "and") and i > 0, "pool")
            layer |= {"pool": entry["pool"], "size": _size(entry["size"])}
            kernel, padding = (shape[0], shape[0], layer["size"], layer["size"]), 0
        else:
            _demand(entry["kind"] == "conv2d", "kind of layer")
            kernel, padding = _kernel(entry, shape[0]), entry["padding"]
            _demand(padding == _size(padding + 1) - 1, "padding")
        padded = [n + 2 * padding for n in shape[1:]]
        _demand(shape[0] * math.prod(padded) <= MOST_BITS, "size of a layer")
        shape = [kernel[0]] + [
            _size((n - k) // layer["stride"] + 1) for n, k in zip(padded, kernel[2:], strict=True)
        ]
        bits += math.prod(shape)
        _demand(bits <= MOST_BITS, "number of bits")
        if entry["kind"] == "conv2d":
            layer |= {"weights": _weights(arrays, str(i), kernel), "padding": padding}
            layer |= {name: arrays[f"{i}.{name}"] for name in ("threshold", "sense")}
            _demand(layer["threshold"].shape in (tuple(shape[:1]), tuple(shape)), "thresholds")
            _demand(layer["sense"].shape == (shape[0],), "sense")
            _demand(np.isin(layer["sense"], (-1, 1)).all(), "sense")
        network["layers"].append(layer)
    head = header["head"]
    kernel = _kernel(head, shape[0])
    _demand(list(kernel[1:]) == shape, "weights of the head")
    network["head"] = _weights(arrays, "head", kernel)
    network["scale"], network["bias"] = head["scale"], arrays["head.bias"]
    _demand(network["bias"].shape == kernel[:1], "biases")
    _demand(type(head["scale"]) is int and head["scale"] != 0, "scale")
    return network


def _kernel(entry, channels):
    """The shape (O, C, KH, KW) of a layer's weights, before anything is unpacked."""
    shape = tuple(_size(n) for n in entry["kernel_shape"])
    _demand(len(shape) == 4 and shape[1] == channels, "shape of the weights")
    _demand(math.prod(shape) <= MOST_WEIGHTS, "number of weights")
    return shape


def _weights(arrays, name, shape):
    """Weights from their words: which are 1, and which are not 0."""
    n, bits = math.prod(shape[1:]), {}
    for part in ("sign", "mask"):
        words = arrays[f"{name}.{part}"]
        _demand(words.shape == (shape[0], -(-n // 64)), "words")
        octets = np.ascontiguousarray(words).view(np.uint8)
        bits[part] = np.unpackbits(octets, axis=1, count=n, bitorder="little")
    signs = 2 * bits["sign"].view(np.int8) - 1
    return (bits["mask"].view(np.int8) * signs).astype(np.int64).reshape(shape)


def _size(n):
    _demand(type(n) is int and 1 <= n < 2**31, f"size {n!r}")
    return n


def _demand(holds, what):
    if not holds:
        raise ValueError(what)
