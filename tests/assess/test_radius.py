import math
from fractions import Fraction

import pytest

from bnnkit.assess._radius import eps_text


@pytest.mark.parametrize(
    "place", [Fraction(1, 20), Fraction(8, 255), Fraction(51, 1700) + Fraction(7, 255)]
)
def test_the_float_above_a_radius_is_not_called_the_radius(place):
    here = float(place)
    above = math.nextafter(here, 1)
    assert eps_text(here) == f"{here:g}"
    assert eps_text(above) == f"just above {here:g}"
    assert eps_text(above, 3) == f"just above {here:.3g}"


def test_other_numbers_are_rounded():
    values = [0.0, 1, 1 / 3, 0.1234567891, math.pi, math.inf, Fraction(1, 20)]
    texts = ["0", "1", "0.333333", "0.123457", "3.14159", "inf", "0.05"]
    assert [eps_text(value) for value in values] == texts
