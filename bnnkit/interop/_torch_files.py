"""The files of PyTorch, read without it: nothing that they name is imported or called.

Three containers hold the same kind of pickle:

- the zip of `torch.save`: a pickle ``data.pkl``, and a member ``data/<key>`` of raw values for
  each storage that the pickle refers to;
- what `torch.save` wrote before version 1.6: four small pickles, the object's pickle in their
  midst, then the storages one after another, each behind its number of values;
- a plain pickle of a module, whose tensors hold bytes of that older kind each.
"""

import enum
import io
import math
import struct
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bnnkit._pickle import StackMachine

_LARGEST_FILE = 2**28  # bytes; far above any binarized network, far below what hurts
_MOST_INNER = 300, 3_000  # pickles of tensors in the pickle of a module, and their instructions
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_DAMAGE = (zipfile.BadZipFile, struct.error, OSError, EOFError, RuntimeError, NotImplementedError)


@dataclass(eq=False)
class Module:
    """A module of a network, as its file has it.

    Attributes
    ----------
    name : str
        The class, without its module.
    state : dict
        Its attributes.
    """

    name: str
    state: dict = field(default_factory=dict)


@dataclass(eq=False)
class Tensor:
    """A float32 tensor whose values may still have to be read from the file."""

    storage: "_Storage"
    start: int
    shape: tuple

    def to_numpy(self):
        """The values as float32 of the tensor's shape, read-only."""
        end = self.start + math.prod(self.shape)
        if self.storage.values is None:
            raise ValueError(f"the values of its storage {self.storage.key} are missing")
        if self.start < 0 or end > len(self.storage.values):
            raise ValueError(
                f"a tensor of shape {self.shape} goes beyond the {len(self.storage.values)} "
                f"values of its storage {self.storage.key}"
            )
        return self.storage.values[self.start : end].reshape(self.shape)


@dataclass(eq=False)
class _Storage:
    """A run of float32 values; None until they are read."""

    key: str
    size: int
    values: np.ndarray | None = None


class _Marker(enum.Enum):
    """What stands on the stack for a function; not to be called."""

    ORDERED_DICT = enum.auto()
    SET = enum.auto()
    FLOAT_STORAGE = enum.auto()
    REBUILD_TENSOR = enum.auto()
    REBUILD_PARAMETER = enum.auto()
    LOAD_FROM_BYTES = enum.auto()


@dataclass(frozen=True)
class _Class:
    """What stands on the stack for a class of modules."""

    name: str


_NAMES = {
    "collections OrderedDict": _Marker.ORDERED_DICT,
    "__builtin__ set": _Marker.SET,
    "builtins set": _Marker.SET,
    "torch FloatStorage": _Marker.FLOAT_STORAGE,
    "torch._utils _rebuild_tensor_v2": _Marker.REBUILD_TENSOR,
    "torch._utils _rebuild_parameter": _Marker.REBUILD_PARAMETER,
    "torch.storage _load_from_bytes": _Marker.LOAD_FROM_BYTES,
}


class _Decoder(StackMachine):
    """Builds dictionaries, modules and float32 tensors.

    Parameters
    ----------
    classes : collection of str
        The modules whose classes may be named, besides what a tensor needs.
    inner : bool
        Whether the pickle is part of another one, and may hold no third.
    """

    kind = "checkpoint"
    names = _NAMES

    def __init__(self, classes=(), inner=True):
        super().__init__()
        self.classes, self.inner = classes, inner
        self.storages, self.loaded = {}, {}
        if inner:
            self.most = _MOST_INNER[1]

    def resolve(self, name):
        module, _, class_name = name.partition(" ")
        if name not in _NAMES and module in self.classes and class_name.isidentifier():
            self.push(_Class(class_name))
        else:
            super().resolve(name)

    def new(self, _):
        match self.pop(2):
            case [_Class(name), ()]:
                self.push(Module(name))
            case _:
                raise ValueError("it makes an object of something that is no module of a network")

    def storage(self, _):
        """What torch stores elsewhere: ("storage", type, key, device, number of values, ..)."""
        match self.pop(1):
            case [("storage", _Marker.FLOAT_STORAGE, str(key), str(), int(size), *_)]:
                known = self.storages.setdefault(key, _Storage(key, size))
                if known.size != size or size < 0:
                    raise ValueError(f"its storage {key[:40]!r} has sizes {known.size} and {size}")
                self.push(known)
            case _:
                raise ValueError("it refers to something that is not a storage of float32 values")

    def reduce(self, _):
        match self.pop(2):
            case [_Marker.ORDERED_DICT, ()]:
                self.push({})
            case [_Marker.SET, ([*_],)]:
                self.push(set())  # names of buffers, which no reader asks for
            case [
                _Marker.REBUILD_TENSOR,
                (_Storage() as storage, int(start), tuple(shape), tuple(strides), *_),
            ]:
                self.push(_tensor(storage, start, shape, strides))
            case [_Marker.REBUILD_PARAMETER, (Tensor() as tensor, *_)]:
                self.push(tensor)
            case [_Marker.LOAD_FROM_BYTES, (bytes(content),)] if not self.inner:
                self.push(self.load(content))
            case _:
                super().reduce(_)

    def load(self, content):
        """The storage in some bytes; each is read once, so that work is bounded by the file."""
        if id(content) in self.loaded or len(self.loaded) == _MOST_INNER[0]:
            raise ValueError(f"its bytes are read twice, or in more than {_MOST_INNER[0]} places")
        self.loaded[id(content)] = content  # held, so that no other object gets its identity
        storage = _read_legacy(content)
        if not isinstance(storage, _Storage):
            raise ValueError("the bytes in its tensor are not a storage")
        return storage

    def build(self, _):
        match self.pop(2):
            case [Module() as module, dict(state)]:
                module.state = state
                self.push(module)
            case [dict(mapping), dict()]:  # attributes of an ordered dictionary
                self.push(mapping)
            case _:
                raise ValueError("it sets the state of something that is no module of a network")


_Decoder.steps = StackMachine.steps | {
    "EMPTY_SET": lambda machine, _: machine.push(set()),
    "BINFLOAT": StackMachine.push,
    "NEWOBJ": _Decoder.new,
    "BINPERSID": _Decoder.storage,
}


def read_object(path, classes):
    """The object in a file of PyTorch.

    Parameters
    ----------
    path : path-like
    classes : collection of str
        The Python modules that may be named for classes of network modules, such as
        "torch.nn.modules.container".

    Returns
    -------
    dict or Module
        With tensors as `Tensor`, and what else is needed of Python's own types.

    Raises
    ------
    OSError
        There is no such file.
    ValueError
        The file is something else, damaged, or names what no checkpoint needs.
    """
    size = Path(path).stat().st_size
    if size > _LARGEST_FILE:
        raise ValueError(f"it has {size} bytes, more than {_LARGEST_FILE}")
    content = Path(path).read_bytes()
    if zipfile.is_zipfile(io.BytesIO(content)):
        return _read_zip(content, classes)
    if content.startswith(_legacy_start()):
        return _read_legacy(content, classes, inner=False)
    return _Decoder(classes, inner=False).run(io.BytesIO(content))


def _read_zip(content, classes):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {info.filename: info for info in archive.infolist()}
            _check_members(members, len(content))
            name = next((name for name in members if name.endswith("/data.pkl")), None)
            if name is None:
                raise ValueError("it is a zip without a data.pkl, so not by torch.save")
            decoder = _Decoder(classes, inner=False)
            found = decoder.run(io.BytesIO(archive.read(name)))
            folder = name.removesuffix("data.pkl")
            order = f"{folder}byteorder"
            if order in members and archive.read(order) != b"little":
                raise ValueError("its values are not in little-endian order")
            for key, storage in decoder.storages.items():
                if f"{folder}data/{key}" in members:
                    _fill(storage, archive.read(f"{folder}data/{key}"))
            return found
    except _DAMAGE as error:
        raise ValueError(f"it is a damaged zip ({str(error)[:200]})") from None


def _check_members(members, size):
    """Members lie in the file as they are, so that memory is bounded by the file's size."""
    if any(info.compress_type != zipfile.ZIP_STORED for info in members.values()):
        raise ValueError("it is a compressed zip, which torch.save does not write")
    if sum(info.file_size for info in members.values()) > size:
        raise ValueError("its members claim more bytes than it has")


def _read_legacy(content, classes=(), inner=True):
    if not content.startswith(_legacy_start()):
        raise ValueError("it does not begin as the files of torch.save do")
    stream = io.BytesIO(content)
    stream.seek(len(_legacy_start()))
    system = _Decoder().run(stream)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ValueError("its values are not in little-endian order")
    decoder = _Decoder(classes, inner)
    found = decoder.run(stream)
    keys = _Decoder().run(stream)
    if not isinstance(keys, list) or set(map(type, keys)) - {str}:
        raise ValueError("its list of storages makes no sense")
    for key in keys:
        storage = decoder.storages.pop(key, None)
        if storage is None:
            raise ValueError("its list of storages names one that nothing refers to")
        start = stream.tell() + 8  # of the values, behind their number
        end = stream.seek(start + 4 * storage.size)
        if content[start - 8 : start] != storage.size.to_bytes(8, "little"):
            raise ValueError(f"its storage {key[:40]!r} does not have {storage.size} values")
        _fill(storage, memoryview(content)[start:end])
    return found


def _legacy_start():
    """Two pickles: torch's magic number and the number of its protocol."""
    magic = _LEGACY_MAGIC.to_bytes(10, "little")
    return b"\x80\x02\x8a\x0a" + magic + b".\x80\x02M" + struct.pack("<H", _LEGACY_PROTOCOL) + b"."


def _tensor(storage, start, shape, strides):
    """A tensor that lies row by row, so that it has no more values than its storage."""
    if len(shape) > 4 or not all(type(n) is int and n >= 0 for n in (*shape, *strides)):
        raise ValueError("a tensor has a shape or strides that make no sense")
    expected = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    if len(shape) != len(strides) or any(
        n != 1 and have != want for n, have, want in zip(shape, strides, expected, strict=True)
    ):
        raise ValueError(f"a tensor of shape {shape} is not stored row by row")
    return Tensor(storage, start, shape)


def _fill(storage, raw):
    if len(raw) != 4 * storage.size:
        raise ValueError(
            f"its storage {storage.key[:40]!r} has {len(raw)} bytes, "
            f"not the {4 * storage.size} of {storage.size} float32 values"
        )
    storage.values = np.frombuffer(raw, "<f4")
