import numpy as np
import pytest

from bnnkit._files import write_npz
from bnnkit.robust import Pool, Stock


def stock_at(index):
    stock = Stock(np.zeros((1, 2, 2), np.uint8), np.zeros(1, int), 0.1, np.arange(1), False, 0)
    stock.begin(index, np.inf)
    return stock


@pytest.mark.parametrize("shape", [(6,), (3, 2), (1, 3, 2)])
def test_a_pool_is_handed_out_slice_by_slice(shape):
    images = np.random.default_rng(0).integers(0, 256, (10, *shape)).astype(np.uint8)
    pool = Pool(images, np.arange(10), origin=np.arange(50, 60))
    slices = [pool.draw([], 4, stock_at(index)) for index in (1, 2)]
    assert [drawn.n_attacked for drawn in slices] == [4, 4]
    got = np.concatenate([drawn.images for drawn in slices])
    assert got.dtype == np.float32
    assert (got == images[:8] / np.float32(255)).all()
    assert np.concatenate([drawn.labels for drawn in slices]).tolist() == list(range(8))
    assert np.concatenate([drawn.origin for drawn in slices]).tolist() == list(range(50, 58))


def test_only_training_images_are_origins_of_what_is_drawn():
    images = np.zeros((3, 4))
    assert Pool(images, [0, 1, 0]).draw([], 3, stock_at(1)).origin.tolist() == [-1] * 3
    of_test = Pool(images, [0, 1, 0], origin=[0, 1, 2], split="test")
    assert of_test.draw([], 3, stock_at(1)).origin.tolist() == [-1] * 3


@pytest.mark.parametrize("origin", [None, [4, -1, 2]])
def test_saved_and_loaded(tmp_path, origin):
    pool = Pool(np.random.default_rng(0).random((3, 1, 2, 2)), [0, 1, 0], origin, split="test")
    pool.save(tmp_path / "pool.npz")
    loaded = Pool.load(tmp_path / "pool.npz")
    assert repr(loaded) == repr(pool)
    assert (loaded.images == pool.images).all()
    assert (loaded.labels == pool.labels).all()
    assert loaded.split == "test"
    assert (loaded.origin is None) == (origin is None)


def test_images_and_labels_are_enough(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 2, 2)).astype(np.uint8)
    write_npz(tmp_path / "pool.npz", {"images": images, "labels": np.array([0, 1, 0])})
    loaded = Pool.load(tmp_path / "pool.npz")
    assert (loaded.images == images / np.float32(255)).all()
    assert (loaded.origin, loaded.split) == (None, "train")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((2, 4))}, "is no pool: it has no 'labels'"),
        ({"images": np.zeros((2, 4)), "labels": np.zeros(3, int)}, "is no pool: labels must be"),
        ({"images": np.zeros((2, 4)), "labels": np.zeros(2)}, "is no pool: labels must be int"),
        (
            {"images": np.zeros((1, 4)), "labels": np.zeros(1, int), "split": np.array("all")},
            "is no pool: split must be train or test, got 'all'",
        ),
    ],
)
def test_files_that_are_no_pools(tmp_path, arrays, message):
    write_npz(tmp_path / "pool.npz", arrays)
    with pytest.raises(ValueError, match=message):
        Pool.load(tmp_path / "pool.npz")


def test_the_repr_tells_pools_apart():
    images = np.random.default_rng(0).random((3, 1, 2, 2))
    pools = [
        Pool(images, [0, 1, 0]),
        Pool(images, [0, 1, 1]),
        Pool(images[::-1], [0, 1, 0]),
        Pool(images.reshape(3, 4), [0, 1, 0]),
        Pool(images, [0, 1, 0], split="test"),
        Pool(images, [0, 1, 0], origin=[0, 1, 2]),
        Pool(images, [0, 1, 0], origin=[2, 1, 0]),
    ]
    assert len({repr(pool) for pool in pools}) == len(pools)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros((2, 4)), [0]), ValueError, "2 images, labels of shape"),
        ((np.full((2, 4), 3.0), [0, 1]), ValueError, "must lie in"),
        ((np.zeros((2, 4)), [0, 1], [1]), ValueError, "origin must be one integer an image"),
        ((np.zeros((2, 4)), [0, 1], [0.5, 1]), ValueError, "origin must be one integer an image"),
        ((np.zeros((2, 4)), [0, 1], [-2, 1]), ValueError, "indices, or -1 where unknown, got -2"),
        ((np.zeros((2, 4)), [0, 1], None, "both"), ValueError, "train or test, got 'both'"),
    ],
)
def test_mistakes(arguments, error, message):
    with pytest.raises(error, match=message):
        Pool(*arguments)
