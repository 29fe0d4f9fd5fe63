import numpy as np
import pytest

from bnnkit.nn.batchnorm import BatchNormStep, mean_and_variance


def make(rng, channels=5):
    norm = BatchNormStep(channels)
    norm.gamma.value[:] = rng.normal(size=channels)
    norm.beta.value[:] = rng.normal(size=channels)
    return norm


def plain(z, gamma, beta):
    """Batch-norm as it is defined, float64."""
    axes = (0, 1, 2)
    return gamma * (z - z.mean(axes)) / np.sqrt(z.var(axes) + 1e-5) + beta


def test_forward_is_the_definition(rng):
    norm, z = make(rng), rng.integers(-900, 900, (6, 3, 2, 5), dtype=np.int32)
    y, bits = norm.forward(z)
    expected = plain(z, norm.gamma.value, norm.beta.value)
    np.testing.assert_allclose(y, expected, atol=1e-5)
    np.testing.assert_array_equal(bits, y >= 0)


def test_backward_is_the_slope(rng):
    norm, z = make(rng), rng.integers(-40, 40, (4, 2, 2, 5), dtype=np.int32)
    dy, h = rng.normal(size=z.shape).astype(np.float32), 1e-5
    gamma, beta = norm.gamma.value.astype(float), norm.beta.value.astype(float)

    def slope(change):
        return np.sum(dy * (change(h) - change(-h))) / (2 * h)

    norm.forward(z)
    dz = norm.backward(z, dy)
    for place in [(0, 0, 0, 0), (1, 1, 0, 2), (3, 0, 1, 4)]:
        at = np.zeros(z.shape)
        at[place] = 1
        expected = slope(lambda t, at=at: plain(z + t * at, gamma, beta))
        assert dz[place] == pytest.approx(expected, rel=1e-4, abs=1e-7)
    for c in range(5):
        at = np.eye(5)[c]
        expected = slope(lambda t, at=at: plain(z, gamma + t * at, beta))
        assert norm.gamma.gradient[c] == pytest.approx(expected, rel=1e-4, abs=1e-6)
        expected = slope(lambda t, at=at: plain(z, gamma, beta + t * at))
        assert norm.beta.gradient[c] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_affine_uses_the_fixed_statistics(rng):
    norm = make(rng)
    mean, variance = rng.normal(size=5), rng.uniform(0, 4, 5)
    norm.set_statistics(mean, variance)
    slope, offset = norm.affine()
    assert slope.dtype == offset.dtype == np.float64
    deviation = np.sqrt(variance + 1e-5)
    np.testing.assert_allclose(slope, norm.gamma.value / deviation)
    np.testing.assert_allclose(offset, norm.beta.value - mean * norm.gamma.value / deviation)


def test_a_constant_channel_stays_finite(rng):
    norm, z = make(rng), np.full((4, 1, 1, 5), 7, np.int32)
    y, _ = norm.forward(z)
    np.testing.assert_allclose(y[0, 0, 0], norm.beta.value)
    assert np.isfinite(norm.backward(z, np.ones(z.shape, np.float32))).all()


def test_mean_and_variance_from_sums(rng):
    values = rng.integers(-50, 50, (200, 3)).astype(float)
    mean, variance = mean_and_variance(values.sum(0), (values**2).sum(0), 200)
    np.testing.assert_allclose(mean, values.mean(0))
    np.testing.assert_allclose(variance, values.var(0))
