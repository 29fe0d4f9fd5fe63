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
        (np.full((2, 2), 255), TypeError, r"dtype int64; convert with images.astype\('uint8'\)"),
        (np.full((2, 2), 256), TypeError, "dtype int64 with values from 256 to 256, which are no"),
        (np.full((2, 2), -1, np.int8), TypeError, "dtype int8 with values from -1 to -1, which"),
        (np.zeros((2, 2), bool), TypeError, r"dtype bool; convert with images.astype\(float\)"),
        (np.zeros((2, 2), complex), TypeError, r"floats in \[0, 1\], got dtype complex128$"),
        (np.array([["a"]]), TypeError, r"floats in \[0, 1\], got dtype <U1$"),
        (np.ma.masked_array(np.zeros((2, 2)), True), TypeError, r"masked array; .*filled\(0\)"),
        (np.full((2, 2), 1.5), ValueError, "from 1.5 to 1.5"),
        (np.full((2, 2), -0.1), ValueError, "lie in"),
        (np.array([[0.0, np.nan]]), ValueError, "NaN"),
        (np.array([[0.0, np.inf]]), ValueError, "lie in"),
        (np.zeros((0, 4), np.uint8), ValueError, "empty"),
        (np.zeros(4, np.uint8), ValueError, "leading axis"),
        (np.zeros((1,) * 5, np.uint8), ValueError, "shape"),
        (
            np.array([[1, 2], [3]], dtype=object),
            ValueError,
            "which this ndarray is not: it has rows",
        ),
        ([[1, 2], [3]], ValueError, "images must be one array of numbers, which this list is not"),
        (
            [np.zeros((2, 2)), np.zeros((3, 2))],
            ValueError,
            "which this list is not: it has rows of different lengths",
        ),
        (None, ValueError, "which this NoneType is not"),
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
        ([0, 1, 5], ValueError, "from 0 to 4, got values from 0 to 5$"),
        ([0, [1], 2], ValueError, "labels must be one array of numbers, which this list is not"),
        (np.ma.masked_array([0, 1, 2], [0, 0, 1]), TypeError, "labels must not be a masked"),
    ],
)
def test_bad_labels_are_named(labels, error, says):
    with pytest.raises(error, match=says):
        as_labels(labels, 3, 5)


@pytest.mark.parametrize("large", [10_000, 19 * 10**9, np.uint64(2**63 + 1)])
def test_labels_that_number_no_classes(large):
    assert as_labels([0, 9_999], 2).tolist() == [0, 9_999]
    with pytest.raises(ValueError, match=rf"from 0 to 9999, .* to {large}; np.unique\(labels, ret"):
        as_labels(np.array([0, large], np.uint64), 2)


def test_a_float_stands_for_the_fraction_that_was_meant():
    for text in ("0.05", "0.1", "0.15", "0.3", "0.61", "0.064"):
        assert simplest_fraction(float(text)) == Fraction(text)
    for grey in range(256):
        assert simplest_fraction(grey / 255) == Fraction(grey, 255)
    assert simplest_fraction(np.float32(0.1)) == Fraction(1, 10)
    assert simplest_fraction(1) == 1


@pytest.mark.parametrize("type_", [np.int64, np.uint8, np.float32, np.array])
def test_numbers_of_numpy_are_numbers(type_):
    for value in (as_eps(type_(0)), as_eps(type_(1))):
        assert type(value.numerator) is type(value.denominator) is int
    assert as_eps(type_(1)) == 1
    assert as_eps(np.array(0.1)) == as_eps(np.array(0.1, np.float32)) == Fraction(1, 10)


def test_the_fraction_rounds_to_the_very_float():
    for value in np.random.default_rng(0).random(500):
        assert float(simplest_fraction(float(value))) == value


@pytest.mark.parametrize(
    ("eps", "says"),
    [
        (8, r"in \[0, 1\], got 8; for grey levels pass 8/255$"),
        (np.array(8), r"in \[0, 1\], got 8; for grey levels pass 8/255$"),
        (255.0, r"in \[0, 1\], got 255.0; for grey levels pass 255/255$"),
        (1.0001, r"in \[0, 1\], got 1.0001$"),
        (Fraction(9, 8), r"in \[0, 1\], got 9/8$"),
        (300, r"in \[0, 1\], got 300$"),
        pytest.param(10**400, r"in \[0, 1\], got 10+$", id="huge"),
        (-0.1, r"in \[0, 1\], got -0.1$"),
        (float("nan"), "a finite number, got nan"),
        (float("inf"), "a finite number, got inf"),
        ("0.1", "a finite number, got '0.1'"),
        (None, "a finite number, got None"),
        (True, "a finite number, got True"),
        (np.bool_(True), "a finite number, got .*True"),
        (np.array([0.1]), r"a finite number, got array\(\[0.1\]\)"),
    ],
)
def test_eps_outside_the_unit_interval(eps, says):
    with pytest.raises(ValueError, match=f"eps must be {says}"):
        as_eps(eps)


def test_unit_floats():
    grey = np.array([0, 51, 255], np.uint8)
    assert unit_floats(grey).dtype == np.float32
    assert unit_floats(grey).tolist() == [0.0, np.float32(0.2), 1.0]
    assert unit_floats(np.array([0.25])).tolist() == [0.25]
