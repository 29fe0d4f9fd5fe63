import json
import zipfile

import numpy as np
import pytest
from helpers import random_network, random_real_network

from bnnkit import BinaryNetwork
from bnnkit._files import read_npz, write_npz
from bnnkit.network import Conv2d, Head, files
from bnnkit.quantiser import Quantiser


@pytest.fixture(params=["binary", "real"])
def saved(tmp_path, request):
    rng = np.random.default_rng(5)
    if request.param == "real":
        network = random_real_network(rng, by_position=True)
    else:
        network = random_network(rng, (2, 6, 6), ("conv", "pool", "dense"))
    path = tmp_path / "network.npz"
    network.save(path)
    return network, path


@pytest.mark.parametrize("layers", [(), ("dense", "dense"), ("conv", "pool", "conv")])
@pytest.mark.parametrize("seed", range(5))
def test_load_undoes_save(tmp_path, layers, seed):
    network = random_network(np.random.default_rng(seed), (3, 6, 6), layers)
    network.save(tmp_path / "n.npz")
    again = BinaryNetwork.load(tmp_path / "n.npz")
    images = np.random.default_rng(0).random((20, 3, 6, 6))
    assert again == network
    assert (again.scores(images) == network.scores(images)).all()


def test_saving_the_same_network_makes_the_same_bytes(saved, tmp_path):
    network, path = saved
    network.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_a_file_cut_anywhere_is_refused(saved, tmp_path):
    whole = saved[1].read_bytes()
    for size in np.linspace(0, len(whole) - 1, 60).astype(int):
        cut = tmp_path / "cut.npz"
        cut.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"cut\.npz"):
            files.load(cut)


def test_a_file_with_a_changed_byte_is_refused_or_unchanged(saved, tmp_path):
    network, path = saved
    whole, problems = path.read_bytes(), set()
    for place in range(0, len(whole), 7):
        changed = tmp_path / "changed.npz"
        changed.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            again = files.load(changed)
        except ValueError as error:
            problems.add(str(error).split(":")[0])
        else:
            assert again == network  # a byte that nothing depends on
    assert problems == {str(tmp_path / "changed.npz")}


def rewritten(saved, tmp_path, change):
    arrays = read_npz(saved[1])
    header = json.loads(arrays["header"].tobytes())
    change(header, arrays)
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    write_npz(tmp_path / "other.npz", arrays)
    return tmp_path / "other.npz"


def test_thresholds_by_position_in_any_memory_order(tmp_path):
    threshold = np.asfortranarray(np.arange(12).reshape(2, 2, 3))
    layer = Conv2d(np.ones((2, 1, 1, 1)), threshold, [1, 1])
    head = Head(np.ones((2, 2, 2, 3)), 1, [0, 0])
    network = BinaryNetwork(Quantiser(1.0), [layer], head, (1, 2, 3))
    network.save(tmp_path / "n.npz")
    assert (BinaryNetwork.load(tmp_path / "n.npz").layers[0].threshold == threshold).all()


@pytest.mark.parametrize("saved", ["binary"], indirect=True)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda h, a: h.update(format="torch"), "format 'torch'"),
        (lambda h, a: h.update(version=3), "version 3"),
        (lambda h, a: h.pop("layers"), "'layers' is missing"),
        (lambda h, a: h["layers"][0].update(kind="lstm"), "unknown kind 'lstm'"),
        (lambda h, a: a.pop("head.sign"), r"'head\.sign' is missing"),
        (lambda h, a: a.update({"0.mask": a["0.mask"][:, :0]}), r"0\.mask must be"),
        (lambda h, a: h.update(input_shape=[2, 6, 7]), "do not"),
        (lambda h, a: h.update(quant_step=[1, 0]), "not a bnnkit network"),
        (lambda h, a: a.update({"0.threshold": a["0.threshold"] + np.nan}), "must be integers"),
        (lambda h, a: h["head"].update(scale=10**30), "beyond the limit"),
        (lambda h, a: h["head"].update(scale=1.5), "not a bnnkit network"),
        (lambda h, a: h["head"].update(kernel_shape=[10**9, 10**9, 1, 1]), "must be uint64"),
    ],
)
def test_foreign_headers_are_named(saved, tmp_path, change, says):
    with pytest.raises(ValueError, match=says):
        BinaryNetwork.load(rewritten(saved, tmp_path, change))


def as_text(text):
    return {"front.threshold": np.frombuffer(text, np.uint8)}


@pytest.mark.parametrize("saved", ["real"], indirect=True)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda h, a: h.update(kind="complex"), "unknown kind 'complex'"),
        (lambda h, a: h.pop("tail"), "'tail' is missing"),
        (lambda h, a: h.update(input_range=[[0, 1], [1, 0]]), "not a bnnkit network"),
        (lambda h, a: h.update(input_range=[[1, 1], [0, 1]]), "low must be below high"),
        (lambda h, a: h["front"].update(padding=2), "do not|does not|for outputs"),
        (lambda h, a: h["front"].update(threshold_shape=[10**9]), "not a bnnkit network"),
        (lambda h, a: a.update({"front.strict": a["front.strict"].astype(int)}), "must be bool"),
        (lambda h, a: a.update({"front.strict": a["front.strict"][:1]}), "must be bool"),
        (lambda h, a: a.update(as_text(b"1e999999999")), "not a bnnkit network"),
        (lambda h, a: a.update(as_text(b"9" * 5000)), "not a bnnkit network"),
        (lambda h, a: a.update(as_text(b"1/0")), "not a bnnkit network"),
        (lambda h, a: a.update(as_text(b"\xff")), "not a bnnkit network"),
    ],
)
def test_foreign_first_layers_are_named(saved, tmp_path, change, says):
    with pytest.raises(ValueError, match=says):
        files.load(rewritten(saved, tmp_path, change))


def test_objects_are_never_unpickled(tmp_path):
    path = tmp_path / "objects.npz"
    np.savez(path, header=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="Python objects"):
        BinaryNetwork.load(path)


def test_an_array_that_claims_more_than_it_holds(tmp_path):
    path = tmp_path / "claims.npz"
    text = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000,), }"
    text += b" " * (117 - len(text)) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.npy", b"\x93NUMPY\x01\x00v\x00" + text + b"few")
    with pytest.raises(ValueError, match="3 bytes for an array"):
        BinaryNetwork.load(path)


def archive_of(path, header):
    """A .npz file whose only member has this .npy header text."""
    text = header + b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.npy", b"\x93NUMPY\x01\x00v\x00" + text + b"x")
    return path


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (1,",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': ((((((((1,",
        b"{'descr': 'nonsense', 'fortran_order': False, 'shape': (1,), }",
        b"[1, 2",
        b"",
    ],
)
def test_array_headers_that_are_no_headers(tmp_path, header):
    with pytest.raises(ValueError, match=r"bad\.npz"):
        BinaryNetwork.load(archive_of(tmp_path / "bad.npz", header))


def test_a_header_nested_too_deeply(tmp_path):
    text = b"[" * 100_000 + b"]" * 100_000
    write_npz(tmp_path / "deep.npz", {"header": np.frombuffer(text, np.uint8)})
    with pytest.raises(ValueError, match=r"deep\.npz"):
        BinaryNetwork.load(tmp_path / "deep.npz")


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        BinaryNetwork.load(tmp_path / "none.npz")
