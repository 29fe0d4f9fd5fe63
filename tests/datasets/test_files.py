import gzip
import tracemalloc

import numpy as np
import pytest

from bnnkit.datasets.files import CHUNK, check_labels, opened, plain_or_gzipped, read_at_most

CONTENT = bytes(range(256)) * 20


@pytest.mark.parametrize("name", ["data", "data.gz"])
@pytest.mark.parametrize("stored", [CONTENT, gzip.compress(CONTENT)], ids=["plain", "gzipped"])
def test_content_not_name_says_whether_a_file_is_gzipped(tmp_path, name, stored):
    path = tmp_path / name
    path.write_bytes(stored)
    assert read_at_most(path, len(CONTENT)) == CONTENT


@pytest.mark.parametrize("stored", [CONTENT, gzip.compress(CONTENT)], ids=["plain", "gzipped"])
def test_more_bytes_than_allowed_are_refused(tmp_path, stored):
    path = tmp_path / "data"
    path.write_bytes(stored)
    with pytest.raises(ValueError, match=r"data holds more than the 5119 bytes"):
        read_at_most(path, len(CONTENT) - 1)


def test_a_gzip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(64 * CHUNK)))
    tracemalloc.start()
    with pytest.raises(ValueError, match="bomb"):
        read_at_most(path, CHUNK)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * CHUNK


def test_what_a_gzip_file_can_hold_is_never_underestimated(tmp_path):
    zeros = tmp_path / "zeros.gz"  # the most compressible content
    zeros.write_bytes(gzip.compress(bytes(16 * CHUNK), 9))
    with opened(zeros) as (_, most):
        assert most >= 16 * CHUNK


@pytest.mark.parametrize("damage", ["cut", "checksum", "content", "block", "tail"])
def test_damaged_gzip_names_the_file(tmp_path, damage):
    stored = bytearray(gzip.compress(np.random.default_rng(0).bytes(5000)))
    if damage == "cut":
        del stored[-100:]
    elif damage == "tail":
        stored += b"rubbish"
    elif damage == "block":
        stored[10] |= 0b110  # a kind of deflate block that does not exist
    else:
        stored[-8 if damage == "checksum" else 100] ^= 1
    path = tmp_path / "broken.gz"
    path.write_bytes(stored)
    with pytest.raises(ValueError, match=r"broken\.gz is damaged gzip data"):
        read_at_most(path, 10_000)


def test_the_plain_file_is_preferred(tmp_path):
    assert plain_or_gzipped(tmp_path, "data") is None
    (tmp_path / "data.gz").touch()
    assert plain_or_gzipped(tmp_path, "data") == tmp_path / "data.gz"
    (tmp_path / "data").touch()
    assert plain_or_gzipped(tmp_path, "data") == tmp_path / "data"


@pytest.mark.parametrize("wrong", [-1, 10, 255])
def test_labels_out_of_range_are_named(wrong):
    check_labels(np.array([0, 9]), 10, "labels-file")
    with pytest.raises(ValueError, match=rf"labels-file: the label of image 2 is {wrong},"):
        check_labels(np.array([0, 9, wrong, 3]), 10, "labels-file")
