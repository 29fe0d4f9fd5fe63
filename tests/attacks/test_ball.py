from fractions import Fraction

import numpy as np
import pytest

from bnnkit._checks import as_eps
from bnnkit.attacks import Ball, clip_to_ball

EPS = [0, 1 / 255, 0.001, 0.05, 0.1, 0.15, 8 / 255, 0.25, 0.3, 0.5, 1.0]
GREYS = np.arange(256, dtype=np.uint8)[None]


def pixels(kind, eps):
    if kind == "uint8":
        return GREYS
    rng = np.random.default_rng(1)
    # balls that end within one float64 rounding of a float32 number
    ends = rng.random(200, dtype=np.float32).astype(np.float64)
    ends = np.concatenate([ends - float(eps), ends + float(eps)])
    ends = ends[(ends >= 0) & (ends <= 1)]
    values = np.concatenate([rng.random(100), ends, rng.random(50) * 1e-8, [0, 0.05, 0.25, 1]])
    return values[None].astype(kind).astype(np.float64)  # as_images widens float32 exactly


def exact(image):
    return Fraction(int(image), 255) if isinstance(image, np.uint8) else Fraction(float(image))


def neighbour(value, towards):
    return Fraction(float(np.nextafter(value, np.float32(towards))))


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
def test_bounds_are_the_outermost_float32_inside_the_real_ball(kind, eps):
    images, radius = pixels(kind, eps), as_eps(eps)
    tiny = Fraction(1, 2**53)  # eps itself is rounded down where the pixels are floats
    ball = Ball.around(images, radius)
    assert ball.low.dtype == ball.high.dtype == ball.center.dtype == np.float32
    for i, x in enumerate(images[0]):
        low, high = max(exact(x) - radius, Fraction(0)), min(exact(x) + radius, Fraction(1))
        got_low, got_high = ball.low[0, i], ball.high[0, i]
        assert got_low <= ball.center[0, i] <= got_high
        if got_low == got_high:  # a single float32, perhaps just beside an empty ball
            nearest = ball.center[0, i]
            assert neighbour(nearest, -1) < low <= exact(x) <= high < neighbour(nearest, 2)
            continue
        assert neighbour(got_low, -1) - tiny < low <= Fraction(float(got_low))
        assert Fraction(float(got_high)) <= high < neighbour(got_high, 2) + tiny


@pytest.mark.parametrize("eps", EPS)
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
def test_clip_outwards_reaches_both_real_ends_with_one_rounding(kind, eps):
    images, radius = pixels(kind, eps), as_eps(eps)
    ball = Ball.around(images, radius)
    lows = ball.clip_outwards(np.full(images.shape, -5.0))
    highs = ball.clip_outwards(np.full(images.shape, 5.0))
    for x, low, high in zip(images[0], lows[0], highs[0], strict=True):
        assert 0 <= low <= high <= 1
        assert Fraction(float(low)) <= max(exact(x) - radius, Fraction(0)) + Fraction(1, 2**53)
        assert Fraction(float(high)) >= min(exact(x) + radius, Fraction(1)) - Fraction(1, 2**53)
        assert abs(Fraction(float(low)) - max(exact(x) - radius, 0)) < Fraction(1, 2**23)


def test_eps_zero_keeps_the_images():
    floats = np.random.default_rng(0).random((3, 5), dtype=np.float32)
    assert (clip_to_ball(1 - floats, floats, 0) == floats).all()
    assert (clip_to_ball(np.ones((1, 256)), GREYS, 0) == GREYS / np.float32(255)).all()


def test_eps_one_allows_every_image():
    other = np.random.default_rng(0).random((1, 256), dtype=np.float32)
    assert (clip_to_ball(other, GREYS, 1) == other).all()
    assert clip_to_ball(np.full((1, 256), 7.0), GREYS, 1).max() == 1


def test_an_image_with_a_pixel_that_has_no_float32_inside_stays_its_stand_in():
    # 51/255 is 3e-9 away from the nearest float32; 0 alone could move
    images = np.array([[0, 51], [0, 0]], dtype=np.uint8)
    clipped = clip_to_ball(np.ones((2, 2)), images, 1e-9)
    assert (clipped[0] == images[0] / np.float32(255)).all()
    assert (clipped[1] > 0).all()


def test_clip_moves_only_what_is_outside():
    images = np.full((1, 4), 0.5)
    clipped = clip_to_ball([[0.45, 0.61, 0.2, 0.5]], images, 0.125)
    assert clipped.tolist() == [[np.float32(0.45), np.float32(0.61), 0.375, 0.5]]


@pytest.mark.parametrize("low", [0.0, 0.7, 1.0])
def test_noise_has_the_magnitude_that_was_asked_for(low):
    ball = Ball.around(np.full((20, 500), 0.5), Fraction(1, 10))
    noise = ball.noise(np.random.default_rng(0), low) - ball.center
    magnitude = np.abs(noise) / 0.1
    assert magnitude.min() >= low - 1e-5
    assert magnitude.max() <= 1 + 1e-5
    assert magnitude.mean() == pytest.approx((low + 1) / 2, abs=0.01)
    assert (noise > 0).mean() == pytest.approx(0.5, abs=0.02)


def test_take_selects_images():
    ball = Ball.around(GREYS.reshape(16, 16), Fraction(1, 10))
    part = ball.take(np.array([3, 5]))
    assert (part.images == GREYS.reshape(16, 16)[[3, 5]]).all()
    assert (part.clip(np.zeros((2, 16))) == ball.clip(np.zeros((16, 16)))[[3, 5]]).all()


def test_mistakes():
    with pytest.raises(ValueError, match=r"adversarial has shape \(1, 3\), images have \(1, 4\)"):
        clip_to_ball(np.zeros((1, 3)), np.zeros((1, 4)), 0.1)
    with pytest.raises(ValueError, match="adversarial contains NaN"):
        clip_to_ball([[0.0, np.nan]], np.zeros((1, 2)), 0.1)
    with pytest.raises(ValueError, match="pass 8/255"):
        clip_to_ball(np.zeros((1, 4)), np.zeros((1, 4)), 8)
