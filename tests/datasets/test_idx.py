import gzip
import struct
import tracemalloc

import numpy as np
import pytest

from bnnkit.datasets.idx import read_images, read_labels


@pytest.fixture
def stored(tmp_path):
    def write(content):
        path = tmp_path / "some-idx"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 3), (3, 28, 28), (1500, 28, 28)])
def test_images_come_back_as_written(stored, to_idx, pack, shape):
    images = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    read = read_images(stored(pack(to_idx(images))))
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, images[:, None])


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_labels_come_back_as_written(stored, to_idx, pack):
    labels = np.random.default_rng(2).integers(0, 10, 300)
    read = read_labels(stored(pack(to_idx(labels))))
    assert read.dtype == np.int64
    np.testing.assert_array_equal(read, labels)


def header(*sizes, kind=8):
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, kind, len(sizes), *sizes)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"\0\0\x08", "not an IDX file"),
        (b"<html>404</html>", "not an IDX file: it starts with b'<htm'"),
        (header(2, 2, 2, kind=13) + bytes(32), "IDX type 13, not unsigned bytes"),
        (header(8) + bytes(8), r"holds labels .* where images .* are two files swapped\?"),
        (header(2, 2) + bytes(4), "holds something else .* where images"),
        (header(2, 2, 2)[:-1], "ends within its header"),
        (header(0, 28, 28), r"holds no images: its shape is \(0, 28, 28\)"),
        (header(2, 2, 2) + bytes(7), "cut short: its header promises 8 values"),
        (header(2, 2, 2) + bytes(9), "goes on after the 8 values"),
        (header(60000, 28, 28) + bytes(784), "cut short: its header promises 47040000 values"),
    ],
)
def test_what_is_no_file_of_images_is_told_so(stored, pack, content, message):
    with pytest.raises(ValueError, match=rf"some-idx.*{message}"):
        read_images(stored(pack(content)))


def test_images_where_labels_are_expected(stored, to_idx):
    path = stored(to_idx(np.zeros((3, 28, 28))))
    with pytest.raises(ValueError, match=r"holds images .* where labels"):
        read_labels(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_a_header_that_promises_gigabytes_allocates_nothing(stored, pack):
    path = stored(pack(header(2**32 - 1, 2**32 - 1, 2**32 - 1) + bytes(1000)))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"cut short.* at most \d+ are there"):
        read_images(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_every_truncation_of_a_gzipped_file_is_found(stored, to_idx):
    content = gzip.compress(to_idx(np.random.default_rng(3).integers(0, 256, (2, 5, 5))))
    for length in range(len(content)):
        path = stored(content[:length])
        with pytest.raises(ValueError, match="some-idx"):
            read_images(path)
