import re

import numpy as np
import pytest

from bnnkit._options import check_count, check_number, check_range, check_seed, check_whole


@pytest.mark.parametrize(
    ("check", "accepted"),
    [
        (check_whole, [-1, 0, 7, np.int64(3), np.uint8(0)]),
        (check_count, [1, 7, np.int32(3)]),
        (check_seed, [None, 0, np.uint32(5)]),
        (check_number, [0, -0.5, np.float32(0.1), np.int64(3), float("inf")]),
    ],
)
def test_what_makes_sense_passes(check, accepted):
    for value in accepted:
        check("it", value)


@pytest.mark.parametrize("check", [check_whole, check_count, check_seed, check_number])
@pytest.mark.parametrize("value", ["3", True, [1], 1j])
def test_what_is_no_number_is_named(check, value):
    with pytest.raises(TypeError, match=r"^it must be a (whole )?number, got"):
        check("it", value)


@pytest.mark.parametrize("check", [check_whole, check_count, check_seed])
def test_a_float_is_no_whole_number(check):
    with pytest.raises(TypeError, match=r"whole number, got 1\.5"):
        check("it", 1.5)


@pytest.mark.parametrize(
    ("check", "value", "least"), [(check_count, 0, 1), (check_count, -3, 1), (check_seed, -1, 0)]
)
def test_limits_are_named(check, value, least):
    with pytest.raises(ValueError, match=f"it must be .* of at least {least}, got {value}"):
        check("it", value)


def test_a_count_may_have_both_limits():
    check_count("it", 5, least=2, most=5)
    with pytest.raises(ValueError, match="it must be a whole number of at most 5, got 6"):
        check_count("it", 6, least=2, most=5)


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ("[0, 1]", [0, 1, 0.5], [-1e-9, 1.1, float("nan")]),
        ("[0, 1)", [0, 0.999], [1, -1]),
        ("(0, 1]", [1e-300, 1], [0, 2]),
        ("(0, inf)", [1e-9, 1e300], [0, float("inf"), float("nan")]),
        ("(-inf, inf)", [-5, 0.0], [float("inf"), float("-inf"), float("nan")]),
    ],
)
def test_ranges(interval, inside, outside):
    for value in inside:
        check_range("x", value, interval)
    for value in outside:
        with pytest.raises(ValueError, match=rf"x must be in {re.escape(interval)}, got .*: no$"):
            check_range("x", value, interval, ": no")
    with pytest.raises(TypeError, match="x must be a number"):
        check_range("x", "0.5", interval)
