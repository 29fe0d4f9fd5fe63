"""`minimal_epsilon` against exhaustive enumeration of all level images, and against `verify`."""

import functools
import itertools
import math
import pickle
import time
from fractions import Fraction

import numpy as np
import pytest
from helpers import hard_question, plain_class, random_network
from reference import load_set

from bnnkit import BNNClassifier, minimal_epsilon, solvers, verify
from bnnkit._checks import simplest_fraction
from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.verification import epsilon

STRUCTURES = [(), ("dense",), ("dense", "dense"), ("conv", "dense"), ("conv", "pool", "dense")]
SEEDS = range(50)


@functools.cache
def random_case(seed):
    """A network, an image, a label, and all level images that are given another one.

    Two of three networks that know only one class are drawn again.
    """
    rng = np.random.default_rng(seed)
    step = float(rng.choice([0.1, 0.2, 0.25, 0.3]))
    shape = (1, 1, 3) if step < 0.25 else (1, 2, 2) if seed % 2 else (2, 2, 1)
    image = rng.integers(0, 256, shape).astype(np.uint8)
    if seed % 3 == 1:  # on stairs of step 0.25, and on doubles
        image = rng.integers(0, 9, shape) / 8 if step == 0.25 else rng.random(shape)
    image.ravel()[: rng.integers(0, 3)] = 0  # black pixels meet ties at 0.05, 0.15
    while True:
        network = random_network(rng, shape, STRUCTURES[seed % 5], step)
        label = int(network.predict(image[None])[0])
        if rng.random() < 0.1:
            label = (label + 1) % 3
        levels = range(network.quantiser.n_levels)
        every = np.array(list(itertools.product(levels, repeat=image.size)))
        images = np.minimum(every * step, 1.0).reshape(-1, *shape)
        wrong = every[network.predict(images) != label]
        if len(wrong) or rng.random() < 0.3:
            return network, image, label, wrong


def pixel_range(step, pixel, eps):
    """Levels that a pixel reaches, by rational arithmetic."""
    x = Fraction(int(pixel), 255) if isinstance(pixel, np.uint8) else Fraction(float(pixel))
    return round(max(x - eps, Fraction(0)) / step), round(min(x + eps, Fraction(1)) / step)


def is_falsified(case, eps):
    """Whether some wrong level image lies in the ball of the float `eps`."""
    network, image, _, wrong = case
    eps = simplest_fraction(eps)
    ends = [pixel_range(network.quantiser.step, pixel, eps) for pixel in image.ravel()]
    low, high = np.array(ends).T
    return bool(((wrong >= low) & (wrong <= high)).all(axis=1).any())


def check_exact(case, result):
    """The result is the least float that is falsified, and has an image of that distance."""
    network, image, label, wrong = case
    lower, upper = result
    assert (result.exact, result.reason) == (True, "")
    if upper == math.inf:
        assert (lower, len(wrong), result.adversarial) == (1.0, 0, None)
        return
    assert lower == upper
    assert is_falsified(case, upper)
    assert upper == 0 or not is_falsified(case, math.nextafter(upper, 0))
    adversarial = result.adversarial.astype(np.float64)
    x = image / 255 if image.dtype == np.uint8 else image
    assert np.abs(adversarial - x).max() <= upper + 2**-24 + 1e-15
    assert plain_class(network, network.quantiser.levels(adversarial)) != label


@pytest.mark.parametrize("solver", ["native", "minicard", "cp-sat"])
@pytest.mark.parametrize("seeds", [SEEDS[i : i + 10] for i in range(0, 50, 10)], ids=str)
def test_the_least_eps_equals_enumeration(solver, seeds):
    for seed in seeds:
        case = random_case(seed)
        check_exact(case, minimal_epsilon(*case[:3], solver=solver))


@pytest.mark.parametrize(
    ("solver", "search", "solve"),
    [("native", 0, 0.1), ("minicard", 0, 0.1), ("minicard", 0, 1e-6), ("minicard", 1e-6, 1e-6)],
)
def test_the_turns_change_nothing(solver, search, solve, monkeypatch):
    # without a search the solver must find the images; with short turns it must go lower
    monkeypatch.setattr(epsilon, "SEARCH", search)
    monkeypatch.setattr(epsilon, "SOLVE", solve)
    for seed in SEEDS:
        case = random_case(seed)
        check_exact(case, minimal_epsilon(*case[:3], solver=solver))


class Moody(solvers.get("minicard")):
    """Does not answer every other question, at random."""

    random = np.random.default_rng(0)

    def _search(self, assumptions):
        if self.random.random() < 0.5:
            time.sleep(max(self._deadline - time.monotonic(), 0))
            return "unknown", None
        return super()._search(assumptions)


def test_questions_that_take_too_long_leave_the_others(monkeypatch):
    solvers.register("moody", Moody)
    monkeypatch.setattr(epsilon, "SEARCH", 0)
    monkeypatch.setattr(epsilon, "SOLVE", 0.002)
    for seed in SEEDS[:25]:
        case = random_case(seed)
        check_exact(case, minimal_epsilon(*case[:3], solver="moody"))


class Quitter(solvers.get("minicard")):
    """Has always had enough."""

    def _search(self, assumptions):
        return "unknown", None


def test_a_solver_that_gives_up_leaves_an_interval(monkeypatch):
    solvers.register("quitter", Quitter)
    monkeypatch.setattr(epsilon, "SEARCH", 0)
    monkeypatch.setattr(epsilon, "SOLVE", 10)
    given_up = 0
    for seed in SEEDS:
        network, image, label, _ = random_case(seed)
        lower, upper = result = minimal_epsilon(network, image, label, "quitter", timeout=None)
        given_up += not result.exact
        assert result.reason == ("" if result.exact else "the engine gave up")
        assert lower <= minimal_epsilon(network, image, label).upper <= upper
    assert given_up > 5


def test_the_cases_reach_every_stage_and_kind():
    cases = [random_case(seed) for seed in SEEDS]
    results = [minimal_epsilon(*case[:3]) for case in cases]
    assert {stage for result in results for stage in result.timings} == {
        *("clean", "bounds", "falsify", "encode", "solve")
    }
    uppers = [result.upper for result in results]
    assert 0.0 in uppers
    assert math.inf in uppers
    exact = [simplest_fraction(upper) for upper in uppers if 0 < upper < math.inf]
    assert any(eps.denominator < 10_000 for eps in exact)  # at the very end of a cell
    assert any(eps.denominator > 10_000 for eps in exact)  # just beyond one


def test_verify_agrees_on_both_sides():
    for seed in SEEDS:
        network, image, label, _ = random_case(seed)
        lower, upper = minimal_epsilon(network, image, label)
        below = math.nextafter(lower, 0) if upper < math.inf else lower
        if upper > 0:
            assert verify(network, image, label, below).status == "robust"
        if upper <= 1:
            assert verify(network, image, label, upper).status == "falsified"


def test_grey_images():
    greys = 0
    for seed in SEEDS:
        network, image, label, wrong = random_case(seed)
        if image.dtype != np.uint8:
            continue
        greys += 1
        levels = network.quantiser.levels(np.arange(256, dtype=np.uint8)).astype(int)
        steps = [
            [min(abs(np.flatnonzero(levels == k) - int(v))) for k in range(levels[-1] + 1)]
            for v in image.ravel()
        ]
        distances = [max(row[k] for row, k in zip(steps, x, strict=True)) for x in wrong]
        result = minimal_epsilon(network, image, label, pixels="uint8")
        assert result.exact
        assert result.upper == (min(distances) / 255 if distances else math.inf)
        if distances:
            assert result.lower == result.upper
            assert result.adversarial.dtype == np.uint8
            assert np.abs(result.adversarial.astype(int) - image).max() == min(distances)
            assert network.predict(result.adversarial[None])[0] != label
    assert greys > 20


def test_nothing_beyond_max_eps():
    tried = 0
    for seed in SEEDS:
        network, image, label, _ = random_case(seed)
        _, upper = minimal_epsilon(network, image, label)
        if not 0 < upper < math.inf:
            continue
        tried += 1
        less = math.nextafter(upper, 0)
        assert minimal_epsilon(network, image, label, max_eps=upper) == (upper, upper)
        result = minimal_epsilon(network, image, label, max_eps=less)
        assert result == (less, math.inf)
        assert (result.exact, result.adversarial) == (True, None)
    assert tried > 20


def level_2_network(quant_step):
    """One pixel; class 1 from level 2 on."""
    above = Conv2d(np.ones((1, 1, 1, 1)), [2], [1])
    head = Head(np.array([[0], [1]]).reshape(2, 1, 1, 1), 1, [0, 0])
    return BinaryNetwork(Quantiser(quant_step), [above], head, (1, 1, 1))


def test_a_half_way_value_that_belongs_to_the_level():
    network, black = level_2_network(0.1), np.zeros((1, 1, 1), np.uint8)
    assert minimal_epsilon(network, black, 0) == (0.15, 0.15)
    assert minimal_epsilon(network, black, 0, pixels="uint8") == (39 / 255, 39 / 255)


def test_a_half_way_value_that_does_not():
    # downwards: level 1 ends below 0.15, so 0.2 - 0.05 does not reach it
    network, image = level_2_network(0.1), np.full((1, 1, 1), 51, np.uint8)
    result = minimal_epsilon(network, image, 1)
    assert result == (math.nextafter(0.05, 1),) * 2
    assert verify(network, image, 1, 0.05).status == "robust"
    assert verify(network, image, 1, result.upper).status == "falsified"


def test_a_pixel_on_a_stair():
    # 0.375 is half-way between levels 1 and 2 of step 1/4 and has the even one
    network, image = level_2_network(0.25), np.full((1, 1, 1), 0.375)
    result = minimal_epsilon(network, image, 1)
    assert result == (math.nextafter(0, 1),) * 2
    assert verify(network, image, 1, result.upper).status == "falsified"
    assert verify(network, image, 1, 0.0).status == "robust"


def test_a_wrong_clean_prediction_is_at_distance_0():
    network, image, *_ = random_case(0)
    clean = int(network.predict(image[None])[0])
    result = minimal_epsilon(network, image, (clean + 1) % 3)
    assert result == (0.0, 0.0)
    assert result.exact
    assert np.array_equal(result.adversarial, image.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize("timeout", [1e-6, 3e-4, 1e-3, 3e-3])
@pytest.mark.parametrize("solver", ["native", "minicard"])
def test_out_of_time_the_interval_holds_the_truth(solver, timeout):
    for seed in SEEDS:
        network, image, label, _ = random_case(seed)
        truth = minimal_epsilon(network, image, label).upper
        result = minimal_epsilon(network, image, label, solver=solver, timeout=timeout)
        assert result.lower <= truth <= result.upper
        assert result.exact == (result.reason == "")
        if result.exact:
            assert result.upper == truth
        elif result.upper < math.inf:
            assert verify(network, image, label, result.upper).status == "falsified"


def test_without_time_nothing_is_known():
    network, image, label, _ = random_case(2)
    result = minimal_epsilon(network, image, label, timeout=1e-9)
    assert (result.reason, result.upper, result.adversarial) == ("timeout", math.inf, None)
    assert result.lower == np.unique(network.quantiser.radii(image))[1]


@pytest.mark.parametrize("solver", ["native", "minicard", "cp-sat"])
def test_a_hard_question_leaves_an_interval(solver):
    network, image, label = hard_question()
    result = minimal_epsilon(network, image, label, solver=solver, timeout=1.0)
    assert 0 < result.lower < result.upper
    assert (result.exact, result.reason) == (False, "timeout")
    assert result.seconds < 5
    assert verify(network, image, label, math.nextafter(result.lower, 0)).status == "robust"


def test_the_result_is_a_tuple_with_attributes():
    network, image, label, _ = random_case(0)
    result = minimal_epsilon(network, image, label)
    lower, upper = result
    assert (result.lower, result.upper) == (lower, upper) == result
    assert type(lower) is type(upper) is float
    assert repr(result) == f"MinimalEpsilon(lower={lower}, upper={upper})"
    copy = pickle.loads(pickle.dumps(result))
    assert copy == result
    assert copy.timings == result.timings
    assert np.array_equal(copy.adversarial, result.adversarial)
    assert result.seconds == sum(result.timings.values())


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"max_eps": 8}, ValueError, "eps must be in"),
        ({"label": 3}, ValueError, "from 0 to 2"),
        ({"timeout": 0}, ValueError, "timeout"),
        ({"solver": "minicart"}, ValueError, "minicard"),
        ({"pixels": "grey"}, ValueError, "'real' or 'uint8'"),
        ({"pixels": "uint8", "image": np.zeros((1, 2, 2))}, ValueError, "needs a uint8 image"),
        ({"network": BNNClassifier()}, TypeError, "pass its network_"),
    ],
)
def test_questions_that_make_no_sense(arguments, error, says):
    network = random_network(np.random.default_rng(0), (1, 2, 2), ("dense",))
    question = {"network": network, "image": np.zeros((1, 2, 2), np.uint8), "label": 0} | arguments
    with pytest.raises(error, match=says):
        minimal_epsilon(**question)


@pytest.mark.parametrize("name", ["mnist-s-adv0.1-sparse", "seed-mlp2-mnist"])
def test_consistent_with_the_reference(data_home, name):
    folder = data_home.parent / "bench" / name
    if not folder.is_dir():
        pytest.skip(f"the reference network is not in {folder}")
    network, images, labels, questions = load_set(folder)
    for i in range(12):
        result = minimal_epsilon(network, images[i], labels[i])
        assert result.exact
        asked = [question for question in questions if question["index"] == i]
        assert asked
        for question in asked:
            expected = "SAT" if question["eps"] >= result.upper else "UNSAT"
            assert question["status_exact"] == expected, (i, question["eps"])
