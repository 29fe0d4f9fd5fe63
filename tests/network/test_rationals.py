from fractions import Fraction

import numpy as np
import pytest

from bnnkit.network.rationals import as_integers, as_python, at_least, exact_product

FLOATS = [0.0, -0.0, 0.1, 1 / 3, -255.0, 5e-324, 1e-300, 1.7e308, 2.0**53, 2.0**53 - 1, -(2.0**60)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 3])
def test_floats_are_their_exact_values(dtype, size):
    with np.errstate(over="ignore"):
        values = np.array(FLOATS).astype(dtype)
    values = values[np.isfinite(values)]
    rng = np.random.default_rng(0)
    for _ in range(200):
        some = rng.choice(values, size)
        numerators, denominator = as_integers(some)
        exact = [Fraction(n) / denominator for n in as_python(numerators)]
        assert exact == [Fraction(float(v)) for v in some]


@pytest.mark.parametrize("values", [[0, 2**53 + 1], [Fraction(1, 3), 2], [2**70, 1]])
def test_integers_and_fractions(values):
    array = np.array(values, object if 2**70 in values else None)
    numerators, denominator = as_integers(array)
    assert [Fraction(n, denominator) for n in as_python(numerators)] == values


@pytest.mark.parametrize("largest", [3, 2**20, 2**50, 2**52, 2**53 - 1, 2**60, 2**80])
def test_products_equal_python_integers(largest):
    rng = np.random.default_rng(largest % 1000)
    rows = [
        [int(largest * rng.uniform(-1, 1)) + int(rng.integers(2)) for _ in range(9)] for _ in "ab"
    ]
    rows += [[largest] * 9]
    weights = rng.integers(-1, 2, (5, 9)).astype(np.int8)
    weights[0], weights[1] = 1, 0
    sums = exact_product(as_integers(np.array(rows, object))[0], weights)
    expected = [
        [sum(w * v for w, v in zip(ws, row, strict=True)) for ws in weights.tolist()]
        for row in rows
    ]
    assert as_python(sums).tolist() == expected
    for shift in (-1, 0, 1):
        bounds = np.array(expected, object) + shift
        assert (at_least(sums, bounds) == (shift <= 0)).all()
    for far in (2**53, 2**53 + 1, 2**54, 2**90):
        bounds = np.full((3, 5), far, object)
        assert (at_least(sums, bounds) == (np.array(expected, object) >= far)).all()
        assert (at_least(sums, -bounds) == (np.array(expected, object) >= -far)).all()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.array([np.nan]), "NaN"),
        (np.array([np.inf]), "infinity"),
        (np.array([1j]), "complex"),
        (np.array(["1"]), "must hold"),
        (np.array([0.5], object), "Fractions and ints only"),
        (np.array([True], object), "Fractions and ints only"),
        (np.array([Fraction(1, 3**3000)], object), "no common denominator"),
    ],
)
def test_numbers_that_are_refused(values, says):
    with pytest.raises((ValueError, TypeError), match=says):
        as_integers(values)
