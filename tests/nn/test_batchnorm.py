import numpy as np
import pytest
from products import from_lanes, to_lanes

from bnnkit.nn.batchnorm import BatchNormStep, mean_and_variance
from bnnkit.nn.surrogate import window


def make(rng, channels=5):
    norm = BatchNormStep(channels)
    norm.gamma.value[:] = rng.normal(size=channels)
    norm.beta.value[:] = rng.normal(size=channels)
    return norm


def plain(z, gamma, beta):
    """Batch-norm as it is defined, float64."""
    axes = (0, 1)
    return gamma * (z - z.mean(axes)) / np.sqrt(z.var(axes) + 1e-5) + beta


def run(norm, z, dtype):
    """Lanes of z (N, sites, C), and the bits (N, sites, C) of a training pass."""
    lanes = to_lanes(z, dtype)
    return lanes, from_lanes(norm.forward(lanes, len(z)), len(z))


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_forward_is_the_definition(dtype, rng):
    norm, z = make(rng), rng.integers(-900, 900, (37, 6, 5))
    _, bits = run(norm, z, dtype)
    np.testing.assert_allclose(norm.mean, z.mean((0, 1)))
    np.testing.assert_allclose(norm.variance, z.var((0, 1)))
    np.testing.assert_array_equal(bits, plain(z, norm.gamma.value, norm.beta.value) >= 0)


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_backward_is_the_slope(dtype, rng):
    """The step is replaced by the window times dy, whose sum has a derivative."""
    norm, z, h = make(rng), rng.integers(-40, 40, (19, 4, 5)), 1e-5
    d_bits = rng.normal(size=z.shape)
    gamma, beta = norm.gamma.value.astype(float), norm.beta.value.astype(float)
    dy = d_bits / np.cosh(0.5 * plain(z, gamma, beta)) ** 2

    def slope(change):
        return np.sum(dy * (change(h) - change(-h))) / (2 * h)

    lanes, _ = run(norm, z, dtype)
    gradient = to_lanes(d_bits, np.float32)
    norm.backward(lanes, gradient, len(z), window("tanh", 0.5))
    dz = from_lanes(gradient, len(z))
    for place in [(0, 0, 0), (1, 1, 2), (18, 3, 4)]:
        at = np.zeros(z.shape)
        at[place] = 1
        expected = slope(lambda t, at=at: plain(z + t * at, gamma, beta))
        assert dz[place] == pytest.approx(expected, rel=1e-4, abs=1e-6)
    for c in range(5):
        at = np.eye(5)[c]
        expected = slope(lambda t, at=at: plain(z, gamma + t * at, beta))
        assert norm.gamma.gradient[c] == pytest.approx(expected, rel=1e-4, abs=1e-5)
        expected = slope(lambda t, at=at: plain(z, gamma, beta + t * at))
        assert norm.beta.gradient[c] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_other_sums_with_the_same_statistics_are_part_of_the_slope(rng):
    norm, h = make(rng), 1e-5
    z, other = rng.integers(-40, 40, (19, 4, 5)), rng.integers(-60, 60, (19, 4, 5))
    dy, d_other = rng.normal(size=(2, *z.shape))
    gamma, beta = norm.gamma.value.astype(float), norm.beta.value.astype(float)
    everywhere = window("hardtanh", 1e-9)

    def loss(z, other):
        mean, deviation = z.mean((0, 1)), np.sqrt(z.var((0, 1)) + 1e-5)
        ys = (gamma * (sums - mean) / deviation + beta for sums in (z, other))
        return sum(np.sum(d * y) for d, y in zip((dy, d_other), ys, strict=True))

    for _ in range(2):  # the second time nothing is left of the first
        lanes, _ = run(norm, z, np.int16)
        gradients = to_lanes(dy, np.float32), to_lanes(d_other, np.float32)
        norm.through_same_statistics(to_lanes(other, np.int16), gradients[1], everywhere)
        norm.backward(lanes, gradients[0], len(z), everywhere)
    found = [from_lanes(gradient, len(z)) for gradient in gradients]
    for place in [(0, 0, 0), (1, 1, 2), (18, 3, 4)]:
        at = np.zeros(z.shape)
        at[place] = h
        slopes = (
            (loss(z + at, other) - loss(z - at, other)) / (2 * h),
            (loss(z, other + at) - loss(z, other - at)) / (2 * h),
        )
        for gradient, slope in zip(found, slopes, strict=True):
            assert gradient[place] == pytest.approx(slope, rel=1e-4, abs=1e-6)
    centred = [(sums - norm.mean) / norm.deviation for sums in (z, other)]
    both = sum(np.sum(d * y, (0, 1)) for d, y in zip((dy, d_other), centred, strict=True))
    np.testing.assert_allclose(norm.gamma.gradient, both, rtol=1e-4)
    np.testing.assert_allclose(norm.beta.gradient, (dy + d_other).sum((0, 1)), rtol=1e-4)


def test_backward_at_inference_knows_no_batch(rng):
    norm, z = make(rng), rng.integers(-40, 40, (3, 4, 5))
    norm.set_statistics(rng.normal(size=5), rng.uniform(100, 400, 5))
    norm.gamma.gradient[:] = norm.beta.gradient[:] = 7
    d_bits = rng.normal(size=z.shape)
    gradient = to_lanes(d_bits, np.float32)
    norm.backward_fixed(to_lanes(z, np.int16), gradient, window("hardtanh", 1.0))
    slope, offset = norm.affine()
    expected = d_bits * (np.abs(slope * z + offset) <= 1) * slope
    np.testing.assert_allclose(from_lanes(gradient, len(z)), expected, rtol=1e-5, atol=1e-7)
    assert (norm.gamma.gradient == 7).all()
    assert (norm.beta.gradient == 7).all()


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
    norm, z = make(rng), np.full((4, 1, 5), 7)
    lanes, bits = run(norm, z, np.int16)
    np.testing.assert_array_equal(bits[0, 0], norm.beta.value >= 0)
    gradient = to_lanes(np.ones(z.shape), np.float32)
    norm.backward(lanes, gradient, len(z), window("tanh", 1.0))
    assert np.isfinite(gradient).all()


def test_mean_and_variance_from_sums(rng):
    values = rng.integers(-50, 50, (200, 3)).astype(float)
    mean, variance = mean_and_variance(values.sum(0), (values**2).sum(0), 200)
    np.testing.assert_allclose(mean, values.mean(0))
    np.testing.assert_allclose(variance, values.var(0))
