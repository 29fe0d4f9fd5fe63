"""Files that other tools read and write: networks and formulas."""

import os

from bnnkit.interop import dimacs, eev, opb, veripb
from bnnkit.interop.formulas import write_formula
from bnnkit.network import BinaryNetwork

__all__ = ["dimacs", "eev", "opb", "read_network", "veripb", "write_formula", "write_network"]

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


def write_network(network, path):
    """Write a network, atomically, as the end of the file's name says: ``.npz``.

    Raises
    ------
    ValueError
        The name ends otherwise.
    """
    if not os.fspath(path).lower().endswith(".npz"):
        raise ValueError(f"{path} must end in .npz, the format that is written")
    network.save(path)
