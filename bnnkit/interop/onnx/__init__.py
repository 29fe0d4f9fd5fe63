"""Networks in and out of ONNX, the format that frameworks exchange."""

from bnnkit.interop.onnx.reading import Imported, read
from bnnkit.interop.onnx.replaying import replay
from bnnkit.interop.onnx.writing import save

__all__ = ["Imported", "load", "read", "replay", "save"]


def load(path, quant_step=None, input_shape=None, input_range=None):
    """Read a binarized network from an ONNX file, plain or gzipped.

    The file is read as real arithmetic with the numbers that stand in it, so nothing is rounded
    but 1 / sqrt(variance) of a batch-norm, to 256 binary digits.

    Parameters
    ----------
    path : path-like
    quant_step : float or Fraction, optional
        For a network that reads pixels which were rounded to multiples of this step outside of
        the file. Where the rounding is in the file, it is found.
    input_shape : tuple of int, optional
        (C, H, W), for a network that reads a vector, in this order.
    input_range : pair of numbers, optional
        Lowest and highest pixel. By default what the file says in its metadata, if it is ours;
        otherwise (0, 1) where pixels are rounded to levels, and (0, 255) where they are not.

    Returns
    -------
    BinaryNetwork or RealNetwork
        The first where pixels are rounded to levels.

    Raises
    ------
    OSError
        There is no such file.
    ImportError
        The package onnx is missing.
    ValueError
        Not an ONNX file, or damaged; or not a binarized network, with the node that is not.

    Examples
    --------
    >>> import tempfile
    >>> import bnnkit
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bnnkit.interop.onnx.save(network, f"{folder}/network.onnx")
    ...     again = bnnkit.interop.onnx.load(f"{folder}/network.onnx")
    >>> again == network
    True
    """
    return read(path, quant_step, input_shape, input_range).network
