import numpy as np
import pytest
from helpers import plain_class, random_network

from bnnkit.verification.falsify import random_corners


@pytest.mark.parametrize("seed", range(10))
def test_a_corner_that_is_found_is_misclassified_and_in_the_box(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (1, 3, 3), ("dense",))
    low, high = np.zeros((1, 3, 3), np.uint8), np.full((1, 3, 3), 3, np.uint8)
    label = plain_class(network, low)
    found = random_corners(network, low, high, label, 200, rng)
    classes = {plain_class(network, c) for c in rng.choice([0, 3], (400, 1, 3, 3))}
    if found is None:
        assert classes <= {label}
    else:
        assert set(np.unique(found)) <= {0, 3}
        assert plain_class(network, found) != label


def test_nothing_is_found_in_a_box_of_one_image():
    network = random_network(np.random.default_rng(0), (1, 3, 3), ("dense",))
    levels = np.ones((1, 3, 3), np.uint8)
    label = plain_class(network, levels)
    assert random_corners(network, levels, levels, label, 10, np.random.default_rng(0)) is None
