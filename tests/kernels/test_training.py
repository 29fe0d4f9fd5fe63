import numpy as np
import pytest
from products import from_lanes, to_lanes

from bnnkit.kernels import training
from bnnkit.kernels._lanes import aligned

TYPES = [(np.int16, 64), (np.int16, 32), (np.int32, 32)]  # of the sums z, and their lanes
SHAPES = [(100, 1, 5), (64, 6, 3), (3, 70, 2)]  # images, sites, channels


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def normal(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def sums(rng, shape, dtype):
    """Integers (N, sites, C), and as lanes."""
    values = rng.integers(-3000, 3000, shape)
    return values, to_lanes(values, *dtype)


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
@pytest.mark.parametrize("width", [7, 16, 45])
@pytest.mark.parametrize("n_images", [1, 16, 70])
def test_to_lanes(n_images, width, dtype, rng):
    rows = rng.integers(0, 2 if dtype == np.int8 else 256, (n_images, width), dtype=np.uint8)
    lanes = to_lanes(np.full((n_images, 1, width), 9), dtype)[:, 0]
    lanes[:] = 9  # is overwritten
    training.to_lanes(rows, lanes)
    np.testing.assert_array_equal(lanes, to_lanes(rows[:, None], dtype)[:, 0])


@pytest.mark.parametrize("n_images", [1, 16, 70])
def test_from_lanes(n_images, rng):
    rows, back = normal(rng, n_images, 7), np.empty((n_images, 7), np.float32)
    training.from_lanes(to_lanes(rows[:, None], np.float32)[:, 0], back)
    np.testing.assert_array_equal(back, rows)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_to_floats(shape, dtype, rng):
    values, x = sums(rng, shape, dtype)
    real = to_lanes(np.zeros(shape), np.float32)
    training.to_floats(x, real)
    np.testing.assert_array_equal(real, to_lanes(values, np.float32))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_channel_moments_are_exact(shape, dtype, rng):
    values, z = sums(rng, shape, dtype)
    lanes, totals = aligned((2, shape[2], 16), np.float64), np.ones((2, shape[2]))
    training.channel_moments(z, shape[0], lanes, totals)
    expected = [values.sum(axis=(0, 1)), (values**2).sum(axis=(0, 1))]
    np.testing.assert_array_equal(totals, np.add(expected, 1))
    assert not lanes.any()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_step(shape, dtype, rng):
    values, z = sums(rng, shape, dtype)
    slope, offset = rng.normal(size=shape[2]), rng.normal(size=shape[2])
    slope[0], offset[0], z[0, 0, 0, 0], values[0, 0, 0] = 0.1, -0.1 * 3, 3, 3
    offset[1] = 1e9  # all ones, but not where there is no image
    bits = to_lanes(np.zeros(shape), np.int8)
    bits[:] = 7
    training.step(z, slope, offset, shape[0], bits)
    expected = slope * values + offset >= 0
    np.testing.assert_array_equal(from_lanes(bits, shape[0]), expected)


@pytest.mark.parametrize("name", ["tanh", "hardtanh"])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_window_gradient(shape, dtype, name, rng):
    values, z = sums(rng, shape, dtype)
    gradient, mean = rng.normal(size=shape), 100 * rng.normal(size=shape[2])
    slope, shift, scale = rng.normal(size=shape[2]) / 1000, rng.normal(size=shape[2]), 0.7
    lanes, totals = aligned((2, shape[2], 16), np.float32), np.zeros((2, shape[2]))
    result = to_lanes(gradient, np.float32)
    soft = name == "tanh"
    training.window_gradient(result, z, mean, slope, shift, scale, soft, lanes, totals)
    y = scale * (slope * (values - mean) + shift)
    expected = gradient * (1 - np.tanh(y) ** 2 if soft else np.abs(y) <= 1)
    np.testing.assert_allclose(from_lanes(result, shape[0]), expected, rtol=1e-5, atol=1e-6)
    products = expected * (values - mean)
    for total, terms in zip(totals, (expected, products), strict=True):
        scale = 1e-6 * np.abs(terms).sum(axis=(0, 1))
        assert (np.abs(total - terms.sum(axis=(0, 1))) <= scale).all()
    assert not lanes.any()


@pytest.mark.parametrize("soft", [True, False])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_fixed_gradient(shape, dtype, soft, rng):
    values, z = sums(rng, shape, dtype)
    gradient, mean = rng.normal(size=shape), 100 * rng.normal(size=shape[2])
    slope, shift, scale = rng.normal(size=shape[2]) / 1000, rng.normal(size=shape[2]), 0.7
    result = to_lanes(gradient, np.float32)
    training.fixed_gradient(result, z, mean, slope, shift, scale, soft)
    y = scale * (slope * (values - mean) + shift)
    expected = slope * gradient * (1 - np.tanh(y) ** 2 if soft else np.abs(y) <= 1)
    np.testing.assert_allclose(from_lanes(result, shape[0]), expected, rtol=1e-5, atol=1e-9)


def test_the_soft_window_is_one_minus_tanh_squared_and_ends_at_zero():
    places = np.arange(-1600, 1600)
    y = places / 128
    window = to_lanes(np.ones((3200, 1, 1)), np.float32)
    z, none = to_lanes(places[:, None, None], np.int16), np.zeros(1)
    lanes, totals = aligned((2, 1, 16), np.float32), np.zeros((2, 1))
    arguments = (none, np.full(1, 1 / 128), none, 1.0, True, lanes, totals)
    training.window_gradient(window, z, *arguments)
    expected = 1 / np.cosh(y) ** 2
    np.testing.assert_allclose(from_lanes(window, 3200)[:, 0, 0], expected, rtol=1e-5)
    arguments = (none, np.full(1, 1e30), none, 1.0, True, lanes, totals)
    training.window_gradient(window, z, *arguments)
    np.testing.assert_array_equal(from_lanes(window, 3200)[:, 0, 0], places == 0)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_combine(shape, dtype, rng):
    values, z = sums(rng, shape, dtype)
    gradient = rng.normal(size=shape)
    mean, first, second, third = rng.normal(size=(4, shape[2]))
    result = to_lanes(gradient, np.float32)
    training.combine(result, z, mean, first, second, third, shape[0])
    expected = first * gradient + second * (values - mean) + third
    np.testing.assert_allclose(from_lanes(result, shape[0]), expected, rtol=1e-5, atol=1e-3)


def test_signs_with_and_without_zeros(rng):
    latent, mask, weights = normal(rng, 50), normal(rng, 50), np.empty(50, np.int8)
    latent[:2], mask[:2] = 0, 0
    signs, least = np.where(latent >= 0, 1, -1), np.abs(latent[7])
    training.signs(latent, weights)
    np.testing.assert_array_equal(weights, signs)
    in_use = training.masked_signs(latent, mask, weights)
    np.testing.assert_array_equal(weights, signs * (mask >= 0))
    assert in_use == np.count_nonzero(mask >= 0)
    in_use = training.large_signs(latent, least, weights)
    np.testing.assert_array_equal(weights, signs * (np.abs(latent) >= least))
    assert in_use == np.count_nonzero(np.abs(latent) >= least)


def test_straight_through(rng):
    gradient, latent, mask = normal(rng, 50), normal(rng, 50), normal(rng, 50)
    d_latent, d_mask = gradient.copy(), np.empty_like(mask)
    training.straight_through(d_latent, latent, mask, d_mask, np.float32(0.5))
    np.testing.assert_array_equal(d_latent, gradient * (mask >= 0))
    expected = gradient * np.where(latent >= 0, 1, -1) + np.float32(0.5) * (mask >= 0)
    np.testing.assert_allclose(d_mask, expected, rtol=1e-6)


@pytest.mark.parametrize("limit", [np.inf, 0.3])
def test_adam(limit, rng):
    value, gradient, mean = normal(rng, 30), normal(rng, 30), normal(rng, 30)
    square = normal(rng, 30) ** 2
    settings = [np.float32(s) for s in (0.1, 0.8, 0.95, 1e-6)]
    rate, beta1, beta2, epsilon = (float(s) for s in settings)
    new_mean = beta1 * mean + (1 - beta1) * gradient
    new_square = beta2 * square + (1 - beta2) * gradient**2
    expected = np.clip(value - rate * new_mean / (np.sqrt(new_square) + epsilon), -limit, limit)
    training.adam(value, gradient, mean, square, *settings, np.float32(limit))
    np.testing.assert_allclose(mean, new_mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(square, new_square, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
