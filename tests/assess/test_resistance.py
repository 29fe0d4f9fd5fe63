"""Curves against exhaustive enumeration, and what may be inferred."""

import math
from fractions import Fraction

import numpy as np
import pytest
from helpers import hard_question, random_network

from bnnkit import verify_all
from bnnkit.assess import Rate, WhiteBox, certified_matrix, curve_of, resistance_curve
from bnnkit.assess.resistance import _closed, _halving, _is_within
from bnnkit.ensemble import Vote
from bnnkit.verification import Verdict, Verdicts

# the ends of levels for all steps of the tests, and radii on both sides of them
EPS = [0, Fraction(1, 20), 0.0501, 0.125, 0.15, 0.2, 0.25, 0.3, 0.45, 1.0]


@pytest.mark.parametrize("seed", range(24))
def test_every_status_is_that_of_enumeration(seed, question, brute):
    network, images, labels = question(seed)
    curve = resistance_curve(network, images, labels, EPS[::-1])
    for e, eps in enumerate(EPS):
        radius = Fraction(str(eps))
        expected = [brute(network, *each, radius) for each in zip(images, labels, strict=True)]
        assert curve.status[e].tolist() == expected
        assert curve.at(eps) == WhiteBox.of(expected)
    asked = (curve.answers != "").sum(axis=0)
    assert asked.max() <= math.ceil(math.log2(len(EPS) + 1))
    assert asked[0] == 1  # wrong as it is: the image is a witness for every eps
    assert (curve.seconds[curve.answers == ""] == 0).all()
    assert (curve.inferred == (curve.answers == "")).all()


@pytest.mark.parametrize("seed", range(6))
def test_grey_images_are_verified_as_such(seed, question):
    network, images, labels = question(seed)
    eps = [Fraction(k, 510) for k in (0, 5, 20, 50, 80, 120)]
    curve = resistance_curve(network, images, labels, eps, pixels="uint8")
    for e, radius in enumerate(eps):
        expected = verify_all(network, images, labels, radius, pixels="uint8").status
        assert curve.status[e].tolist() == expected.tolist()


def test_a_found_image_is_in_the_balls_that_reach_it(question):
    network, images, _ = question(0)
    image, grey = np.zeros_like(images[0]), np.zeros_like(images[0])
    grey[0, 0, 1] = 200
    assert _is_within([network], image, grey, Fraction(200, 255))
    assert not _is_within([network], image, grey, Fraction(399, 510))
    real = np.float32([[[0.05, 0.0, 0.1]]])  # level 1 of step 0.1 begins just above 0.05
    assert _is_within([network], image, real, Fraction(501, 10_000))
    assert not _is_within([network], image, real, Fraction(1, 20))


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10])
def test_halving_visits_each_place_once(n):
    order = list(_halving(n))
    assert sorted(order) == list(range(n))
    assert order[0] == n // 2


def answers_of(*rows):
    letters = {"r": "robust", "f": "falsified", "u": "unknown", ".": ""}
    return np.array([[letters[letter] for letter in row] for row in rows], dtype="U9")


def test_what_follows_and_what_does_not():
    answers = answers_of(".u..u", "r..u.", "..fu.", "u.uu.")
    expected = answers_of("ru..u", "r..u.", "..fu.", "u.fuf")
    assert (_closed(answers, np.array([4, 4, 4, 4, 3])) == expected).all()


@pytest.mark.parametrize("rows", ["rf", "fr"])
def test_contradictions_are_errors(rows):
    answers = answers_of(rows[1], rows[0])
    if rows == "fr":  # robust for less, falsified for more: as it should be
        assert (_closed(answers, np.array([2])) == answers).all()
        return
    with pytest.raises(RuntimeError, match=r"images \[0\] are proved robust"):
        _closed(answers, np.array([2]))


def test_out_of_time_is_unknown_and_closes_nothing():
    network, image, label = hard_question()
    curve = resistance_curve(network, image[None], [label], [0, 0.3, 0.31], timeout=0.1)
    assert curve.status[:, 0].tolist() == ["robust", "unknown", "unknown"]
    assert curve.timed_out.tolist() == [0, 1, 1]
    assert not curve.inferred[1:].any()


def verdicts_of(letters, eps):
    names = {"r": "robust", "f": "falsified", "u": "unknown"}
    return Verdicts(
        Verdict(names[letter], i, eps, i, i, "solver", timings={"solve": 1.0})
        for i, letter in enumerate(letters)
    )


def test_a_curve_of_verdicts_that_are_there():
    given = {eps: verdicts_of(row, eps) for eps, row in [(0.3, "uff"), (0.1, "rru"), (0.2, "ufu")]}
    curve = curve_of(given, {"solver": "native"})
    assert curve.eps.tolist() == [0.1, 0.2, 0.3]
    assert (curve.status == answers_of("rru", "ufu", "uff")).all()
    given[0.1] = verdicts_of("rfu", 0.1)
    given[0.2] = verdicts_of("uuu", 0.2)
    inferred = curve_of(given)
    assert (inferred.status == answers_of("rfu", "ufu", "uff")).all()
    assert inferred.timed_out.tolist() == [1, 3, 1]
    assert inferred.counts["falsified"].tolist() == [1, 1, 2]
    header, rows = inferred.rows()
    assert dict(zip(header, rows[1], strict=True))["seconds"] == 3


def test_verdicts_of_other_images_are_no_curve():
    with pytest.raises(ValueError, match="not about the same images"):
        curve_of({0.1: verdicts_of("rr", 0.1), 0.2: verdicts_of("r", 0.2)})
    with pytest.raises(ValueError, match="no verdicts"):
        curve_of({})


def test_models_against_radii():
    eps = (0.1, 0.2)
    first = curve_of({e: verdicts_of(row, e) for e, row in zip(eps, ("rrf", "rff"), strict=True)})
    second = curve_of({e: verdicts_of(row, e) for e, row in zip(eps, ("rr", "ru"), strict=True)})
    matrix = certified_matrix({"first": first, "second": second})
    assert (matrix.row_names, matrix.column_names) == (["first", "second"], ["0.1", "0.2"])
    assert matrix.values.tolist() == [[2 / 3, 1 / 3], [1, 0.5]]
    assert matrix.n.tolist() == [[3, 3], [2, 2]]
    assert (matrix.low[0, 1], matrix.high[0, 1]) == Rate(1, 3).interval
    with pytest.raises(ValueError, match="same radii"):
        certified_matrix({"first": first, "second": curve_of({0.1: verdicts_of("r", 0.1)})})


@pytest.mark.parametrize(
    ("eps", "says"), [([], "at least one radius"), ([0.1, 8], "pass 8/255"), ([-0.1], "must be in")]
)
def test_wrong_radii(eps, says, question):
    with pytest.raises(ValueError, match=says):
        resistance_curve(*question(0), eps)


def test_another_radius_than_those_asked_about(question):
    curve = resistance_curve(*question(0), 0.1)
    assert curve.at(Fraction(1, 10)).n == 6
    with pytest.raises(ValueError, match=r"one of \[0.1\], got 0.2"):
        curve.at(0.2)


def test_processes_give_the_same(question):
    network, images, labels = question(3)
    curves = [resistance_curve(network, images, labels, EPS, n_jobs=n) for n in (1, 2)]
    assert (curves[0].status == curves[1].status).all()


@pytest.mark.parametrize("question", ["vote", "joint"])
@pytest.mark.parametrize("seed", range(6))
def test_several_networks_of_any_steps(seed, question):
    rng = np.random.default_rng(seed)
    networks = [random_network(rng, (1, 1, 3), ("dense",), step) for step in (0.1, 0.3, 0.25)]
    images = rng.integers(0, 256, (8, 1, 1, 3)).astype(np.uint8)
    labels = Vote(networks).predict(images)
    eps = [0, 0.05, 0.1, 0.15, 0.3, 0.6]
    curve = resistance_curve(Vote(networks), images, labels, eps, question=question)
    for e, radius in enumerate(eps):
        expected = verify_all(networks, images, labels, radius, question=question).status
        assert curve.status[e].tolist() == expected.tolist()
