import numpy as np
import pytest

from bnnkit.attacks import RandomNoise
from bnnkit.robust import Live, Pool


def test_live_attacks_each_image_once_in_the_given_order(stripes, nearest_mean):
    images, labels = stripes.train.images, stripes.train.labels
    model = nearest_mean().fit(images / np.float32(255), labels)
    attack, order = RandomNoise(20, low=1, random_state=0), np.arange(200)[::-1]
    source = Live(attack, images, labels, 0.1, order)
    for start in (0, 90):
        assert source.size == 200 - start
        part = order[start : start + 90]
        drawn = source.draw(model, 90)
        result = attack(model, images[part], labels[part], 0.1)
        assert 0 < len(drawn.images) < 90
        assert (drawn.images == result.adversarial[result.success]).all()
        assert (drawn.labels == labels[part][result.success]).all()
        assert (drawn.n_attacked, drawn.n_undecided) == (90, 0)


@pytest.mark.parametrize("shape", [(6,), (3, 2), (1, 3, 2)])
def test_a_pool_is_handed_out_slice_by_slice(shape):
    images = np.random.default_rng(0).integers(0, 256, (10, *shape)).astype(np.uint8)
    source = Pool(images, np.arange(10))
    slices = [source.draw(None, 4)]
    assert source.size == 6
    slices.append(source.draw(None, 6))
    assert source.size == 0
    assert [drawn.n_attacked for drawn in slices] == [4, 6]
    got = np.concatenate([drawn.images for drawn in slices])
    assert got.dtype == np.float32
    assert (got == images / np.float32(255)).all()
    assert np.concatenate([drawn.labels for drawn in slices]).tolist() == list(range(10))


def test_a_pool_is_checked():
    with pytest.raises(ValueError, match="2 images, labels of shape"):
        Pool(np.zeros((2, 4)), [0])
    with pytest.raises(ValueError, match="must lie in"):
        Pool(np.full((2, 4), 3.0), [0, 1])
