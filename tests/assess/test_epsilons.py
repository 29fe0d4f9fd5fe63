"""The distribution of minimal eps against enumeration at each eps."""

import math
from fractions import Fraction

import numpy as np
import pytest
from helpers import hard_question

from bnnkit.assess import MinimalEpsilons, iter_minimal_epsilons, minimal_epsilons


@pytest.mark.parametrize("seed", range(10))
def test_the_curve_holds_the_verdicts_of_every_eps(seed, question, brute):
    network, images, labels = question(seed)
    found = minimal_epsilons(network, images, labels)
    assert found.decided.all()
    eps, falsified, possible = found.curve()
    assert (falsified == possible).all()
    places = np.unique([0, 0.05, 0.125, 0.15, 0.2, 0.3, 1, *eps, *(eps[1:] + eps[:-1]) / 2])
    for radius in places.tolist():
        fraction = Fraction(radius).limit_denominator(10**6)
        if float(fraction) != radius:
            continue  # verify reads such a float as another fraction
        expected = [brute(network, *each, fraction) for each in zip(images, labels, strict=True)]
        assert found.status(radius).tolist() == expected
        here = np.searchsorted(eps, radius, side="right") - 1
        assert falsified[here] == expected.count("falsified")


def made(lower, upper, decided, max_eps=0.5):
    n = len(lower)
    arrays = np.array(lower, float), np.array(upper, float), np.array(decided, bool)
    return MinimalEpsilons(*arrays, np.ones(n), np.zeros(n, np.int64), max_eps, {})


def test_what_is_open_is_neither_robust_nor_falsified():
    inf = math.inf
    found = made([0.1, 0.1, 0.2, 0.5, 0.0], [0.1, 0.3, inf, inf, 0.0], [1, 0, 0, 1, 1])
    assert found.status(0.05).tolist() == ["robust"] * 4 + ["falsified"]
    assert found.status(0.1).tolist() == ["falsified", "unknown", "robust", "robust", "falsified"]
    assert found.status(0.3).tolist() == [
        *("falsified", "falsified", "unknown", "robust", "falsified")
    ]
    assert found.status(0.5).tolist()[2:4] == ["unknown", "robust"]
    eps, falsified, possible = found.curve()
    assert eps.tolist() == [0, 0.1, 0.2, 0.3, 0.5]
    assert falsified.tolist() == [1, 2, 2, 3, 3]
    assert possible.tolist() == [1, 3, 4, 4, 4]
    for each, least, most in zip(eps, falsified, possible, strict=True):
        counts = found.at(float(each))
        assert (counts.falsified, counts.falsified + counts.unknown) == (least, most)
    header, rows = found.rows()
    assert [dict(zip(header, row, strict=True))["unknown"] for row in rows] == [0, 1, 2, 1, 1]


def test_nothing_is_said_beyond_the_largest_radius():
    with pytest.raises(ValueError, match=r"at most max_eps = 0.5, got 0.6"):
        made([0.5], [math.inf], [True]).status(0.6)


def test_impossible_intervals_are_errors():
    with pytest.raises(ValueError, match="lower must not be above upper"):
        made([0.2], [0.1], [True])
    with pytest.raises(ValueError, match="must have shape"):
        made([0.2, 0.3], [0.4], [True, True])


def test_what_is_finished_can_be_kept(question):
    network, images, labels = question(6)
    answers = iter_minimal_epsilons(network, images, labels, max_eps=0.5)
    found = [answer for answer, _ in zip(answers, range(3), strict=False)]
    part = MinimalEpsilons.of(found, labels[: len(found)], max_eps=0.5)
    whole = minimal_epsilons(network, images, labels, max_eps=0.5)
    assert part.n == 3
    assert part.upper.tolist() == whole.upper[:3].tolist()
    assert part.status(0.5).tolist() == whole.status(0.5)[:3].tolist()


def test_out_of_time_leaves_an_interval():
    network, image, label = hard_question()
    found = minimal_epsilons(network, image[None], [label], timeout=0.1)
    assert not found.decided[0]
    assert found.lower[0] < found.upper[0]


def test_processes_give_the_same(question):
    network, images, labels = question(2)
    serial, parallel = (minimal_epsilons(network, images, labels, n_jobs=n) for n in (1, 2))
    assert (serial.lower == parallel.lower).all()
    assert (serial.upper == parallel.upper).all()
