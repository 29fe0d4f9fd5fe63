"""The distribution of minimal eps against enumeration at each eps."""

import csv
import math
from fractions import Fraction

import numpy as np
import pytest
from helpers import hard_question

from bnnkit import study
from bnnkit.assess import MinimalEpsilons, iter_minimal_epsilons, minimal_epsilons
from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser


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


def eps_of_studies():
    """Every radius that a study which comes with bnnkit asks about."""
    radii = set()
    for name in study.names():
        for size in study.sizes(name):
            for measure in study.load(name, size)["measures"].values():
                radii |= set(np.ravel(measure.get("eps", [])).tolist())
    assert 0.05 in radii
    return sorted(radii)


def test_the_csv_says_what_the_object_says():
    above = Conv2d([[[[1]]]], [1], [1])  # class 1 from the first level of 1/10 on
    head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    network = BinaryNetwork(Quantiser(0.1), [above], head, (1, 1, 1))
    images = np.array([0, 0, 3, 10, 255, 200], np.uint8).reshape(6, 1, 1, 1)
    found = minimal_epsilons(network, images, [0, 0, 0, 0, 1, 1])
    next_ = math.nextafter(0.05, 1)
    assert found.upper[0] == next_  # half a step goes to level 0: what a rounding would get wrong
    rows = list(csv.DictReader(found.to_csv().splitlines()))
    for eps in [next_, *eps_of_studies()]:
        row = next(row for row in reversed(rows) if float(row["eps"]) <= eps)
        counts = {name: int(row[name]) for name in ("robust", "falsified", "unknown")}
        assert counts == vars(found.at(eps)), eps


@pytest.mark.parametrize("seed", [0, 3, 6, 9])
def test_the_median_is_where_half_have_fallen(seed, question):
    found = minimal_epsilons(*question(seed, 5 + seed % 2))
    lower, upper = found.median
    if upper < math.inf:
        assert lower == upper
        assert found.at(upper).falsified >= found.n / 2
    else:
        assert lower == found.max_eps
    assert found.at(math.nextafter(lower, 0)).robust > found.n / 2


def test_the_median_of_what_is_open():
    inf = math.inf
    assert made([0.1, 0.2, 0.3], [0.2, 0.4, inf], [0, 0, 0]).median == (0.2, 0.4)
    assert made([0.1, 0.5, 0.5], [0.1, inf, inf], [1, 1, 1]).median == (0.5, inf)
    assert made([0.0, 0.1, 0.5, 0.5], [0.0, 0.1, inf, inf], [1, 1, 1, 1]).median == (0.1, 0.1)
