import numpy as np
import pytest

from bnnkit.attacks import Exact
from bnnkit.attacks.TEMPLATE import Lighting


def test_it_finds_what_lighting_alone_can_change(level_sum):
    """Class 1 from a sum of four levels on: brighter or darker pixels are all that there is."""
    network = level_sum(0.1, 20)
    images = np.full((3, 1, 2, 2), 0.5, dtype=np.float32)
    images[1], images[2] = 0.3, 0.45
    labels = network.predict(images)
    result = Lighting(tries=3)(network, images, labels, 0.06)
    assert result.success.tolist() == Exact()(network, images, labels, 0.06).success.tolist()
    assert result.success.any()
    assert not result.success.all()


def test_successes_are_real_and_in_the_ball(trained):
    classifier, images, labels = trained
    result = Lighting()(classifier, images, labels, 0.2)
    exact = Exact(timeout=0.05)(classifier, images, labels, 0.2)
    assert (result.success == (classifier.predict(result.adversarial) != labels)).all()
    assert not (result.success & exact.withstood).any()
    assert np.abs(result.adversarial - images.astype(np.float64) / 255).max() <= 0.2


def test_each_image_is_changed_by_one_amount(trained):
    classifier, images, labels = trained
    result = Lighting()(classifier, images, labels, 0.2)
    change = result.adversarial - images.astype(np.float32) / 255
    free = (result.adversarial > 0) & (result.adversarial < 1)
    for each, where in zip(change, free, strict=True):
        assert np.ptp(each[where]) < 1e-6


def test_options_are_checked():
    with pytest.raises(ValueError, match="tries"):
        Lighting(tries=0)
