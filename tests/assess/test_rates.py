import math
from statistics import NormalDist

import numpy as np
import pytest

from bnnkit.assess import Between, Rate, wilson


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
@pytest.mark.parametrize("n", [1, 7, 100, 10_000])
def test_the_ends_solve_the_equation_of_the_score_test(n, confidence):
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    counts = np.unique(np.linspace(0, n, 12).astype(int))
    for count, low, high in zip(counts, *wilson(counts, n, confidence), strict=True):
        assert 0 <= low <= count / n <= high <= 1
        for end in (low, high):
            assert (count / n - end) ** 2 == pytest.approx(z * z * end * (1 - end) / n, abs=1e-12)


def test_coverage_is_that_of_the_confidence_on_average():
    n, inside = 50, []
    low, high = wilson(np.arange(n + 1), n)
    for share in np.linspace(0.05, 0.95, 181):
        binomial = np.array(
            [math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
        )
        inside.append(binomial[(low <= share) & (share <= high)].sum())
    assert np.mean(inside) == pytest.approx(0.95, abs=0.005)
    assert min(inside) > 0.9


def test_all_none_and_nothing():
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == 1
    assert wilson(0, 0) == (0, 1)
    assert wilson(0, 10)[1] == pytest.approx(1 - wilson(10, 10)[0])
    assert math.isnan(Rate(0, 0).share)
    assert str(Rate(0, 0)) == str(Between(0, 0, 0)) == "-"


@pytest.mark.parametrize("make", [Rate, wilson])
@pytest.mark.parametrize(("count", "n"), [(-1, 3), (4, 3), (0, -1), (0, math.nan)])
def test_impossible_counts_are_errors(make, count, n):
    with pytest.raises(ValueError, match="count must be from 0 to n"):
        make(count, n)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_an_impossible_confidence_is_an_error(confidence):
    with pytest.raises(ValueError, match=r"confidence must be in \(0, 1\)"):
        wilson(1, 2, confidence)


def test_between_reaches_from_the_interval_of_the_least_to_that_of_the_most():
    found = Between(10, 15, 100)
    assert found.share == (0.1, 0.15)
    assert found.interval == (Rate(10, 100).interval[0], Rate(15, 100).interval[1])
    with pytest.raises(ValueError, match="least must not be above most"):
        Between(3, 2, 5)
