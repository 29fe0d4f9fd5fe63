import numpy as np
import pytest
from products import from_lanes, to_lanes

from bnnkit.kernels import ascent

SHAPES = [(100, 7), (64, 16), (3, 70)]  # images, inputs
LEVELS = [(np.int16, 32), (np.int8, 64)]


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def normal(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def lanes_of(rows, dtype=np.float32, width=16):
    return to_lanes(rows[:, None], dtype, width)[:, 0]


@pytest.mark.parametrize("shape", SHAPES)
def test_float_lanes(shape, rng):
    rows = normal(rng, *shape)
    lanes = lanes_of(np.full(shape, 9))
    lanes[:] = 9  # is overwritten, beyond the last image as well
    ascent.float_lanes(rows, lanes)
    np.testing.assert_array_equal(lanes, lanes_of(rows))


def test_climb_is_a_signed_step_clipped_to_the_limits(rng):
    position, low, gradient = normal(rng, 3, 500)
    high = low + np.abs(normal(rng, 500))
    gradient[::5] = 0
    gradient[1] = np.nan
    step = np.float32(0.3)
    sign = np.nan_to_num(np.sign(gradient))
    expected = np.clip(position + step * sign, low, high)
    ascent.climb(position, low, high, gradient, step)
    np.testing.assert_array_equal(position, expected)


def test_climbing_on_ends_in_a_corner(rng):
    low, high = np.float32([0.4, 0.4, 0.4]), np.float32([1.5, 1.5, 1.5])
    position, gradient = np.float32([0.9, 1.2, 0.8]), np.float32([2, -1e-30, 0])
    for _ in range(10):
        ascent.climb(position, low, high, gradient, np.float32(0.2))
    np.testing.assert_array_equal(position, np.float32([1.5, 0.4, 0.8]))


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("shape", SHAPES)
def test_nearest_levels_rounds_half_to_even(shape, levels, rng):
    dtype, width = levels
    rows = (rng.integers(0, 40, shape) / 4).astype(np.float32)  # halves, quarters and integers
    lanes = lanes_of(np.full(shape, 9), dtype, width)
    ascent.nearest_levels(lanes_of(rows), lanes)
    np.testing.assert_array_equal(from_lanes(lanes[:, None], shape[0])[:, 0], np.rint(rows))
