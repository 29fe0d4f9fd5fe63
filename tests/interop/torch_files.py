"""Files as torch writes them, by Python's own pickle and stand-ins for torch's functions."""

import contextlib
import io
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict

import numpy as np

CLASSES = {
    "eevbnn.net_bin": (
        *("InputQuantizer", "BinLinear", "BinLinearPos", "BinConv2d", "BinConv2dPos"),
        *("BatchNormStatsCallbak", "Binarize01Act", "TernaryWeightWithMaskFn", "TernaryWeightFn"),
    ),
    "eevbnn.utils": ("Flatten",),
    "eevbnn_models": ("Model3",),
    "torch.nn.modules.container": ("Sequential",),
    "torch": ("FloatStorage", "DoubleStorage"),
}
PACKAGES = ("eevbnn", "torch.nn", "torch.nn.modules")
FUNCTIONS = {
    "torch._utils": ("_rebuild_tensor_v2", "_rebuild_parameter"),
    "torch.storage": ("_load_from_bytes",),
}


@contextlib.contextmanager
def stand_ins():
    """Modules of torch's names, whose functions do nothing, for as long as something is pickled."""
    names = (*PACKAGES, *CLASSES, *FUNCTIONS)
    modules = {name: types.ModuleType(name) for name in names}
    for module, names in CLASSES.items():
        for name in names:
            setattr(modules[module], name, type(name, (), {"__module__": module}))
    for module, names in FUNCTIONS.items():
        for name in names:
            function = types.FunctionType((lambda *_: None).__code__, {"__name__": module}, name)
            function.__module__, function.__qualname__ = module, name
            setattr(modules[module], name, function)
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield modules
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


class Tensor:
    """A float32 tensor, pickled as torch would."""

    def __init__(self, values, parameter=True, start=0, strides=None, storage="FloatStorage"):
        self.values = np.asarray(values, "<f4")
        strides = [n // 4 for n in self.values.strides] if strides is None else strides
        self.start, self.strides = start, tuple(strides)
        self.parameter, self.storage = parameter, storage

    def __reduce__(self):
        utils = sys.modules["torch._utils"]
        rebuilt = _Rebuilt((
            _Storage(self),
            *(self.start, self.values.shape, self.strides, False, OrderedDict()),
        ))  # fmt: skip
        if not self.parameter:
            return rebuilt.__reduce__()
        return utils._rebuild_parameter, (rebuilt, True, OrderedDict())


class _Rebuilt:
    def __init__(self, arguments):
        self.arguments = arguments

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class _Storage:
    """Raw values: a persistent id in torch's own files, bytes of them in a plain pickle."""

    def __init__(self, tensor):
        self.raw, self.kind = tensor.values.tobytes(), tensor.storage

    def __reduce__(self):
        content = legacy(self)
        return sys.modules["torch.storage"]._load_from_bytes, (content,)


class _Pickler(pickle.Pickler):
    def __init__(self, file, protocol):
        super().__init__(file, protocol)
        self.raws = []

    def persistent_id(self, thing):
        if not isinstance(thing, _Storage):
            return None
        self.raws.append(thing.raw)
        kind = getattr(sys.modules["torch"], thing.kind)
        return "storage", kind, str(len(self.raws) - 1), "cpu", len(thing.raw) // 4


def _dump(thing, protocol=2):
    file = io.BytesIO()
    pickler = _Pickler(file, protocol)
    pickler.dump(thing)
    return file.getvalue(), pickler.raws


def zipped(thing, compression=zipfile.ZIP_STORED, extra=()):
    """What `torch.save` writes; `thing` must be made of stand-ins."""
    content, raws = _dump(thing)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("archive/data.pkl", content)
        for i, raw in enumerate(raws):
            archive.writestr(f"archive/data/{i}", raw)
        for name, raw in extra:
            archive.writestr(name, raw)
    return file.getvalue()


def legacy(thing, little_endian=True):
    """What `torch.save` wrote before version 1.6."""
    content, raws = _dump(thing)
    system = {"protocol_version": 1001, "little_endian": little_endian, "type_sizes": {"int": 4}}
    parts = [pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, system)]
    parts += [content, pickle.dumps([str(i) for i in range(len(raws))], 2)]
    parts += [struct.pack("<q", len(raw) // 4) + raw for raw in raws]
    return b"".join(parts)


def plain(thing, protocol=4):
    """A plain pickle, whose tensors hold bytes."""
    return pickle.dumps(thing, protocol)


def module(modules, name, **state):
    """A module of a network: an object of one of the stand-in classes."""
    home = next(home for home, names in CLASSES.items() if name in names)
    made = getattr(modules[home], name)()
    attributes = ("_parameters", "_buffers", "_modules")
    made.__dict__.update({"training": False} | {key: OrderedDict() for key in attributes})
    made.__dict__["_non_persistent_buffers_set"] = set()
    made.__dict__.update(state)
    return made
