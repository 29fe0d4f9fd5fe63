"""`verify` against exhaustive enumeration of the level box, through every backend."""

import itertools
import subprocess
import sys
import tempfile
import time
from fractions import Fraction

import numpy as np
import pytest
from helpers import hard_question, plain_class, random_network

from bnnkit import BNNClassifier, solvers, verify
from bnnkit._checks import simplest_fraction
from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.verification import pipeline

SOLVERS = ["minicard", "native", "cadical", "cp-sat", "glucose4", "cadical:totalizer"]
STRUCTURES = [(), ("dense",), ("dense", "dense"), ("conv", "dense"), ("conv", "pool", "dense")]


def level_box(network, image, eps):
    """Every quantised image of the ball, by rational arithmetic on single pixels."""
    step, eps = network.quantiser.step, simplest_fraction(eps)
    ranges = []
    for pixel in image.ravel():
        x = Fraction(int(pixel), 255) if image.dtype == np.uint8 else Fraction(float(pixel))
        low, high = max(x - eps, Fraction(0)), min(x + eps, Fraction(1))
        ranges.append(range(round(low / step), round(high / step) + 1))
    for levels in itertools.product(*ranges):
        yield np.array(levels).reshape(image.shape)


def random_question(seed):
    rng = np.random.default_rng(seed)
    structure = STRUCTURES[seed % len(STRUCTURES)]
    shape = (1, 2, 2) if seed % 3 else (2, 2, 1)
    step = float(rng.choice([0.1, 0.2, 0.3]))
    network = random_network(rng, shape, structure, step)
    image = rng.integers(0, 256, shape).astype(np.uint8)
    image.ravel()[: rng.integers(0, 3)] = 0  # black pixels meet ties at eps 0.05, 0.15
    if seed % 4 == 0:
        image = (image / 255).astype(np.float32)
    eps = float(rng.choice([0.0, 0.05, 0.1, 0.15, 0.25]))
    label = int(rng.integers(3))
    if rng.random() < 0.8:
        label = int(network.predict(image[None])[0])
    return network, image, label, eps


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("seeds", [range(i, i + 20) for i in range(0, 120, 20)], ids=str)
def test_verdicts_equal_enumeration(solver, seeds):
    for seed in seeds:
        network, image, label, eps = random_question(seed)
        wrong = any(plain_class(network, x) != label for x in level_box(network, image, eps))
        for falsify in (0, 0.002):
            verdict = verify(network, image, label, eps, solver=solver, falsify=falsify)
            assert verdict.status == ("falsified" if wrong else "robust"), (seed, falsify)
        if wrong:
            adversarial = verdict.adversarial
            assert adversarial.dtype == np.float32
            assert 0 <= adversarial.min() <= adversarial.max() <= 1
            x = image / 255 if image.dtype == np.uint8 else image.astype(np.float64)
            assert np.abs(adversarial.astype(np.float64) - x).max() <= eps + 2**-24 + 1e-15
            levels = network.quantiser.levels(adversarial.astype(np.float64))
            assert plain_class(network, levels) == verdict.predicted != label


def test_the_questions_reach_every_stage():
    stages = {verify(*random_question(seed), falsify=1e-4).stage for seed in range(120)}
    assert stages == {"clean", "bounds", "falsify", "solver"}


def middle_level_network():
    """One pixel with levels 0..10; class 1 exactly at level 5, class 0 elsewhere."""
    one = np.ones((2, 1, 1, 1), np.int8)
    at_least_5_at_most_5 = Conv2d(one, threshold=[5, 5], sense=[1, -1])
    head = Head(np.array([[0, 0], [1, 1]]).reshape(2, 2, 1, 1), 1, [1, 0])
    return BinaryNetwork(Quantiser(0.1), [at_least_5_at_most_5], head, (1, 1, 1))


@pytest.mark.parametrize("solver", SOLVERS)
def test_levels_in_the_middle_of_the_ball_are_reached(solver):
    # An encoding with only the lowest, the next and the highest level would say "robust".
    network = middle_level_network()
    levels = np.arange(11)[:, None] / 10
    assert network.predict(levels).tolist() == [0] * 5 + [1] + [0] * 5
    for start in (0.1, 0.2, 0.8, 0.9):
        for eps in (Fraction(1, 20), Fraction(1, 5), Fraction(2, 5), Fraction(7, 10)):
            verdict = verify(network, [start], 0, eps, solver=solver, falsify=0)
            expected = "falsified" if level_5_in_ball(start, eps) else "robust"
            assert verdict.status == expected, (start, eps)


def level_5_in_ball(start, eps):
    """Level 5 of step 1/10 is the open interval (9/20, 11/20)."""
    x = Fraction(start)
    return x - eps < Fraction(11, 20) and x + eps > Fraction(9, 20)


def test_a_level_reached_only_at_the_end_of_the_ball_counts():
    # class 1 from level 2 on: 0 + 0.15 is half-way between levels 1 and 2 and goes to 2
    above = Conv2d(np.ones((1, 1, 1, 1)), [2], [1])
    head = Head(np.array([[0], [1]]).reshape(2, 1, 1, 1), 1, [0, 0])
    network = BinaryNetwork(Quantiser(0.1), [above], head, (1, 1, 1))
    black = np.zeros((1, 1, 1), np.uint8)
    assert verify(network, black, 0, 0.15).status == "falsified"
    assert verify(network, black, 0, 0.149).status == "robust"


def test_eight_bit_adversarial_images():
    for seed in range(60):
        network, image, label, eps = random_question(seed)
        if image.dtype != np.uint8:
            continue
        greys = int(simplest_fraction(eps) * 255)
        low = np.maximum(image.astype(int) - greys, 0).ravel()
        high = np.minimum(image.astype(int) + greys, 255).ravel()
        grey_levels = network.quantiser.levels(np.arange(256, dtype=np.uint8))
        sets = [sorted(set(grey_levels[a : b + 1])) for a, b in zip(low, high, strict=True)]
        wrong = any(
            plain_class(network, np.array(levels).reshape(image.shape)) != label
            for levels in itertools.product(*sets)
        )
        verdict = verify(network, image, label, eps, pixels="uint8")
        assert verdict.status == ("falsified" if wrong else "robust")
        if wrong:
            assert verdict.adversarial.dtype == np.uint8
            assert np.abs(verdict.adversarial.astype(int) - image).max() <= greys
            assert network.predict(verdict.adversarial[None])[0] == verdict.predicted != label


def test_a_wrong_clean_prediction_is_its_own_fact():
    network, image, _, _ = random_question(1)
    clean = int(network.predict(image[None])[0])
    verdict = verify(network, image, (clean + 1) % 3, 0.0)
    assert (verdict.status, verdict.stage, verdict.clean) == ("falsified", "clean", clean)
    assert verdict.predicted == clean
    assert np.array_equal(verdict.adversarial, image.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize("solver", ["minicard", "native", "cadical", "cp-sat"])
def test_out_of_time_is_unknown(solver):
    network, image, label = hard_question()
    verdict = verify(network, image, label, 0.2, solver=solver, timeout=0.3, falsify=0)
    assert verdict.status == "unknown"
    assert verdict.reason == "timeout"
    assert verdict.adversarial is None


def test_all_stages_count_against_the_timeout():
    network, image, label = hard_question()
    verdict = verify(network, image, label, 0.2, timeout=0.1, falsify=10.0)
    assert (verdict.status, verdict.reason) == ("unknown", "timeout")
    assert verdict.seconds < 5


def test_no_stage_begins_when_time_is_up():
    network, image, label = hard_question()
    verdict = verify(network, image, label, 0.2, timeout=1e-9)
    assert (verdict.status, verdict.stage, verdict.reason) == ("unknown", "bounds", "timeout")
    assert set(verdict.timings) == {"clean", "bounds"}
    assert verify(network, image, label, 0, timeout=1e-9).status == "robust"  # bounds know


def test_loading_a_solver_is_no_images_time():
    network, image, label, _ = random_question(1)
    program = f"""
import numpy as np
from bnnkit import BinaryNetwork, verify
network = BinaryNetwork.load("network.npz")
image = np.array({image.tolist()}, np.uint8)
first, again = (verify(network, image, {label}, 0.25, "cp-sat", falsify=0) for _ in range(2))
print(first.seconds, again.seconds)
"""
    with tempfile.TemporaryDirectory() as folder:
        network.save(f"{folder}/network.npz")
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
        )
    first, again = map(float, done.stdout.split())
    assert first < again + 0.3  # OR-Tools alone takes half a second to load


def test_shapes_of_one_image():
    network, image, label, eps = random_question(1)
    expected = verify(network, image, label, eps).status
    assert verify(network, image.ravel(), label, eps).status == expected
    assert verify(network, image[0], label, eps).status == expected


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"eps": 8}, ValueError, "eps must be in"),
        ({"label": 3}, ValueError, "from 0 to 2"),
        ({"label": 0.5}, TypeError, "integers"),
        ({"image": np.full((1, 2, 2), 2.0)}, ValueError, "lie in"),
        ({"image": np.zeros((1, 1, 2, 2), np.uint8)}, ValueError, "verify_all"),
        ({"image": [[1, 2], [3]]}, ValueError, "different lengths"),
        ({"image": np.ma.zeros((2, 2), np.uint8)}, TypeError, "mask"),
        ({"image": np.zeros((1, 3, 3), np.uint8)}, ValueError, "takes images of shape"),
        ({"timeout": 0}, ValueError, "timeout"),
        ({"timeout": "3"}, ValueError, "timeout"),
        ({"solver": None}, TypeError, "by its name"),
        ({"solver": "minicart"}, ValueError, "minicard"),
        ({"pixels": "grey"}, ValueError, "'real' or 'uint8'"),
        ({"pixels": "uint8", "image": np.zeros((1, 2, 2))}, ValueError, "needs a uint8 image"),
    ],
)
def test_questions_that_make_no_sense(arguments, error, says):
    network = random_network(np.random.default_rng(0), (1, 2, 2), ("dense",))
    question = {"image": np.zeros((1, 2, 2), np.uint8), "label": 0, "eps": 0.1} | arguments
    with pytest.raises(error, match=says):
        verify(network, **question)


def test_a_classifier_is_not_its_network():
    with pytest.raises(TypeError, match="pass its network_"):
        verify(BNNClassifier(), np.zeros((1, 2, 2), np.uint8), 0, 0.1)


def test_every_named_backend_is_registered():
    assert {"minicard", "native", "cadical", "cp-sat"} <= set(solvers.available())


@pytest.mark.parametrize("falsify", [-1, float("nan"), float("inf")])
def test_a_wrong_time_to_search_is_named(falsify):
    network, image, label, eps = random_question(1)
    with pytest.raises(ValueError, match="falsify must be a number of seconds"):
        verify(network, image, label, eps, falsify=falsify)


class Ponderer(solvers.get("minicard")):
    """A solver that never comes to an end once it ponders."""

    name = "ponderer"
    ponders = False

    def _search(self, assumptions):
        while self.ponders and not self._stopping:
            time.sleep(1e-3)
        return ("unknown", None) if self.ponders else super()._search(assumptions)


class Second(solvers.get("minicard")):
    """A fallback that counts how often it is asked."""

    name = "second"
    asked = 0

    def __init__(self, formula):
        Second.asked += 1
        super().__init__(formula)


@pytest.fixture
def second(monkeypatch):
    monkeypatch.setattr(pipeline, "PATIENCE", 0.1)
    monkeypatch.setitem(solvers.registry._registered, "second", Second)
    monkeypatch.setitem(solvers.registry._registered, "ponderer", Ponderer)
    for name in ("second", "ponderer"):
        pipeline._warm_up(name)
    monkeypatch.setattr(Ponderer, "ponders", True)
    monkeypatch.setattr(Second, "asked", 0)
    return Second


def test_a_fallback_answers_what_the_first_solver_does_not(second):
    equal = Conv2d(np.ones((2, 1, 1, 1), np.int8), [1, 1], [1, 1])  # which bounds do not see
    head = Head(np.array([0, 0, 1, -1]).reshape(2, 2, 1, 1), 1, [0, 0])
    network = BinaryNetwork(Quantiser(1.0), [equal], head, (1, 1, 1))
    verdict = verify(network, [0.0], 0, 1, solver="ponderer", falsify=1e-3, fallback="second")
    assert (verdict.status, verdict.stage, second.asked) == ("robust", "solver", 1)


def test_a_fallback_gets_one_chance_and_no_more_time_than_there_is(second):
    network, image, label = hard_question()
    verdict = verify(network, image, label, 0.2, timeout=1.0, falsify=1e-3, fallback="second")
    assert (verdict.status, verdict.reason, second.asked) == ("unknown", "timeout", 1)
    assert verdict.seconds < 1.5


@pytest.mark.parametrize("first", ["native", "minicard"])
def test_turns_end_when_it_is_the_fallbacks_time(second, monkeypatch, first):
    monkeypatch.setattr(pipeline, "PATIENCE", 0.6)  # a turn of 0.5 s would end long after it
    network, image, label = hard_question()
    options = {"solver": first, "falsify": 0.002, "fallback": "second"}
    verdict = verify(network, image, label, 0.2, timeout=0.9, **options)
    assert (verdict.status, second.asked) == ("unknown", 1)


@pytest.mark.parametrize("options", [{"solver": "cadical"}, {"falsify": 0}, {"timeout": 15}])
def test_a_fallback_that_would_never_be_asked_is_an_error(options):
    network, image, label, eps = random_question(1)
    with pytest.raises(ValueError, match="would never be asked"):
        verify(network, image, label, eps, fallback="cp-sat", **options)
