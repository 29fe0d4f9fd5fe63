from fractions import Fraction

import numpy as np
import pytest

from bnnkit._checks import as_eps, as_images, as_labels, simplest_fraction, unit_floats


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((5, 3, 4, 2), (5, 3, 4, 2)), ((5, 4, 2), (5, 1, 4, 2)), ((5, 8), (5, 1, 1, 8))],
)
def test_images_of_every_accepted_shape_become_nchw(shape, expected):
    assert as_images(np.zeros(shape, np.uint8)).shape == expected
    assert as_images(np.zeros(shape, np.float32)).dtype == np.float64


def test_features_are_brought_to_the_networks_shape():
    flat = np.arange(24, dtype=np.uint8).reshape(1, 24)
    assert (as_images(flat, (2, 3, 4)) == flat.reshape(1, 2, 3, 4)).all()
    assert as_images(flat.reshape(1, 4, 6), (1, 4, 6)).shape == (1, 1, 4, 6)


@pytest.mark.parametrize(
    ("images", "error", "says"),
    [
        (np.zeros((2, 2), np.int64), TypeError, "dtype int64"),
        (np.zeros((2, 2), bool), TypeError, "dtype bool"),
        (np.full((2, 2), 1.5), ValueError, "from 1.5 to 1.5"),
        (np.full((2, 2), -0.1), ValueError, "lie in"),
        (np.array([[0.0, np.nan]]), ValueError, "NaN"),
        (np.array([[0.0, np.inf]]), ValueError, "lie in"),
        (np.zeros((0, 4), np.uint8), ValueError, "empty"),
        (np.zeros(4, np.uint8), ValueError, "leading axis"),
        (np.zeros((1,) * 5, np.uint8), ValueError, "shape"),
        (np.array([[1, 2], [3]], dtype=object), ValueError, "different lengths"),
    ],
)
def test_bad_images_are_named(images, error, says):
    with pytest.raises(error, match=says):
        as_images(images)


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (1, 8, 8), (1, 191), (1, 8, 8, 3)])
def test_images_that_do_not_fit_the_network(shape):
    with pytest.raises(ValueError, match=r"takes images of shape \(3, 8, 8\)"):
        as_images(np.zeros(shape, np.uint8), (3, 8, 8))


@pytest.mark.parametrize(
    ("labels", "error", "says"),
    [
        ([0, 1], ValueError, "3 images"),
        ([[0], [1], [2]], ValueError, "shape"),
        ([0.0, 1.0, 2.0], TypeError, "float64"),
        ([0, 1, -1], ValueError, "from -1"),
        ([0, 1, 5], ValueError, "to 4"),
    ],
)
def test_bad_labels_are_named(labels, error, says):
    with pytest.raises(error, match=says):
        as_labels(labels, 3, 5)


def test_a_float_stands_for_the_fraction_that_was_meant():
    for text in ("0.05", "0.1", "0.15", "0.3", "0.61", "0.064"):
        assert simplest_fraction(float(text)) == Fraction(text)
    for grey in range(256):
        assert simplest_fraction(grey / 255) == Fraction(grey, 255)
    assert simplest_fraction(np.float32(0.1)) == Fraction(1, 10)
    assert simplest_fraction(1) == 1


def test_the_fraction_rounds_to_the_very_float():
    for value in np.random.default_rng(0).random(500):
        assert float(simplest_fraction(float(value))) == value


@pytest.mark.parametrize(
    "eps", [8, -0.1, 1.0001, float("nan"), float("inf"), "0.1", None, Fraction(9, 8)]
)
def test_eps_outside_the_unit_interval(eps):
    with pytest.raises(ValueError, match="eps must be"):
        as_eps(eps)


def test_unit_floats():
    grey = np.array([0, 51, 255], np.uint8)
    assert unit_floats(grey).dtype == np.float32
    assert unit_floats(grey).tolist() == [0.0, np.float32(0.2), 1.0]
    assert unit_floats(np.array([0.25])).tolist() == [0.25]
