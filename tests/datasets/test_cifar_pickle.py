import os
import pickle
import struct

import numpy as np
import pytest

from bnnkit.datasets.cifar_pickle import decode

PIXELS = 12


def images_and_labels(n):
    rng = np.random.default_rng(n)
    return rng.integers(0, 256, (n, PIXELS), np.uint8), rng.integers(0, 10, n).tolist()


def text(value):
    """A Python 2 string, as its pickles hold it."""
    value = value.encode("latin-1") if isinstance(value, str) else value
    if len(value) < 256:
        return b"U" + bytes([len(value)]) + value
    return b"T" + struct.pack("<i", len(value)) + value


def python2_pickle(images, labels, fortran=False, dtype="u1"):
    """The batch instruction by instruction as Python 2's cPickle writes it (protocol 2)."""
    raw = images.tobytes(order="F" if fortran else "C")
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06"
        + (b"K\x00\x85" + text("b") + b"\x87Rq\x07")
        + (b"(K\x01" + b"".join(b"M" + struct.pack("<H", size) for size in images.shape) + b"\x86")
        + (b"cnumpy\ndtype\nq\x08" + text(dtype) + b"K\x00K\x01\x87Rq\x09")
        + (b"(K\x03" + text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb")
        + (b"\x88" if fortran else b"\x89")
        + (text(raw) + b"tb")
    )
    names = b"".join(text(f"image_{k}.png") + b"r" + struct.pack("<I", 300 + k) for k in labels)
    return (
        b"\x80\x02}q\x01("
        + (text("batch_label") + b"q\x02" + text("training batch 1 of 5"))
        + (text("labels") + b"q\x03]q\x04(" + b"".join(b"K" + bytes([k]) for k in labels) + b"e")
        + (text("data") + array)
        + (text("filenames") + b"](" + names + b"e")
        + b"u."
    )


@pytest.mark.parametrize("n", [1, 2, 40])
@pytest.mark.parametrize("fortran", [False, True])
def test_a_python_2_batch(n, fortran):
    images, labels = images_and_labels(n)
    content = python2_pickle(images, labels, fortran)
    expected = pickle.loads(content, encoding="bytes")  # the helper above writes true pickles
    np.testing.assert_array_equal(expected[b"data"], images)
    read_images, read_labels = decode(content, PIXELS)
    np.testing.assert_array_equal(read_images, images)
    np.testing.assert_array_equal(read_labels, labels)
    assert (read_images.dtype, read_labels.dtype) == (np.uint8, np.int64)


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("keys", ["text", "bytes"])
def test_a_batch_pickled_anew_by_python_3(protocol, order, keys):
    images, labels = images_and_labels(50)
    content = {"data": np.array(images, order=order), "labels": labels, "filenames": [b"a", "ä"]}
    if keys == "bytes":
        content = {key.encode(): value for key, value in content.items()}
    read_images, read_labels = decode(pickle.dumps(content, protocol), PIXELS)
    np.testing.assert_array_equal(read_images, images)
    np.testing.assert_array_equal(read_labels, labels)


def test_a_list_of_one_and_a_dictionary_item_by_item():
    content = b"\x80\x02}" + text("labels") + b"]\x8a\x01\x07as"  # 7 as a Python 2 long
    content += (
        text("data")
        + python2_pickle(np.zeros((1, PIXELS), np.uint8), [7])
        .split(text("data"))[1]
        .split(text("filenames"))[0]
    )
    _, labels = decode(content + b"s.", PIXELS)
    assert labels.tolist() == [7]


class Exploit:
    """Runs a command when it is unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("place", ["whole", "value", "in the array"])
def test_an_exploit_does_not_run(tmp_path, protocol, place):
    trace = tmp_path / "it-ran"
    exploit = Exploit(f"echo > {trace}")
    images, labels = images_and_labels(2)
    content = {
        "whole": exploit,
        "value": {"data": images, "labels": labels, "batch_label": exploit},
        "in the array": {"data": np.array([exploit], object), "labels": labels},
    }[place]
    attack = pickle.dumps(content, protocol)
    pickle.loads(attack)
    assert trace.exists()  # it is a real one
    trace.unlink()
    with pytest.raises(ValueError, match=r"refused unrun|no batch needs|not of type uint8"):
        decode(attack, PIXELS)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80\x02cposix\nsystem\nU\x02ls\x85R.", r"refers to posix\.system, which is refused"),
        (b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.", r"refers to builtins\.eval"),
        (b"\x80\x02(U\x02lsiposix\nsystem\n.", "instruction INST"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "instruction NEWOBJ"),
        (b"\x80\x02U\x01aQ.", "instruction BINPERSID"),
        (b"\x80\x02\x82\x01.", "instruction EXT1"),
        (b"\x80\x02cnumpy\nndarray\nK\x05\x85R.", "calls something that no batch needs"),
        (b"\x80\x02cnumpy\nndarray\n}b.", "sets the state of something"),
        (b"\x80\x02cnumpy\ndtype\nU\x02O8K\x00K\x01\x87R.", "not of type uint8"),
        (b"\x80\x02c_codecs\nencode\nU\x01aU\x03hex\x86R.", "calls something that no batch needs"),
        (b"\x80\x02}K\x01K\x02s.", "a key of its dictionary is not a string"),
        (b"\x80\x02h\x07.", "make no sense"),
        (b"\x80\x02.", "make no sense"),
        (b"\x80\x02e.", "make no sense"),
        (b"\x80\x02]U\x01aK\x01s.", "make no sense"),
        (b"\x80\x02K\x01.", "no dictionary with 'data' and 'labels'"),
        (b"\x80\x02\xff.", "unknown"),
        (b"\x80\x02}", "exhausted before seeing STOP"),
    ],
)
def test_anything_else_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        decode(content, PIXELS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": np.zeros((2, PIXELS + 1), np.uint8)}, r"shape \(2, 13\)"),
        ({"data": np.zeros(2 * PIXELS, np.uint8)}, "not a uint8 matrix"),
        ({"data": np.zeros((2, PIXELS), np.int8)}, "not of type uint8"),
        ({"data": np.zeros((2, PIXELS), object)}, "not of type uint8"),
        ({"data": [[0] * PIXELS] * 2}, "'data' is not an array"),
        ({"labels": [1]}, "2 images and 1 labels"),
        ({"labels": [1, 2.5]}, "instruction BINFLOAT"),
        ({"labels": [1, True]}, "not a list of integers"),
        ({"labels": None}, "not a list of integers"),
        ({"data": np.zeros((0, PIXELS), np.uint8), "labels": []}, "0 images"),
    ],
)
def test_wrong_content_is_told_so(change, message):
    images, labels = images_and_labels(2)
    with pytest.raises(ValueError, match=message):
        decode(pickle.dumps({"data": images, "labels": labels} | change, 3), PIXELS)


def test_an_array_that_claims_more_than_it_has():
    images, labels = images_and_labels(2)
    content = python2_pickle(images, labels)
    lying = content.replace(struct.pack("<H", PIXELS), struct.pack("<H", 3072))
    with pytest.raises(ValueError, match=r"shape \(2, 3072\) and 24 bytes"):
        decode(lying, 3072)


def test_every_truncation_is_found():
    content = python2_pickle(*images_and_labels(3))
    for length in range(len(content)):
        with pytest.raises(ValueError):
            decode(content[:length], PIXELS)


def test_random_damage_gives_an_array_or_a_clear_error():
    content = python2_pickle(*images_and_labels(3))
    rng = np.random.default_rng(0)
    for _ in range(3000):
        damaged = bytearray(content)
        for at in rng.integers(0, len(content), rng.integers(1, 4)):
            damaged[at] = rng.integers(256)
        try:
            images, labels = decode(bytes(damaged), PIXELS)
        except ValueError:
            continue
        assert images.shape == (len(labels), PIXELS)
