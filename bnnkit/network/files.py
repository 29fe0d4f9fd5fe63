"""The file of a network: one .npz with packed words and a JSON header.

Members: ``header``, JSON as UTF-8 bytes; for hidden layer i ``i.sign`` and ``i.mask``
(weights +1, weights not 0; rows of 64-bit little-endian words over C, KH, KW in row-major
order), ``i.threshold`` and ``i.sense``; ``head.sign``, ``head.mask``, ``head.bias``.

A RealNetwork has the members of its tail, and those of its first layer under ``front``, with
``front.strict`` and with thresholds as text: fractions "3/2" between spaces. Its header is of
version 2, of the kind "real", and holds that of the tail. Nothing is ever pickled.
"""

import hashlib
import json
from fractions import Fraction

import numpy as np

from bnnkit._files import read_npz, write_npz
from bnnkit.network.binary_network import BinaryNetwork
from bnnkit.network.layers import Conv2d, Head, Pool2d
from bnnkit.network.real import RealConv2d, RealNetwork
from bnnkit.quantiser import Quantiser

_FORMAT = "bnnkit-network"
_VERSION, _REAL_VERSION = 1, 2


def save(network, path):
    """Write `network` to `path`, atomically."""
    write_npz(path, _as_arrays(network))


def digest(network):
    """SHA-256 of what `save` writes, as hexadecimal digits: the network's identity."""
    content = hashlib.sha256()
    for name, array in sorted(_as_arrays(network).items()):
        content.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()


def _as_arrays(network):
    if isinstance(network, RealNetwork):
        header, arrays = _real_members(network)
    else:
        header, arrays = _binary_members(network)
    return arrays | {"header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)}


def _real_members(network):
    front = network.front
    tail, arrays = _binary_members(network.tail)
    header = {
        "format": _FORMAT,
        "version": _REAL_VERSION,
        "kind": "real",
        "input_shape": network.input_shape,
        "input_range": [value.as_integer_ratio() for value in network.input_range],
        "front": _geometry(front) | {"threshold_shape": front.threshold.shape},
        "tail": tail,
    }
    threshold = " ".join(map(str, front.threshold.ravel())).encode()
    arrays |= {"front.threshold": np.frombuffer(threshold, np.uint8)}
    arrays |= {"front.sense": front.sense, "front.strict": front.strict}
    return header, arrays | _weight_words("front", front)


def _geometry(layer):
    return {"kernel_shape": layer.kernel_shape, "stride": layer.stride, "padding": layer.padding}


def _binary_members(network):
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "quant_step": network.quantiser.step.as_integer_ratio(),
        "input_shape": network.input_shape,
        "layers": [],
        "head": {"kernel_shape": network.head.kernel_shape, "scale": network.head.scale},
    }
    arrays = {"head.bias": network.head.bias} | _weight_words("head", network.head)
    for i, layer in enumerate(network.layers):
        if isinstance(layer, Pool2d):
            entry = {"kind": "pool2d", "pool": layer.kind}
            entry |= {"size": layer.size, "stride": layer.stride}
        else:
            entry = {"kind": "conv2d"} | _geometry(layer)
            arrays |= _weight_words(str(i), layer)
            arrays |= {f"{i}.threshold": layer.threshold, f"{i}.sense": layer.sense}
        header["layers"].append(entry)
    return header, arrays


def load(path, expected=(BinaryNetwork, RealNetwork)):
    """Read a network that `save` wrote; ValueError names the file and what is wrong with it.

    Parameters
    ----------
    path : str or path-like
    expected : type or tuple of type
        BinaryNetwork, RealNetwork: what the file may hold.
    """
    network = _load(path)
    if not isinstance(network, expected):
        kind = type(network).__name__
        raise ValueError(f"{path} holds a {kind}, not a {expected.__name__}; use {kind}.load")
    return network


def _load(path):
    arrays = read_npz(path)
    try:
        header = json.loads(arrays["header"].tobytes().decode())
        if header["format"] != _FORMAT:
            raise ValueError(f"format {header['format']!r}")
        if header["version"] not in (_VERSION, _REAL_VERSION):
            raise ValueError(
                f"version {header['version']}; this bnnkit reads up to {_REAL_VERSION}"
            )
        build = _build_real if header["version"] == _REAL_VERSION else _build
        return build(header, arrays)
    except KeyError as e:
        raise ValueError(f"{path}: not a bnnkit network: {e} is missing") from None
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as e:
        raise ValueError(f"{path}: not a bnnkit network, or damaged: {e}") from None


def _build_real(header, arrays):
    if header["kind"] != "real":
        raise ValueError(f"a network of unknown kind {header['kind']!r}")
    front = header["front"]
    weights, o = _weights("front", front["kernel_shape"], arrays), front["kernel_shape"][0]
    sense, strict = arrays["front.sense"], arrays["front.strict"]
    if strict.dtype != bool or strict.shape != (o,):
        raise ValueError(f"front.strict must be bool {(o,)}, got {strict.dtype} {strict.shape}")
    texts = arrays["front.threshold"].tobytes().decode().split(" ")
    threshold = np.array([_fraction(text) for text in texts], object)
    threshold = threshold.reshape(front["threshold_shape"])
    layer = RealConv2d(weights, threshold, sense, strict, front["stride"], front["padding"])
    low, high = (Fraction(*value) for value in header["input_range"])
    return RealNetwork(layer, _build(header["tail"], arrays), header["input_shape"], low, high)


def _fraction(text):
    """The Fraction "3/2" or "3"; no "1e9999999", which would be written out in full."""
    numerator, _, denominator = text.partition("/")
    return Fraction(int(numerator), int(denominator or 1))


def _build(header, arrays):
    layers = []
    for i, entry in enumerate(header["layers"]):
        if entry["kind"] == "pool2d":
            layers.append(Pool2d(entry["pool"], entry["size"], entry["stride"]))
            continue
        if entry["kind"] != "conv2d":
            raise ValueError(f"layer {i} is of unknown kind {entry['kind']!r}")
        weights = _weights(str(i), entry["kernel_shape"], arrays)
        threshold, sense = arrays[f"{i}.threshold"], arrays[f"{i}.sense"]
        layers.append(Conv2d(weights, threshold, sense, entry["stride"], entry["padding"]))
    head = header["head"]
    return BinaryNetwork(
        Quantiser(Fraction(*header["quant_step"])),
        layers,
        Head(_weights("head", head["kernel_shape"], arrays), head["scale"], arrays["head.bias"]),
        header["input_shape"],
    )


def _weight_words(name, layer):
    weights = layer.weights.reshape(layer.kernel_shape[0], -1)
    return {f"{name}.sign": _words(weights > 0), f"{name}.mask": _words(weights != 0)}


def _words(bits):
    """Rows of bits as rows of words."""
    octets = np.packbits(np.ascontiguousarray(bits), axis=1, bitorder="little")
    return np.pad(octets, ((0, 0), (0, -octets.shape[1] % 8))).view("<u8")


def _weights(name, kernel_shape, arrays):
    """int8 weights (O, C, KH, KW) from their words."""
    o, c, kh, kw = kernel_shape
    n = c * kh * kw
    bits = {}
    for part in ("sign", "mask"):
        array = arrays[f"{name}.{part}"]
        if array.shape != (o, -(-n // 64)) or array.dtype != np.dtype("<u8"):
            raise ValueError(
                f"{name}.{part} must be uint64 {(o, -(-n // 64))}, got {array.dtype} {array.shape}"
            )
        octets = np.ascontiguousarray(array).view(np.uint8)
        bits[part] = np.unpackbits(octets, axis=1, count=n, bitorder="little").astype(np.int8)
    return ((2 * bits["sign"] - 1) * bits["mask"]).reshape(o, c, kh, kw)
