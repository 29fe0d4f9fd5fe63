import math
from fractions import Fraction

import numpy as np
import pytest

from bnnkit._checks import simplest_fraction
from bnnkit.quantiser import Quantiser

STEPS = [Fraction(1, 10), Fraction(61, 100), Fraction(8, 125), Fraction(1, 255), Fraction(2, 5), 1]


def plain_level(value, step):
    """Half-even rounding of a rational, by hand."""
    quotient = Fraction(value) / step
    floor = math.floor(quotient)
    rest = quotient - floor
    if rest == Fraction(1, 2):
        return floor + floor % 2
    return floor + (rest > Fraction(1, 2))


def clipped(value):
    return min(max(value, Fraction(0)), Fraction(1))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "shift", [Fraction(0), Fraction(1, 20), Fraction(-3, 20), Fraction(8, 255)]
)
def test_grey_levels_are_exact(step, shift):
    grey = np.arange(256, dtype=np.uint8)
    expected = [plain_level(clipped(Fraction(v, 255) + shift), step) for v in range(256)]
    assert Quantiser(step).levels(grey, shift).tolist() == expected


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("shift", [Fraction(0), Fraction(1, 20), Fraction(-3, 20)])
def test_float_levels_are_exact_next_to_every_stair(step, shift):
    quantiser = Quantiser(step)
    stairs = [float((k + Fraction(1, 2)) * step - shift) for k in range(quantiser.n_levels)]
    values = [v for s in stairs for v in (s, math.nextafter(s, 2), math.nextafter(s, -1))]
    values = [v for v in [*values, 0.0, 1.0] if 0 <= v <= 1]
    expected = [plain_level(clipped(Fraction(v) + shift), step) for v in values]
    assert quantiser.levels(np.array(values), shift).tolist() == expected


def test_a_float_step_means_its_decimal():
    assert Quantiser(0.1).step == Fraction(1, 10)
    assert Quantiser(0.1) == Quantiser(Fraction(1, 10))
    assert Quantiser(0.1).n_levels == 11
    assert Quantiser(0.61).n_levels == 3


def test_ball_reaches_a_level_at_its_very_end():
    # 0 + 0.15 is the middle between levels 1 and 2 of step 0.1 and goes to the even one
    low, high = Quantiser(0.1).ball(np.zeros(1, np.uint8), Fraction(3, 20))
    assert (low[0], high[0]) == (0, 2)
    # 0 + 0.05 is the middle between 0 and 1 and stays at 0
    low, high = Quantiser(0.1).ball(np.zeros(1, np.uint8), Fraction(1, 20))
    assert (low[0], high[0]) == (0, 0)


@pytest.mark.parametrize("step", STEPS)
def test_cells_hold_the_points_of_their_level(step):
    quantiser = Quantiser(step)
    for level in range(quantiser.n_levels):
        low, high, closed = quantiser.cell(level)
        assert plain_level((low + high) / 2, quantiser.step) == level
        assert (plain_level(high, quantiser.step) == level) == closed


def reached(step, value, eps):
    """Levels of the pixels within `eps` of a rational, by rounding both ends of the ball."""
    low, high = (plain_level(clipped(value + sign * eps), Fraction(step)) for sign in (-1, 1))
    return range(low, high + 1)


def pixels_next_to_stairs(step):
    stairs = [float((k + Fraction(1, 2)) * Fraction(step)) for k in range(3)]
    places = [v for s in stairs for v in (s, math.nextafter(s, 2), math.nextafter(s, -1))]
    return np.array([0.0, 1.0, 0.3, 1 / 3, *(v for v in places if v <= 1)])


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("as_uint8", [True, False])
def test_radii_are_the_least_floats_that_reach_a_level(step, as_uint8):
    quantiser = Quantiser(step)
    grey = np.array([0, 1, 13, 51, 128, 153, 254, 255], np.uint8)
    images = grey if as_uint8 else pixels_next_to_stairs(quantiser.step)
    radii = quantiser.radii(images)
    assert radii.shape == (len(images), quantiser.n_levels)
    for pixel, row in zip(images, radii, strict=True):
        value = Fraction(int(pixel), 255) if as_uint8 else Fraction(float(pixel))
        for level, radius in enumerate(row):
            assert level in reached(quantiser.step, value, simplest_fraction(radius))
            if radius > 0:
                less = simplest_fraction(math.nextafter(radius, 0))
                assert level not in reached(quantiser.step, value, less)


def test_radii_keep_the_shape_of_the_images():
    images = np.linspace(0, 1, 12).reshape(2, 1, 2, 3)
    quantiser = Quantiser(0.3)
    radii = quantiser.radii(images)
    assert radii.shape == (2, 1, 2, 3, quantiser.n_levels)
    assert np.array_equal(radii.argmin(axis=-1), quantiser.levels(images))


@pytest.mark.parametrize("step", STEPS)
def test_radii_of_grey_images_are_whole_steps(step):
    quantiser = Quantiser(step)
    levels = quantiser.levels(np.arange(256, dtype=np.uint8))
    images = np.array([[0, 7, 128], [153, 254, 255]], np.uint8)
    radii = quantiser.radii(images, grey=True)
    for place, pixel in np.ndenumerate(images):
        for level in range(quantiser.n_levels):
            steps = min(abs(v - int(pixel)) for v in range(256) if levels[v] == level)
            assert simplest_fraction(radii[place][level]) == Fraction(steps, 255)


@pytest.mark.parametrize("step", [0, -0.1, 0.003, 2, 5.0, float("nan"), "0.1"])
def test_impossible_steps(step):
    with pytest.raises(ValueError, match="quant_step"):
        Quantiser(step)
