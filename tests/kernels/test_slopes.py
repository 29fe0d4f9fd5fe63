import numpy as np
import pytest

from bnnkit.kernels import slopes

WINDOWS = np.array([[0, 1, 3, 4], [1, 2, 4, 5]])  # overlapping, of 6 sites


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def whole(rng, *shape):
    return rng.integers(-3, 4, shape).astype(np.float32)  # small integers: many ties


@pytest.mark.parametrize("rows", [1, 6])
def test_subtract(rows, rng):
    z, bound = whole(rng, 2, 6, 3, 16), whole(rng, rows, 3)
    expected = z - bound[:, :, None]
    slopes.subtract(z, bound)
    np.testing.assert_array_equal(z, expected)


@pytest.mark.parametrize("largest", [True, False])
def test_pool_and_its_gradient(largest, rng):
    margins, gradient = whole(rng, 2, 6, 3, 16), rng.normal(size=(2, 2, 3, 16)).astype(np.float32)
    pooled = np.empty_like(gradient)
    slopes.pool(margins, WINDOWS, largest, pooled)
    gathered = margins[:, WINDOWS]  # (slabs, P, taps, C, 16)
    expected = gathered.max(axis=2) if largest else gathered.min(axis=2)
    np.testing.assert_array_equal(pooled, expected)
    spread = np.full_like(margins, 9)
    slopes.unpool(gradient, pooled, margins, WINDOWS, spread)
    expected = np.zeros_like(margins)
    for p, window in enumerate(WINDOWS):
        for site in window:
            expected[:, site] += gradient[:, p] * (margins[:, site] == pooled[:, p])
    np.testing.assert_allclose(spread, expected, rtol=1e-6)


def test_fire_counts_a_tie_as_one(rng):
    margins = whole(rng, 64)
    bits = np.empty_like(margins)
    slopes.fire(margins, bits)
    np.testing.assert_array_equal(bits, margins >= 0)
    assert bits[margins == 0].all()


def test_soften(rng):
    gradient, margins = rng.normal(size=(2, 2, 4, 5, 16)).astype(np.float32)
    steepness = rng.random((2, 16), dtype=np.float32)
    expected = gradient / (1 + steepness[:, None, None] * abs(margins)) ** 2
    slopes.soften(gradient, margins, steepness)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5)


def test_push(rng):
    margins = rng.normal(size=(2, 4, 5, 16)).astype(np.float32)
    margins[0, 0, 0, 0] = 0
    goal = rng.random((2, 16), dtype=np.float32)
    gradient, least = np.empty_like(margins), np.empty((2, 16), np.float32)
    slopes.push(margins, goal, gradient, least)
    near = abs(margins) < goal[:, None, None]
    np.testing.assert_array_equal(gradient, np.where(margins >= 0, 1, -1) * near)
    np.testing.assert_array_equal(least, abs(margins).min(axis=(1, 2)))


def test_climb_box_stays_on_the_integers_of_the_box(rng):
    low = rng.integers(-20, 20, 30).astype(np.float32)
    high = low + rng.integers(0, 9, 30).astype(np.float32)
    position = np.repeat(low[:, None], 16, axis=1)[None].copy()
    for _ in range(5):
        gradient, step = whole(rng, 1, 30, 16), rng.random((1, 16), dtype=np.float32)
        move = np.maximum(np.floor(step[:, None] * (high - low)[:, None] + np.float32(0.5)), 1)
        moved = np.clip(position + np.sign(gradient) * move, low[:, None], high[:, None])
        slopes.climb_box(position, gradient, step, low, high)
        np.testing.assert_array_equal(position, moved)
        np.testing.assert_array_equal(position, np.rint(position))
