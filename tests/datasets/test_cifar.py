import dataclasses
import gzip
import io
import pickle
import tarfile

import numpy as np
import pytest

from bnnkit.datasets.cifar import CIFAR10, read_pickled, read_records


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "cifar-10-batches-bin"
    path.mkdir()
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
@pytest.mark.parametrize("n", [1, 17])
def test_records_come_back_as_written(tmp_path, batch, pack, n):
    images, labels, content = batch(n)
    path = tmp_path / "batch"
    path.write_bytes(pack(content))
    read_images, read_labels = read_records(path)
    np.testing.assert_array_equal(read_images, images)
    np.testing.assert_array_equal(read_labels, labels)
    assert (read_images.dtype, read_labels.dtype) == (np.uint8, np.int64)


def test_a_record_is_label_then_red_green_blue_row_by_row(tmp_path):
    path = tmp_path / "batch"
    red_top_row, green, blue = bytes([255] * 32 + [0] * 992), bytes(1024), bytes([7] * 1024)
    path.write_bytes(bytes([6]) + red_top_row + green + blue)
    ((image,), (label,)) = read_records(path)
    assert label == 6
    assert (image[0, 0] == 255).all()
    assert not image[0, 1:].any()
    assert not image[1].any()
    assert (image[2] == 7).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "its 0 bytes"),
        (bytes(3072), "its 3072 bytes are not one or more records of 3073"),
        (bytes(3 * 3073 + 1), "its 9220 bytes"),
        (bytes(3073) + bytes([10]) + bytes(3072), "label of image 1 is 10"),
        (bytes(60_001 * 3073), "holds more than"),
    ],
)
def test_what_is_no_batch_is_told_so(tmp_path, content, message):
    path = tmp_path / "data_batch_1.bin"
    path.write_bytes(gzip.compress(content, 1))
    with pytest.raises(ValueError, match=rf"data_batch_1\.bin.*{message}"):
        read_records(path)


def test_any_number_of_batches_in_the_order_of_their_numbers(folder, batch):
    parts = {number: batch(number, seed=number) for number in (10, 2, 1)}
    for number, (_, _, content) in parts.items():
        (folder / f"data_batch_{number}.bin").write_bytes(content)
    (folder / "data_batch_2.bin.gz").write_bytes(b"the plain file is read instead")
    (folder / "data_batch_x.bin").write_bytes(b"not a batch")
    assert CIFAR10.find(folder.parent) is None
    (folder / "test_batch.bin.gz").write_bytes(gzip.compress(batch(4)[2]))
    train, test = CIFAR10.read(CIFAR10.find(folder.parent))
    np.testing.assert_array_equal(train.images, np.concatenate([parts[k][0] for k in (1, 2, 10)]))
    np.testing.assert_array_equal(train.labels, np.concatenate([parts[k][1] for k in (1, 2, 10)]))
    assert len(test) == 4


def write_pickled(path, images, labels):
    content = {b"data": images.reshape(len(images), -1), b"labels": labels.tolist()}
    path.write_bytes(pickle.dumps(content, protocol=2))


def test_the_python_version_holds_the_same(tmp_path, batch):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "batches.meta").write_bytes(b"not looked at")
    for name, n in (("data_batch_1", 3), ("data_batch_2", 5), ("test_batch", 2)):
        write_pickled(folder / name, *batch(n)[:2])
    train, test = CIFAR10.read(CIFAR10.find(tmp_path))
    np.testing.assert_array_equal(train.images, np.concatenate([batch(3)[0], batch(5)[0]]))
    np.testing.assert_array_equal(train.labels, np.concatenate([batch(3)[1], batch(5)[1]]))
    np.testing.assert_array_equal(test.images, batch(2)[0])
    assert train.images.flags.writeable


def test_the_binary_version_is_preferred(folder, batch):
    python = folder.with_name("cifar-10-batches-py")
    python.mkdir()
    for name in ("data_batch_1", "test_batch"):
        (python / name).touch()
        assert CIFAR10.find(folder.parent) is None or name == "test_batch"
    assert CIFAR10.find(folder.parent).where == python
    for name in ("data_batch_1.bin", "test_batch.bin"):
        (folder / name).touch()
    assert CIFAR10.find(folder.parent).where == folder


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no batch of CIFAR-10's Python version"),
        (pickle.dumps({"data": 1, "labels": []}, 2), "'data' is not an array"),
        (pickle.dumps({"data": np.zeros((1, 3072), np.uint8), "labels": [12]}, 2), "is 12"),
    ],
)
def test_a_bad_pickle_names_the_file(tmp_path, content, message):
    path = tmp_path / "data_batch_3"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"data_batch_3.*{message}"):
        read_pickled(path)


@pytest.mark.parametrize(
    ("protocol", "as_labels"), [(0, list), (1, list), (5, list), (2, np.array), (4, np.array)]
)
def test_a_batch_saved_anew_is_told_what_is_read(tmp_path, batch, protocol, as_labels):
    images, labels, _ = batch(3)
    path = tmp_path / "data_batch_1"
    write_pickled(path, images, labels)
    assert read_pickled(path)[1].tolist() == labels.tolist()
    content = {"data": images.reshape(3, -1), "labels": as_labels(labels.tolist())}
    path.write_bytes(pickle.dumps(content, protocol))
    with pytest.raises(ValueError, match=r"data_batch_1.*the published ones \(pickle protocol 2,"):
        read_pickled(path)


def test_instructions_say_which_pickles_are_read(tmp_path):
    assert "as published (pickle protocol 2)" in CIFAR10.instructions(tmp_path)


@pytest.fixture
def published(server, batch):
    """CIFAR-10 with batches of two images, published by the local server."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name in [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]:
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = len(batch(2)[2])
            tar.addfile(member, io.BytesIO(batch(2)[2]))
    archive = server.publish("cifar-10-binary.tar.gz", content.getvalue())
    return dataclasses.replace(CIFAR10, archive=archive)


def test_the_archive_is_downloaded_and_unpacked(tmp_path, published, listing):
    published.fetch(tmp_path)
    train, test = published.read(published.find(tmp_path))
    assert (len(train), len(test)) == (10, 2)
    assert [name for name in listing(tmp_path) if "/" not in name] == ["cifar-10-batches-bin"]


def test_an_incomplete_folder_is_not_mixed_with_a_download(folder, published, server):
    (folder / "data_batch_1.bin").write_bytes(b"somebody's own")
    with pytest.raises(FileExistsError, match="holds an incomplete CIFAR-10"):
        published.fetch(folder.parent)
    assert server.asked == []


def test_the_real_sample(data_home):
    found = CIFAR10.find(data_home)
    if found is None:
        pytest.skip(f"no CIFAR-10 in {data_home}")
    train, test = CIFAR10.read(found)
    for split in (train, test):  # of the whole set and of its sample, the classes are balanced
        assert np.bincount(split.labels).tolist() == [len(split) // 10] * 10
        assert split.images.shape[1:] == (3, 32, 32)
    # neighbouring pixels of photographs resemble each other; those of a shifted record do not
    images = train.images.astype(np.int16)
    across, down = (np.abs(np.diff(images, axis=axis)).mean() for axis in (3, 2))
    assert max(across, down) < 40  # 85 if independent
    assert 0.8 < across / down < 1.2
