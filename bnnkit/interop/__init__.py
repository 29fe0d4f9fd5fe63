"""Files that other tools read and write: networks and formulas."""

import os

from bnnkit.interop import dimacs, eev, opb
from bnnkit.interop.formulas import write_formula
from bnnkit.network import BinaryNetwork

__all__ = ["dimacs", "eev", "opb", "read_network", "write_formula"]

_PICKLED = (".pth", ".pt", ".pickle", ".pkl")


def read_network(path, quant_step=None, input_shape=None):
    """Read a network from a file of any kind; the end of its name says which.

    Parameters
    ----------
    path : path-like
        ``.npz`` as `BinaryNetwork.save` writes, or ``.pth``, ``.pt``, ``.pickle``, ``.pkl`` for
        checkpoints of EEV (see `eev.load`).
    quant_step : float or Fraction, optional
        Step of the input quantiser, where the file does not say.
    input_shape : tuple of int, optional
        (C, H, W) of the images, where the file does not say.

    Returns
    -------
    BinaryNetwork

    Raises
    ------
    OSError
        There is no such file.
    ValueError
        The file is not of the kind that its name says, or is damaged.
    """
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix in _PICKLED:
        return eev.load(path, quant_step, input_shape)
    if quant_step is not None or input_shape is not None:
        raise ValueError(f"{path} holds its quantiser and input shape; leave them out")
    return BinaryNetwork.load(path)
