"""The file of a network: one .npz with packed words and a JSON header.

Members: ``header``, JSON as UTF-8 bytes; for hidden layer i ``i.sign`` and ``i.mask``
(weights +1, weights not 0; rows of 64-bit little-endian words over C, KH, KW in row-major
order), ``i.threshold`` and ``i.sense``; ``head.sign``, ``head.mask``, ``head.bias``.
Nothing is ever pickled.
"""

import hashlib
import json
from fractions import Fraction

import numpy as np

from bnnkit._files import read_npz, write_npz
from bnnkit.network.binary_network import BinaryNetwork
from bnnkit.network.layers import Conv2d, Head, Pool2d
from bnnkit.quantiser import Quantiser

_FORMAT = "bnnkit-network"
_VERSION = 1


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
            entry = {"kind": "conv2d", "kernel_shape": layer.kernel_shape}
            entry |= {"stride": layer.stride, "padding": layer.padding}
            arrays |= _weight_words(str(i), layer)
            arrays |= {f"{i}.threshold": layer.threshold, f"{i}.sense": layer.sense}
        header["layers"].append(entry)
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    return arrays


def load(path):
    """Read a network that `save` wrote; ValueError names the file and what is wrong with it."""
    arrays = read_npz(path)
    try:
        header = json.loads(arrays["header"].tobytes().decode())
        if header["format"] != _FORMAT:
            raise ValueError(f"format {header['format']!r}")
        if header["version"] != _VERSION:
            raise ValueError(f"version {header['version']}; this bnnkit reads {_VERSION}")
        return _build(header, arrays)
    except KeyError as e:
        raise ValueError(f"{path}: not a bnnkit network: {e} is missing") from None
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as e:
        raise ValueError(f"{path}: not a bnnkit network, or damaged: {e}") from None


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
