import io
import os
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from interop import torch_files
from interop.torch_files import Tensor

from bnnkit.interop import eev
from bnnkit.interop._torch_files import Module, read_object

CLASSES = ("eevbnn.net_bin", "torch.nn.modules.container")
FORMS = {"zip": torch_files.zipped, "legacy": torch_files.legacy, "plain": torch_files.plain}


@pytest.fixture(params=FORMS)
def read(request, tmp_path):
    """A function that writes what a function makes, and reads it again."""

    def write_and_read(make):
        with torch_files.stand_ins() as modules:
            content = FORMS[request.param](make(modules))
        path = tmp_path / "file.pth"
        path.write_bytes(content)
        return read_object(path, CLASSES)

    return write_and_read


def test_tensors(read):
    arrays = {
        "matrix": np.arange(6).reshape(2, 3),
        "vector": np.array([0.1, -np.inf, np.nan]),
        "number": np.array(2.5),
        "kernel": np.arange(48).reshape(2, 3, 4, 2),
        "column": np.zeros((3, 1)),
    }
    found = read(lambda _: {name: Tensor(a, name != "matrix") for name, a in arrays.items()})
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        values = found[name].to_numpy()
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, array.astype(np.float32))


def test_part_of_a_storage(read):
    tensor = Tensor(np.arange(6))
    tensor.start, tensor.strides = 2, (3, 1)
    whole, tensor.values = tensor.values, tensor.values.reshape(2, 3)
    with pytest.raises(ValueError, match=r"shape \(2, 3\) goes beyond the 6 values"):
        read(lambda _: tensor).to_numpy()
    tensor.values, tensor.strides = whole, (1,)
    tensor.start = -1
    with pytest.raises(ValueError, match="goes beyond"):
        read(lambda _: tensor).to_numpy()


@pytest.mark.parametrize("strides", [(1, 2), (0, 0), (3,), (-3, 1), (2**70, 1)])
def test_values_in_another_order(read, strides):
    """A stride of 0 would make a tensor of any size from one value."""
    with pytest.raises(ValueError, match=r"not stored row by row|make no sense"):
        read(lambda _: Tensor(np.zeros((2, 3)), strides=strides))


def test_modules(read):
    make = torch_files.module
    found = read(lambda modules: make(modules, "Sequential", size=(3, 0.5), inner=[None, True]))
    assert isinstance(found, Module)
    assert found.name == "Sequential"
    assert (found.state["size"], found.state["inner"]) == ((3, 0.5), [None, True])


def test_other_storages(read):
    with pytest.raises(ValueError, match=r"torch\.DoubleStorage, which is refused"):
        read(lambda _: Tensor(np.zeros(3), storage="DoubleStorage"))


class Call:
    """Calls a function when it is unpickled."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


EXPLOITS = {
    "os.system": lambda trace: Call(os.system, f"mkdir {trace}"),
    "eval": lambda trace: Call(eval, f"__import__('os').mkdir({str(trace)!r})"),
    "exec": lambda trace: Call(exec, f"import os; os.mkdir({str(trace)!r})"),
    "mkdir": lambda trace: Call(os.mkdir, str(trace)),
    "call": lambda trace: Call(subprocess.call, ["mkdir", str(trace)]),
}


@pytest.fixture(params=EXPLOITS)
def exploit(request, tmp_path):
    """An object that makes a folder when it is unpickled, and the folder's path."""
    trace = tmp_path / "it-ran"
    return EXPLOITS[request.param](trace), trace


def refused(path, trace):
    """Assert that a file is refused as a network, without a trace."""
    with pytest.raises(ValueError, match=r"refused unrun|no checkpoint needs|no module") as caught:
        eev.load(path)
    assert path.name in str(caught.value)
    assert not trace.exists()


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("place", ["whole", "value", "list"])
def test_exploits_do_not_run(exploit, tmp_path, protocol, place):
    hostile, trace = exploit
    content = {"whole": hostile, "value": {"features.2.weight": hostile}, "list": [[hostile]]}[
        place
    ]
    path = tmp_path / "network.pth"
    path.write_bytes(pickle.dumps(content, protocol))
    pickle.loads(path.read_bytes())
    trace.rmdir()  # it is a real one
    refused(path, trace)


@pytest.mark.parametrize("form", FORMS)
def test_exploits_in_the_files_of_torch(exploit, tmp_path, form):
    hostile, trace = exploit
    path = tmp_path / "network.pth"
    with torch_files.stand_ins() as modules:
        make = torch_files.module
        chain = make(modules, "Sequential", _modules={"0": hostile})
        path.write_bytes(FORMS[form](make(modules, "Model3", _modules={"features": chain})))
    refused(path, trace)


def test_an_exploit_in_the_bytes_of_a_tensor(exploit, tmp_path):
    """`_load_from_bytes` of torch is itself a loader of pickles."""
    hostile, trace = exploit
    path = tmp_path / "network.pth"
    with torch_files.stand_ins() as modules:
        load = modules["torch.storage"]._load_from_bytes
        path.write_bytes(pickle.dumps(Call(load, torch_files.legacy(hostile)), 4))
        refused(path, trace)
        path.write_bytes(pickle.dumps(Call(load, pickle.dumps(hostile)), 4))
    with pytest.raises(ValueError, match=r"does not begin as the files of torch\.save do"):
        eev.load(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02cos\nsystem\n)\x81.",  # a new object of what is no class
        b"\x80\x02cos\nsystem\n}b.",  # BUILD calls __setstate__
        b"\x80\x02ceevbnn.net_bin\nBinLinear\nX\x02\x00\x00\x00ls\x85R.",
        b"\x80\x02ceevbnn.net_bin\nBinLinear\nX\x02\x00\x00\x00ls\x85\x81.",
        b"\x80\x02ceevbnn.net_bin\nBinLinear\n}b.",
        b"\x80\x02ceevbnn.net_bin\nos.system\n)\x81.",
        b"\x80\x02ccollections\nOrderedDict\n}b.",
        b"\x80\x02ccollections\nOrderedDict\nX\x02\x00\x00\x00ls\x85R.",
        b"\x80\x02ctorch.storage\n_load_from_bytes\n)R.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x01))t\x85R.",
        b"\x80\x02X\x07\x00\x00\x00storageQ.",  # a persistent id that is no storage
        b"\x80\x02(X\x07\x00\x00\x00storagectorch\nFloatStorage\nK\x01K\x01K\x01tQ.",
        b"\x80\x02P0\n.",  # a persistent id as text
        b"\x80\x02(X\x02\x00\x00\x00lsios\nsystem\n.",
        b"\x80\x02(cos\nsystem\nX\x02\x00\x00\x00lso.",
        b"\x80\x02\x82\x01.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R.",
        b"\x80\x04)}\x92.",
    ],
)
def test_instructions_that_run_something_are_refused(tmp_path, content):
    path = tmp_path / "network.pth"
    path.write_bytes(content)
    refused_words = r"refused unrun|no checkpoint needs|no module|not a storage"
    with pytest.raises(ValueError, match=refused_words):
        eev.load(path)


def test_bytes_that_are_loaded_many_times(tmp_path):
    """Each time would cost the memory of the whole, for five bytes of the file."""
    path = tmp_path / "network.pth"
    with torch_files.stand_ins() as modules:
        content = pickle.dumps(modules["torch.storage"]._load_from_bytes, 2)[:-1]
        raw = torch_files.legacy(torch_files._Storage(Tensor(np.zeros(10))))
    once = b"h\x07h\x08\x85R"
    head = content + b"q\x07B" + len(raw).to_bytes(4, "little") + raw + b"q\x08"
    path.write_bytes(b"\x80\x02" + head + once * 3 + b".")
    with pytest.raises(ValueError, match="read twice"):
        eev.load(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"compression": zipfile.ZIP_DEFLATED}, "compressed zip"),
        ({"extra": [("archive/byteorder", b"big")]}, "little-endian"),
        ({"extra": [("archive/byteorder", b"little")]}, None),
    ],
)
def test_zips(tmp_path, change, says):
    path = tmp_path / "network.pth"
    with torch_files.stand_ins():
        path.write_bytes(torch_files.zipped({"a": Tensor([1.0])}, **change))
    if says is None:
        assert read_object(path, CLASSES)["a"].to_numpy() == [1]
        return
    with pytest.raises(ValueError, match=says):
        read_object(path, CLASSES)


def test_big_endian_legacy_files(tmp_path):
    path = tmp_path / "network.pth"
    with torch_files.stand_ins():
        path.write_bytes(torch_files.legacy({"a": Tensor([1.0])}, little_endian=False))
    with pytest.raises(ValueError, match="little-endian"):
        read_object(path, CLASSES)


def test_a_zip_that_is_something_else(tmp_path):
    path = tmp_path / "network.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("note.txt", b"hello")
    with pytest.raises(ValueError, match=r"without a data\.pkl"):
        read_object(path, CLASSES)


def test_values_that_are_missing(tmp_path):
    path = tmp_path / "network.pth"
    with torch_files.stand_ins():
        whole = torch_files.zipped({"a": Tensor([1.0, 2.0])})
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(path, "w") as new:
        new.writestr("archive/data.pkl", old.read("archive/data.pkl"))
    with pytest.raises(ValueError, match="values of its storage 0 are missing"):
        read_object(path, CLASSES)["a"].to_numpy()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(path, "w") as new:
        new.writestr("archive/data.pkl", old.read("archive/data.pkl"))
        new.writestr("archive/data/0", b"1234")
    with pytest.raises(ValueError, match="4 bytes, not the 8 of 2 float32"):
        read_object(path, CLASSES)


def test_a_file_of_a_gigabyte_is_not_read(tmp_path):
    path = tmp_path / "network.pth"
    with open(path, "wb") as file:
        file.truncate(2**30)  # takes no room
    with pytest.raises(ValueError, match="1073741824 bytes, more than"):
        read_object(path, CLASSES)


def test_torch_itself_is_not_imported():
    assert "torch" not in sys.modules
