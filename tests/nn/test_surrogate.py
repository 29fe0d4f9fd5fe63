import numpy as np
import pytest

from bnnkit.nn import surrogate


def test_tanh_is_the_derivative_of_tanh():
    y, h = np.linspace(-3, 3, 41), 1e-6
    slope = (np.tanh(y + h) - np.tanh(y - h)) / (2 * h)
    np.testing.assert_allclose(surrogate.tanh(y, 1.0), slope, atol=1e-9)


@pytest.mark.parametrize("name", ["tanh", "hardtanh"])
def test_scale_narrows_the_window(name):
    y = np.linspace(-3, 3, 41)
    function = surrogate.get(name)
    np.testing.assert_allclose(function(y, 2.0), function(2 * y, 1.0))


def test_hardtanh_is_a_window_with_its_ends():
    y = np.array([-1.001, -1, 0, 1, 1.001])
    np.testing.assert_array_equal(surrogate.hardtanh(y, 1.0), [0, 1, 1, 1, 0])


@pytest.mark.parametrize("name", ["tanh", "hardtanh"])
def test_float32_stays_float32(name):
    assert surrogate.get(name)(np.ones(3, np.float32), 1.5).dtype == np.float32


def test_unknown_name():
    with pytest.raises(ValueError, match="one of tanh, hardtanh, got 'relu'"):
        surrogate.get("relu")
