import gzip
import hashlib

import numpy as np
import pytest

from bnnkit.datasets.mnist import FASHION_MNIST, MNIST


@pytest.fixture
def place(tmp_path, idx_files):
    """A folder that holds a small data set in MNIST's layout."""
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, content in idx_files.items():
        (folder / name).write_bytes(content)
    return tmp_path


def test_a_missing_file_makes_the_set_incomplete(place, idx_files):
    assert MNIST.find(place).where == place / "MNIST" / "raw"
    for name, content in idx_files.items():
        path = place / "MNIST" / "raw" / name
        path.unlink()
        assert MNIST.find(place) is None
        path.with_suffix("").write_bytes(gzip.decompress(content))
        assert MNIST.find(place) is not None


def test_splits_are_read(place):
    train, test = MNIST.read(MNIST.find(place))
    assert train.images.shape == (30, 1, 28, 28)
    assert test.images.shape == (20, 1, 28, 28)
    np.testing.assert_array_equal(train.labels, np.arange(30) % 10)
    np.testing.assert_array_equal(test.labels, np.arange(20) % 10)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train-images-idx3-ubyte", np.zeros((30, 32, 32)), "images of 32x32, not 28x28"),
        ("train-images-idx3-ubyte", np.zeros((29, 28, 28)), "29 images, but .* 30 labels"),
        ("t10k-labels-idx1-ubyte", np.full(20, 11), "label of image 0 is 11"),
        ("t10k-labels-idx1-ubyte", np.zeros((20, 28, 28)), "holds images .* where labels"),
    ],
)
def test_files_that_do_not_fit_are_named(place, to_idx, name, content, message):
    (place / "MNIST" / "raw" / name).write_bytes(to_idx(content))
    with pytest.raises(ValueError, match=message) as caught:
        MNIST.read(MNIST.find(place))
    assert name in str(caught.value)


def test_what_is_missing_is_downloaded_and_what_is_there_is_kept(tmp_path, small_mnist, server):
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    own = gzip.decompress(server.files["t10k-labels-idx1-ubyte.gz"])
    (folder / "t10k-labels-idx1-ubyte").write_bytes(own)
    small_mnist.fetch(tmp_path)
    assert "t10k-labels-idx1-ubyte.gz" not in server.asked
    assert len(server.asked) == 3
    train, test = small_mnist.read(small_mnist.find(tmp_path))
    assert (len(train), len(test)) == (30, 20)


def test_instructions_name_every_file_and_the_folder(tmp_path):
    text = FASHION_MNIST.instructions(tmp_path)
    assert str(tmp_path / "FashionMNIST" / "raw") in text
    for resource in FASHION_MNIST.resources:
        assert resource.name.removesuffix(".gz") in text


def test_the_real_mnist_is_the_original(data_home):
    found = MNIST.find(data_home)
    if found is None:
        pytest.skip(f"no MNIST in {data_home}")
    train, test = MNIST.read(found)
    assert train.images.shape == (60000, 1, 28, 28)
    assert test.images.shape == (10000, 1, 28, 28)
    # the published checksum of the unpacked training images: header and pixels
    digest = hashlib.md5(bytes([0, 0, 8, 3, 0, 0, 234, 96, 0, 0, 0, 28, 0, 0, 0, 28]))
    digest.update(train.images.tobytes())
    assert digest.hexdigest() == "6bbc9ace898e44ae57da46a324031adb"
    # the published numbers of images of each digit
    assert np.bincount(train.labels).tolist() == (
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    )
    assert np.bincount(test.labels).tolist() == (
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    )


def test_the_fashion_sample_is_balanced(data_home):
    found = FASHION_MNIST.find(data_home / "fashion-sample")
    if found is None:
        pytest.skip(f"no sample of Fashion-MNIST in {data_home}")
    train, test = FASHION_MNIST.read(found)
    assert np.bincount(train.labels).tolist() == [70] * 10
    assert np.bincount(test.labels).tolist() == [20] * 10
