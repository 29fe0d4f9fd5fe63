from fractions import Fraction

import numpy as np
import pytest
from helpers import random_network

from bnnkit.quantiser import Quantiser
from bnnkit.verification.witness import check, to_image


@pytest.mark.parametrize("step", [0.1, 0.61, 0.064, Fraction(2, 5), Fraction(1, 255)])
@pytest.mark.parametrize("eps", [Fraction(3, 20), Fraction(7, 20), Fraction(8, 255), Fraction(0)])
@pytest.mark.parametrize("kind", ["grey", "float32", "float64"])
def test_images_have_their_levels_inside_the_ball(step, eps, kind):
    rng = np.random.default_rng(0)
    quantiser = Quantiser(step)
    image = rng.permutation(np.repeat(np.arange(256, dtype=np.uint8), 2))
    if kind != "grey":
        image = (image / 255).astype(kind).astype(np.float64)
    low, high = quantiser.ball(image, eps)
    for levels in (low, high, rng.integers(low, high, endpoint=True)):
        found = to_image(quantiser, image, levels)
        assert found.dtype == np.float32
        assert (quantiser.levels(found.astype(np.float64)) == levels).all()
        real = [Fraction(int(v), 255) if kind == "grey" else Fraction(v) for v in image.tolist()]
        distances = [abs(Fraction(float(f)) - x) for f, x in zip(found, real, strict=True)]
        assert max(distances) <= eps + Fraction(2) ** -24
        assert found.min() >= 0
        assert found.max() <= 1


@pytest.mark.parametrize("grey_steps", [0, 1, 8, 40])
def test_grey_witnesses_move_by_whole_grey_values(grey_steps):
    quantiser = Quantiser(0.1)
    image = np.arange(256, dtype=np.uint8)
    low, high = quantiser.ball(image, Fraction(grey_steps, 255))
    for levels in (low, high):
        found = to_image(quantiser, image, levels, as_uint8=True)
        assert found.dtype == np.uint8
        assert (quantiser.levels(found) == levels).all()
        assert np.abs(found.astype(int) - image).max() <= grey_steps


def test_unchanged_levels_leave_the_image_alone():
    image = np.arange(256, dtype=np.uint8)
    quantiser = Quantiser(0.1)
    found = to_image(quantiser, image, quantiser.levels(image))
    assert (found == image.astype(np.float32) / np.float32(255)).all()


def test_false_witnesses_are_caught():
    network = random_network(np.random.default_rng(2), (1, 2, 2), ("dense",))
    image = np.full((1, 2, 2), 100, np.uint8)
    right = int(network.predict(image[None])[0])
    with pytest.raises(RuntimeError, match="failed its check"):
        check(network, image, image, right, Fraction(1, 10))  # not misclassified
    far = np.clip(image / 255 + 0.2, 0, 1).astype(np.float32)
    wrong = (int(network.predict(far[None])[0]) + 1) % 3
    with pytest.raises(RuntimeError, match="failed its check"):
        check(network, image, far, wrong, Fraction(1, 10))  # outside the ball
    assert check(network, image, far, wrong, Fraction(1, 5)) != wrong
