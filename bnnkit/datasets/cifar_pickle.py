"""Decode the pickled batches of CIFAR-10's Python version without the pickle machine.

A pickle is a program: loading it with `pickle` calls whatever it names. A batch of
CIFAR-10 needs a few of its instructions only (strings, integers, lists, one dictionary,
one uint8 array), so this module steps through them itself, and the four names that such
a file refers to are markers that cannot be called. Anything else is refused, and memory
stays within a small multiple of the file's size.

The published files are of pickle protocol 2 with the labels in a list. Such lists saved
anew with protocol 3 or 4 are read too; protocols 0, 1 and 5 and labels in an array are not.
"""

import enum
import io
import math
import pickletools
import warnings

import numpy as np


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
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pickletools' own, on backslashes in damaged names
            batch = _Decoder().run(content)
    except (IndexError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("its instructions make no sense") from error
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


class _Decoder:
    """A stack machine for the part of the pickle language that a batch uses.

    Python 2 strings and bytes are kept as text of the code points 0..255.
    """

    def __init__(self):
        self.stack = []
        self.marks = []  # heights of the stack
        self.memo = {}

    def run(self, content):
        for opcode, argument, _ in pickletools.genops(io.BytesIO(content)):
            if opcode.name == "STOP":
                break
            if opcode.name not in _STEPS:
                raise ValueError(f"it uses the instruction {opcode.name}, which no batch needs")
            _STEPS[opcode.name](self, argument)
        return self.stack.pop()

    def push(self, value):
        self.stack.append(value)

    def mark(self, _):
        self.marks.append(len(self.stack))

    def pop(self, count):
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def pop_to_mark(self):
        height = self.marks.pop()
        items = self.stack[height:]
        del self.stack[height:]
        return items

    def store(self, index):
        self.memo[index] = self.stack[-1]

    def memoize(self, _):
        self.memo[len(self.memo)] = self.stack[-1]

    def recall(self, index):
        self.push(self.memo[index])

    def append(self, items):
        self.stack[-1].extend(items)

    def set_items(self, items):
        for key, value in zip(items[::2], items[1::2], strict=True):
            key = key.decode("latin-1") if isinstance(key, bytes) else key
            if not isinstance(key, str):
                raise ValueError("a key of its dictionary is not a string")
            self.stack[-1][key] = value

    def resolve(self, name):
        if name not in _NAMES:
            raise ValueError(f"it refers to {name.replace(' ', '.')}, which is refused unrun")
        self.push(_NAMES[name])

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
                raise ValueError("it calls something that no batch needs, which is refused unrun")

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


def _ignore(decoder, argument):
    """PROTO and FRAME announce what follows; there is nothing to do."""


_STEPS = {
    "PROTO": _ignore,
    "FRAME": _ignore,
    "MARK": _Decoder.mark,
    "NONE": _Decoder.push,  # its argument is None
    "NEWTRUE": lambda decoder, _: decoder.push(True),
    "NEWFALSE": lambda decoder, _: decoder.push(False),
    "EMPTY_LIST": lambda decoder, _: decoder.push([]),
    "EMPTY_DICT": lambda decoder, _: decoder.push({}),
    "EMPTY_TUPLE": lambda decoder, _: decoder.push(()),
    "TUPLE1": lambda decoder, _: decoder.push(tuple(decoder.pop(1))),
    "TUPLE2": lambda decoder, _: decoder.push(tuple(decoder.pop(2))),
    "TUPLE3": lambda decoder, _: decoder.push(tuple(decoder.pop(3))),
    "TUPLE": lambda decoder, _: decoder.push(tuple(decoder.pop_to_mark())),
    "APPEND": lambda decoder, _: decoder.append(decoder.pop(1)),
    "APPENDS": lambda decoder, _: decoder.append(decoder.pop_to_mark()),
    "SETITEM": lambda decoder, _: decoder.set_items(decoder.pop(2)),
    "SETITEMS": lambda decoder, _: decoder.set_items(decoder.pop_to_mark()),
    "MEMOIZE": _Decoder.memoize,
    "GLOBAL": _Decoder.resolve,
    "STACK_GLOBAL": lambda decoder, _: decoder.resolve(" ".join(decoder.pop(2))),
    "REDUCE": _Decoder.reduce,
    "BUILD": _Decoder.build,
}
_STEPS |= dict.fromkeys(["BININT", "BININT1", "BININT2", "LONG1"], _Decoder.push)
_STEPS |= dict.fromkeys(["BINSTRING", "SHORT_BINSTRING"], _Decoder.push)
_STEPS |= dict.fromkeys(["BINUNICODE", "SHORT_BINUNICODE"], _Decoder.push)
_STEPS |= dict.fromkeys(["BINBYTES", "SHORT_BINBYTES"], _Decoder.push)
_STEPS |= dict.fromkeys(["BINPUT", "LONG_BINPUT"], _Decoder.store)
_STEPS |= dict.fromkeys(["BINGET", "LONG_BINGET"], _Decoder.recall)
