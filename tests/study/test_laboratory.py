"""What a study makes is made once, and kept."""

import numpy as np
import pytest

from bnnkit import study
from bnnkit.study.laboratory import Laboratory


@pytest.fixture
def laboratory(written, tmp_path):
    path = written(("epochs = 2", "epochs = 5"), ('split = "test"', "skip = 250\nsize = 5"))
    return Laboratory(study.load(path), tmp_path / "out")


def test_a_pool_is_made_of_what_comes_after_the_skipped(laboratory):
    pool = laboratory.pool("judge")
    images, labels = laboratory.data.train.images, laboratory.data.train.labels
    assert 0 < len(pool) <= 5
    assert pool.index.min() >= 250
    assert (pool.labels == labels[pool.index]).all()
    assert (pool.originals == images[pool.index]).all()
    assert np.abs(pool.images - images[pool.index] / 255).max() <= 0.3 + 1e-6
    (model,) = laboratory.run("plain").models
    assert (model.predict(pool.images) != pool.labels).all()
    assert laboratory.pool("judge") is pool
    again = Laboratory(laboratory.study, laboratory.folder)
    assert (again.pool("judge").images == pool.images).all()


def test_models_have_seeds_of_their_own(written, tmp_path):
    laboratory = Laboratory(study.load(written()), tmp_path / "out")
    assert [model.random_state for model in laboratory.run("live").models] == [7, 8]


def test_a_pool_without_images_is_an_error(written, tmp_path):
    path = written(("eps = 0.3\nsplit", "eps = 0.0\nsplit"))
    with pytest.raises(ValueError, match=r"\[pools.judge\]: the attack found no image within 0"):
        study.run(study.load(path), tmp_path / "out")


def test_a_judging_pool_that_is_trained_on_is_an_error(laboratory):
    with pytest.raises(ValueError, match="the originals of the judging pool 'judge' are among"):
        laboratory.run("live")
