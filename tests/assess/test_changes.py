import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from bnnkit.assess import changes, differences
from bnnkit.quantiser import Quantiser
from bnnkit.verification.witness import to_image


def test_norms_and_levels_by_their_definitions():
    rng = np.random.default_rng(0)
    quantiser = Quantiser(0.1)
    originals = rng.integers(0, 256, (8, 2, 3, 3)).astype(np.uint8)
    shift = rng.uniform(-0.2, 0.2, originals.shape) * (rng.random(originals.shape) < 0.5)
    adversarial = np.clip(originals / 255 + shift, 0, 1).astype(np.float32)
    adversarial[0] = (originals[0] / np.float32(255)).astype(np.float32)
    found = changes(originals, adversarial, quantiser)
    for i in range(8):
        x = [v / 255 for v in originals[i].ravel().tolist()]
        moved = [abs(a - b) for a, b in zip(adversarial[i].ravel().tolist(), x, strict=True)]
        moved = [m if m > 1e-7 else 0.0 for m in moved]
        levels = quantiser.levels(adversarial[i].astype(np.float64)).ravel().astype(int)
        steps = np.abs(levels - quantiser.levels(originals[i]).ravel())
        assert found.l0[i] == sum(m > 0 for m in moved) == 18 * found.share[i]
        assert found.l1[i] == pytest.approx(sum(moved), abs=1e-6)
        assert found.l2[i] == pytest.approx(math.sqrt(sum(m * m for m in moved)), abs=1e-6)
        assert found.linf[i] == pytest.approx(max(moved), abs=1e-6)
        assert found.levels[i] == (steps > 0).mean()
        assert found.steps[i] == steps.max()
    assert found.l0[0] == found.levels[0] == 0
    assert found.rows()[1][0][:3] == (0, 0.0, 0.0)


def test_a_stand_in_for_the_image_itself_is_no_change():
    quantiser = Quantiser(Fraction(2, 255))  # every second grey value ties
    images = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    stand_in = to_image(quantiser, images, quantiser.levels(images))
    assert (stand_in != images / np.float32(255)).any()
    found = changes(images, stand_in, quantiser)
    assert found.l0 == found.linf == found.levels == found.steps == 0


def test_without_a_quantiser_levels_are_unknown():
    found = changes(np.zeros((2, 4)), np.full((2, 4), 0.5))
    assert np.isnan(found.levels).all()
    assert np.isnan(found.steps).all()
    assert "levels" not in str(found)


def test_pairs_of_models_are_compared_where_both_found_something():
    rng = np.random.default_rng(1)
    images = {name: rng.integers(0, 3, (6, 1, 2, 2)) / 2 for name in "abc"}
    images["c"] = images["c"].astype(np.float32)
    found = {"a": np.array([1, 1, 0, 0, 1, 1], bool), "c": np.array([0, 0, 1, 1, 0, 1], bool)}
    matrix = differences(images, found)
    every = np.ones(6, bool)
    for (r, a), (c, b) in itertools.product(enumerate("abc"), repeat=2):
        both = [i for i in range(6) if found.get(a, every)[i] and found.get(b, every)[i]]
        unequal = [images[a][i] != images[b][i] for i in both]
        assert matrix.n[r, c] == len(both)
        assert matrix.values[r, c] == pytest.approx(np.mean(unequal))
    assert (np.diag(matrix.values) == 0).all()
    assert np.isnan(matrix.low).all()


def test_nothing_in_common_is_no_number():
    images = np.zeros((2, 4))
    matrix = differences({"a": images, "b": images}, {"a": [True, False], "b": [False, True]})
    assert np.isnan(matrix.values[0, 1])
    assert "-" in str(matrix)


def test_wrong_images():
    with pytest.raises(ValueError, match=r"one shape, got \(1, 1, 1, 4\) and \(1, 1, 1, 3\)"):
        changes(np.zeros((1, 4)), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="no images"):
        differences({})
    with pytest.raises(TypeError, match="bool"):
        differences({"a": np.zeros((1, 4))}, {"a": [1]})
