"""Decode the pickled batches of CIFAR-10's Python version without the pickle machine.

A batch of CIFAR-10 needs a few of the pickle's instructions only (strings, integers, lists, one
dictionary, one uint8 array), and the names that such a file refers to are markers that cannot be
called (see `bnnkit._pickle`).

The published files are of pickle protocol 2 with the labels in a list. Such lists saved
anew with protocol 3 or 4 are read too; protocols 0, 1 and 5 and labels in an array are not.
"""

import enum
import io
import math

import numpy as np

from bnnkit._pickle import StackMachine


def decode(content, pixels):
    """Return images and labels of a pickled batch.

    Parameters
    ----------
    content : bytes
        A pickle of ``{"data": uint8 array (N, pixels), "labels": list of N int, ...}``.
    pixels : int
        Number of values in an image.

    Returns
    -------
    images : ndarray of uint8, shape (N, pixels)
    labels : ndarray of int64, shape (N,)

    Raises
    ------
    ValueError
        The content is anything else.
    """
    batch = _Decoder().run(io.BytesIO(content))
    if not isinstance(batch, dict) or not {"data", "labels"} <= batch.keys():
        raise ValueError("it holds no dictionary with 'data' and 'labels'")
    images, labels = batch["data"], batch["labels"]
    if not isinstance(images, _Array):
        raise ValueError("its 'data' is not an array")
    if not isinstance(labels, list) or any(type(label) is not int for label in labels):
        raise ValueError("its 'labels' are not a list of integers")
    images = images.to_numpy(pixels)
    if len(images) != len(labels) or not labels:
        raise ValueError(f"it holds {len(images)} images and {len(labels)} labels")
    return images, np.array(labels, np.int64)


class _Marker(enum.Enum):
    """What stands on the stack for a name that a batch may refer to; not to be called."""

    RECONSTRUCT = "numpy's array reconstruction"
    NDARRAY = "numpy's array type"
    DTYPE = "numpy's dtype"
    UINT8 = "numpy's dtype of unsigned bytes"
    ENCODE = "how Python 3 writes bytes for Python 2"


_NAMES = {
    "numpy.core.multiarray _reconstruct": _Marker.RECONSTRUCT,
    "numpy._core.multiarray _reconstruct": _Marker.RECONSTRUCT,
    "numpy ndarray": _Marker.NDARRAY,
    "numpy dtype": _Marker.DTYPE,
    "_codecs encode": _Marker.ENCODE,
}


class _Array:
    """A uint8 matrix whose content is still that of the pickle."""

    shape = (0, 0)
    order = "C"
    raw = b""

    def to_numpy(self, pixels):
        raw = self.raw.encode("latin-1") if isinstance(self.raw, str) else self.raw
        if self.shape[1] != pixels or math.prod(self.shape) != len(raw):
            raise ValueError(
                f"its array has shape {self.shape} and {len(raw)} bytes, not (N, {pixels})"
            )
        return np.frombuffer(raw, np.uint8).reshape(self.shape, order=self.order)


class _Decoder(StackMachine):
    """Python 2 strings and bytes are kept as text of the code points 0..255."""

    kind = "batch"
    names = _NAMES
    steps = StackMachine.steps | dict.fromkeys(["BINSTRING", "SHORT_BINSTRING"], StackMachine.push)

    def reduce(self, _):
        match self.pop(2):
            case [_Marker.ENCODE, (str(text), "latin1")]:
                self.push(text)
            case [_Marker.RECONSTRUCT, (_Marker.NDARRAY, _, _)]:
                self.push(_Array())
            case [_Marker.DTYPE, ("u1" | "|u1", _, _)]:
                self.push(_Marker.UINT8)
            case [_Marker.DTYPE, _]:
                raise ValueError("its array is not of type uint8")
            case _:
                super().reduce(_)

    def build(self, _):
        match self.pop(2):
            case [
                _Array() as array,
                (1, (int(rows), int(columns)), _Marker.UINT8, fortran, str() | bytes() as raw),
            ]:
                array.shape = (rows, columns)
                array.order = "F" if fortran else "C"
                array.raw = raw
                self.push(array)
            case [_Marker.UINT8, tuple()]:  # byte order and alignment: no matter for bytes
                self.push(_Marker.UINT8)
            case _:
                raise ValueError("it sets the state of something that is not a uint8 matrix")
