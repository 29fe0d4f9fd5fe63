import numpy as np
import pytest

from bnnkit.kernels import patches, training


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def z(rng):
    return rng.integers(-3000, 3000, (37, 11), dtype=np.int32)


def normal(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def test_channel_moments_are_exact(z):
    sums, squares = training.channel_moments(z)
    wide = z.astype(np.int64)
    np.testing.assert_array_equal(sums, wide.sum(axis=0))
    np.testing.assert_array_equal(squares, (wide**2).sum(axis=0))


def test_normalise(rng, z):
    mean, slope, shift = normal(rng, 11), normal(rng, 11), normal(rng, 11)
    z[:, 3], mean[3], shift[3] = 4, 4, 0  # y = 0 is a one
    y, bits = training.normalise(z, mean, slope, shift)
    np.testing.assert_allclose(y, slope * (z - mean) + shift, rtol=1e-5, atol=1e-3)
    np.testing.assert_array_equal(bits, y >= 0)
    assert bits[:, 3].all()


def test_gradient_moments(rng, z):
    gradient, mean = normal(rng, *z.shape), rng.normal(size=11)
    sums, products = training.gradient_moments(gradient, z, mean)
    np.testing.assert_allclose(sums, gradient.astype(float).sum(axis=0))
    np.testing.assert_allclose(products, (gradient.astype(float) * (z - mean)).sum(axis=0))


def test_combine(rng, z):
    gradient = normal(rng, *z.shape)
    mean, first, second, third = (normal(rng, 11) for _ in range(4))
    result = training.combine(gradient, z, mean, first, second, third)
    expected = first * gradient.astype(float) + second * (z - mean.astype(float)) + third
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [
        ((5, 6), (3, 3), 1, 1),
        ((7, 7), (4, 4), 2, 1),
        ((6, 5), (2, 2), 3, 0),
        ((4, 3), (4, 3), 1, 0),
    ],
)
def test_add_patches_is_the_transpose_of_patches(size, kernel, stride, padding, rng):
    """The adjoint is defined by <patches(x), g> = <x, add_patches(g)>."""
    x = normal(rng, 2, *size, 3)
    gathered = patches(x, kernel, stride, padding)
    rows, columns = ((s + 2 * padding - k) // stride + 1 for s, k in zip(size, kernel, strict=True))
    gradient, total = normal(rng, *gathered.shape), np.zeros_like(x)
    shaped = gradient.reshape(2, rows, columns, *kernel, 3)
    training.add_patches(shaped, *kernel, stride, padding, total)
    assert np.sum(gathered * gradient) == pytest.approx(np.sum(x * total), rel=1e-4)
    total_again = total.copy()
    training.add_patches(shaped, *kernel, stride, padding, total_again)
    np.testing.assert_allclose(total_again, 2 * total, rtol=1e-5, atol=1e-6)


def test_ternarise(rng):
    latent, mask, weights = normal(rng, 50), normal(rng, 50), normal(rng, 50)
    latent[:2], mask[:2] = 0, 0
    training.ternarise(latent, mask, weights)
    np.testing.assert_array_equal(weights, np.where(latent >= 0, 1, -1) * (mask >= 0))


def test_straight_through(rng):
    gradient, latent, mask = normal(rng, 50), normal(rng, 50), normal(rng, 50)
    d_latent, d_mask = np.empty_like(latent), np.empty_like(mask)
    training.straight_through(gradient, latent, mask, d_latent, d_mask, np.float32(0.5))
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
