"""What layers a network has: named architectures and free specifications.

A specification is a string of hidden layers from the input on, joined by "-":
"512" is a dense layer of 512 units, "conv16k4s2p1" a convolution with 16 channels,
kernel 4x4, stride 2 and padding 1 (stride 1 and padding 0 where left out).
The layer of classes is not part of it.
"""

import itertools
import math
import numbers
import re
from dataclasses import dataclass
from typing import NamedTuple

from bnnkit._names import unknown

ARCHITECTURES = {
    "mlp-large": "512-512-100",
    "mlp-medium": "50-200-400",
    "mlp-small": "50-50",
    "cnn": "conv32k4s2p1-conv64k4s2p1-512-256",
    "conv-small": "conv16k4s2p1-conv32k4s2p1-100",
    "conv-large": "conv32k3p1-conv32k4s2p1-conv64k3p1-conv64k4s2p1-512-512",
}

_MOST_WEIGHTS = 2**28  # training holds some 40 bytes for each
_CONV = re.compile(r"conv(\d+)k(\d+)(?:s(\d+))?(?:p(\d+))?")


@dataclass(frozen=True)
class Dense:
    """A layer in which each of `units` neurons sees the whole input.

    Parameters
    ----------
    units : int
        At least 1.

    Raises
    ------
    ValueError
        For another number of units.

    Examples
    --------
    Of the names of `ARCHITECTURES`, "mlp-small" means the same as this list:

    >>> from bnnkit import BNNClassifier
    >>> from bnnkit.nn import Dense
    >>> classifier = BNNClassifier([Dense(50), Dense(50)], random_state=0)
    >>> classifier.architecture
    [Dense(units=50), Dense(units=50)]
    """

    units: int

    def __post_init__(self):
        _check_size(self, units=self.units)


@dataclass(frozen=True)
class Conv:
    """A 2-D convolution with a square kernel, zero padded.

    Parameters
    ----------
    channels, kernel, stride : int
        Output channels, the side of the kernel, the step from window to window; at least 1.
    padding : int
        Rows and columns of level or bit 0 on each side, in [0, kernel - 1].

    Raises
    ------
    ValueError
        For numbers out of range.

    Examples
    --------
    >>> from bnnkit.nn import Conv, Dense
    >>> Conv(16, 4, stride=2, padding=1)
    Conv(channels=16, kernel=4, stride=2, padding=1)
    """

    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0

    def __post_init__(self):
        _check_size(self, channels=self.channels, kernel=self.kernel, stride=self.stride)
        if not isinstance(self.padding, int) or not 0 <= self.padding < self.kernel:
            raise ValueError(f"padding must be in [0, kernel - 1] in {self}, got {self.padding!r}")


def _check_size(layer, **sizes):
    for name, size in sizes.items():
        if not isinstance(size, int) or size < 1:
            raise ValueError(f"{name} must be a whole number of at least 1 in {layer}")


class Geometry(NamedTuple):
    """The shape of one layer once its input is known; a dense kernel is the whole input."""

    input_shape: tuple  # (H, W, C)
    output_shape: tuple  # (OH, OW, O)
    kernel: tuple  # (kh, kw)
    stride: int
    padding: int


def parse_architecture(architecture):
    """Return the hidden layers of `architecture`.

    Parameters
    ----------
    architecture : str, or list or tuple of (Dense, Conv or int)
        A name of `ARCHITECTURES`, a specification, or the layers themselves; an int
        stands for a dense layer.

    Returns
    -------
    tuple of (Dense or Conv)

    Raises
    ------
    ValueError, TypeError
        Unknown name, malformed part, a size of zero, a convolution after a dense layer.

    Examples
    --------
    >>> parse_architecture("conv16k4s2p1-100")
    (Conv(channels=16, kernel=4, stride=2, padding=1), Dense(units=100))
    >>> parse_architecture("mlp-small") == parse_architecture([50, 50])
    True
    """
    if isinstance(architecture, str):
        layers = _parse_text(architecture)
    elif isinstance(architecture, (list, tuple)):
        layers = tuple(_as_layer(layer) for layer in architecture)
    else:
        raise TypeError(
            "an architecture must be a name, a specification such as '512-100', or a list or "
            f"tuple of layers, got {architecture!r}"
        )
    if not layers:
        raise ValueError("an architecture needs at least one hidden layer, got none")
    for before, after in itertools.pairwise(layers):
        if isinstance(before, Dense) and isinstance(after, Conv):
            raise ValueError(f"a convolution cannot follow a dense layer: {after} after {before}")
    return layers


def plan(layers, input_shape):
    """Resolve the shapes of `layers` on images of shape (C, H, W).

    Returns
    -------
    list of Geometry

    Raises
    ------
    ValueError
        A kernel is larger than its padded input, or all layers together have more than
        2**28 weights.
    """
    channels, height, width = input_shape
    shape = (height, width, channels)
    geometries = []
    for layer in layers:
        geometries.append(_resolve(layer, shape))
        shape = geometries[-1].output_shape
    n_weights = sum(map(_n_weights, geometries))
    if n_weights > _MOST_WEIGHTS:
        raise ValueError(
            f"the network would have {n_weights} weights, the limit is {_MOST_WEIGHTS}; "
            "use fewer units or channels"
        )
    return geometries


def _n_weights(geometry):
    return math.prod(geometry.kernel) * geometry.input_shape[2] * geometry.output_shape[2]


def _parse_text(text):
    parts = ARCHITECTURES.get(text, text).split("-")
    layers = tuple(_parse_part(part) for part in parts)
    if None not in layers:
        return layers
    raise ValueError(
        f"{parts[layers.index(None)]!r} is not a layer such as '512' or 'conv16k4s2p1', and "
        + unknown("named architecture", text, ARCHITECTURES)
    )


def _parse_part(part):
    """The layer that `part` of a specification names, or None."""
    if part.isdecimal():
        return Dense(int(part))
    match = _CONV.fullmatch(part)
    if match is None:
        return None
    channels, kernel, stride, padding = match.groups()
    return Conv(int(channels), int(kernel), int(stride or 1), int(padding or 0))


def _as_layer(layer):
    if isinstance(layer, (Dense, Conv)):
        return layer
    if isinstance(layer, numbers.Integral) and not isinstance(layer, bool):
        return Dense(int(layer))
    raise TypeError(f"a layer must be Dense, Conv or a number of units, got {layer!r}")


def _resolve(layer, shape):
    from bnnkit.kernels import output_size  # loads numba, which the table above does not need

    height, width, _ = shape
    if isinstance(layer, Dense):
        return Geometry(shape, (1, 1, layer.units), (height, width), 1, 0)
    rows, columns = (
        output_size(size, layer.kernel, layer.stride, layer.padding) for size in (height, width)
    )
    if rows < 1 or columns < 1:
        raise ValueError(
            f"{layer} has a kernel larger than its padded input of {height} x {width} pixels"
        )
    kernel = (layer.kernel, layer.kernel)
    return Geometry(shape, (rows, columns, layer.channels), kernel, layer.stride, layer.padding)
