"""Files that other tools read and write: networks and formulas."""

import os

from bnnkit.interop import dimacs, eev, onnx, opb, veripb, vnnlib
from bnnkit.interop.formulas import write_formula
from bnnkit.network.files import load

__all__ = ["dimacs", "eev", "onnx", "opb", "veripb", "vnnlib"]
__all__ += ["read_network", "write_formula", "write_network"]

_PICKLED = (".pth", ".pt", ".pickle", ".pkl")
_ONNX = (".onnx", ".onnx.gz")


def read_network(path, quant_step=None, input_shape=None, input_range=None):
    """Read a network from a file of any kind; the end of its name says which.

    Parameters
    ----------
    path : path-like
        ``.npz`` as a network's `save` writes; ``.onnx`` or ``.onnx.gz`` (see `onnx.load`);
        ``.pth``, ``.pt``, ``.pickle``, ``.pkl`` for checkpoints of EEV (see `eev.load`).
    quant_step : float or Fraction, optional
        Step of the input quantiser, where the file does not say.
    input_shape : tuple of int, optional
        (C, H, W) of the images, where the file does not say.
    input_range : pair of numbers, optional
        Lowest and highest pixel, where an ONNX file does not say.

    Returns
    -------
    BinaryNetwork or RealNetwork

    Raises
    ------
    OSError
        There is no such file.
    ValueError
        The file is not of the kind that its name says, or is damaged.

    Examples
    --------
    >>> import tempfile
    >>> from bnnkit import interop, zoo
    >>> network = zoo.load("mnist-mlp-eps0.1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     interop.write_network(network, f"{folder}/network.npz")
    ...     interop.read_network(f"{folder}/network.npz") == network
    True
    """
    if os.fspath(path).lower().endswith(_ONNX):
        return onnx.load(path, quant_step, input_shape, input_range)
    if input_range is not None:
        raise ValueError(f"{path} has pixels from 0 to 1; leave out the input range")
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix in _PICKLED:
        return eev.load(path, quant_step, input_shape)
    if quant_step is not None or input_shape is not None:
        raise ValueError(f"{path} holds its quantiser and input shape; leave them out")
    return load(path)


def write_network(network, path):
    """Write a network, atomically, as the end of the file's name says.

    Parameters
    ----------
    network : BinaryNetwork or RealNetwork
    path : path-like
        ``.npz``, or ``.onnx`` or ``.onnx.gz`` (see `onnx.save`).

    Raises
    ------
    ValueError
        The name ends otherwise, or ONNX cannot hold the network.

    Examples
    --------
    >>> import tempfile
    >>> import bnnkit
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bnnkit.interop.write_network(network, f"{folder}/network.onnx.gz")
    ...     bnnkit.interop.read_network(f"{folder}/network.onnx.gz") == network
    True
    """
    if os.fspath(path).lower().endswith(_ONNX):
        onnx.save(network, path)
    elif os.fspath(path).lower().endswith(".npz"):
        network.save(path)
    else:
        raise ValueError(f"{path} must end in .npz or .onnx, the formats that are written")
