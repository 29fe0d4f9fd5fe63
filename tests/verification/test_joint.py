"""`verify_vote` and `verify_joint` against all images of small balls, through every backend."""

import functools
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from ensembles import (
    CLASSES,
    all_choices,
    falls,
    float32_kinds,
    grey_kinds,
    random_ensemble,
    real_kinds,
)
from helpers import hard_question, plain_class, random_network

from bnnkit import BNNClassifier, verify
from bnnkit.ensemble import Vote
from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.verification import joint, verify_joint, verify_vote

SOLVERS = ["native", "minicard", "cadical", "cp-sat"]
ASK = {"vote": verify_vote, "joint": verify_joint}


@functools.cache
def enumerated(seed, kinds):
    return all_choices(*random_ensemble(seed), kinds)


def some_labels(seed, networks, image):
    """What the networks make of the image, and any class."""
    clean = {int(network.predict(image[None])[0]) for network in networks}
    return clean | {seed % CLASSES}


def expected(question, seed, label, clean):
    """The status by counting; the image itself counts, whatever it is written in."""
    if falls(question, clean, label):
        return "falsified"
    if not any(falls(question, choices, label) for choices in enumerated(seed, real_kinds)):
        return "robust"
    shown = any(falls(question, choices, label) for choices in enumerated(seed, float32_kinds))
    return "falsified" if shown else "unknown"


def check_witness(verdict, question, networks, image, eps):
    adversarial = verdict.adversarial
    x = image / 255 if image.dtype == np.uint8 else image.astype(np.float64)
    values = adversarial / 255 if adversarial.dtype == np.uint8 else adversarial.astype(np.float64)
    assert np.abs(values - x).max() <= eps + 2**-24 + 1e-15
    assert 0 <= values.min() <= values.max() <= 1
    given = adversarial if adversarial.dtype == np.uint8 else values
    choices = tuple(plain_class(net, net.quantiser.levels(given)) for net in networks)
    assert verdict.choices == choices
    assert falls(question, choices, verdict.label)
    assert verdict.predicted != verdict.label


@pytest.mark.parametrize("question", ASK)
@pytest.mark.parametrize("solver", SOLVERS)
def test_verdicts_equal_enumeration(question, solver):
    seen = Counter()
    for seed in range(48):
        networks, image, eps = random_ensemble(seed)
        clean = tuple(int(network.predict(image[None])[0]) for network in networks)
        for label in some_labels(seed, networks, image):
            status = expected(question, seed, label, clean)
            for falsify in (0, 0.002) if solver == "native" else (0,):
                verdict = ASK[question](networks, image, label, eps, solver, falsify=falsify)
                assert verdict.status == status, (seed, label)
                if status == "falsified":
                    check_witness(verdict, question, networks, image, eps)
                seen[verdict.status, verdict.stage] += 1
    for kind in [("robust", "bounds"), ("robust", "solver"), ("falsified", "solver")]:
        assert seen[kind] > 0, seen
    assert solver != "native" or seen["falsified", "falsify"] > 0, seen


@pytest.mark.parametrize("question", ASK)
def test_eight_bit_images(question):
    seen = Counter()
    for seed in range(48, 120):
        networks, image, eps = random_ensemble(seed)
        if image.dtype != np.uint8:
            continue
        found = enumerated(seed, grey_kinds)
        for label in some_labels(seed, networks, image):
            wrong = any(falls(question, choices, label) for choices in found)
            verdict = ASK[question](networks, image, label, eps, pixels="uint8")
            assert verdict.status == ("falsified" if wrong else "robust"), (seed, label)
            if wrong:
                assert verdict.adversarial.dtype == np.uint8
                check_witness(verdict, question, networks, image, eps)
            seen[verdict.status, verdict.stage] += 1
    assert seen["robust", "bounds"] > 0 < seen["falsified", "falsify"], seen


def test_joint_attacks_fool_the_vote_and_all_labels_but_one():
    for seed in range(120, 160):
        networks, image, eps = random_ensemble(seed)
        joint = [verify_joint(networks, image, label, eps) for label in range(CLASSES)]
        for label, verdict in enumerate(joint):
            vote = verify_vote(networks, image, label, eps)
            assert (verdict.status, vote.status) != ("falsified", "robust")
            assert verdict.status != "falsified" or all(
                other.status == "falsified" for other in joint if other.label != verdict.predicted
            )


def test_the_order_of_members_does_not_matter():
    for seed in range(160, 180):
        networks, image, eps = random_ensemble(seed)
        for label in range(CLASSES):
            for ask in ASK.values():
                status = ask(networks, image, label, eps).status
                assert status == ask(Vote(networks[::-1]), image, label, eps).status


@pytest.mark.parametrize("question", ASK)
def test_one_network_alone_or_several_times_is_verify(question):
    for seed in range(0, 160, 4):
        (network,), image, eps = random_ensemble(seed)
        for label in some_labels(seed, [network], image):
            alone = verify(network, image, label, eps)
            for k in (1, 2, 3):
                verdict = ASK[question]([network] * k, image, label, eps)
                assert verdict.status == alone.status
                assert verdict.clean == alone.clean or question == "joint"


def bright(step, level, classes=(0, 1)):
    """One pixel: ``classes[1]`` from a level on, ``classes[0]`` below."""
    layer = Conv2d([[[[1]]]], [level], [1])
    weights = np.zeros((CLASSES, 1, 1, 1), np.int8)
    weights[classes[0]], weights[classes[1]] = -1, 1
    bias = np.full(CLASSES, -9)
    bias[classes[0]], bias[classes[1]] = 1, 0
    return BinaryNetwork(Quantiser(step), [layer], Head(weights, 1, bias), (1, 1, 1))


def test_a_tie_of_votes_goes_to_the_lowest_class():
    for label, other, status in [(0, 1, "robust"), (1, 0, "falsified"), (3, 2, "falsified")]:
        networks = [bright(0.5, 1, (label, other)), bright(0.5, 9, (label, other))]
        verdict = verify_vote(networks, [0.0], label, 0.5)  # at most one vote for each
        assert verdict.status == status
        assert verify_joint(networks, [0.0], label, 0.5).status == "robust"
        assert status == "robust" or verdict.choices == (other, label)


def test_votes_for_different_wrong_classes_do_not_add_up():
    split = [bright(0.5, 1, (0, 1)), bright(0.5, 1, (0, 2)), bright(0.5, 9, (0, 3))]
    together = [bright(0.5, 1, (0, 1)), bright(0.5, 1, (0, 1)), bright(0.5, 9, (0, 3))]
    assert verify_vote(split, [0.0], 0, 0.5).status == "robust"
    assert verify_vote(together, [0.0], 0, 0.5).status == "falsified"
    assert verify_joint(together, [0.0], 0, 0.5).status == "robust"
    three = [bright(0.5, 1, (3, 1)), bright(0.5, 1, (3, 2)), bright(0.5, 1, (3, 0))]
    assert verify_vote(three, [0.0], 3, 0.5).status == "falsified"  # one vote each: class 0
    assert verify_joint(three, [0.0], 3, 0.5).status == "robust"


def test_members_with_different_steps_see_the_same_pixel():
    # "level 1 of step 0.1" is (0.05, 0.15), "level 1 of step 0.5" begins above 0.25
    low = bright(0.1, 2, (1, 0))  # 0 from 0.15 on, 1 below
    high = bright(0.5, 1, (0, 1))  # 1 above 0.25, 0 below
    assert verify_joint([low, high], [0.0], 0, 1).status == "robust"  # as levels they could be
    assert verify_joint([low, high], [0.2], 1, 0.04).status == "falsified"
    assert verify_joint([low, high], [0.2], 1, 0.04, falsify=0).choices == (0, 0)


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_holds_only_at_a_number_between_two_float32_is_neither(solver):
    # 0.15 is level 2 of step 0.1 but level 0 of step 0.3
    members = [bright(0.1, 2, (1, 0)), bright(0.3, 1, (0, 1))]
    verdict = verify_joint(members, [0.0], 1, 0.2, solver)
    assert (verdict.status, verdict.reason[:19]) == ("unknown", "only images that fl")
    assert verdict.adversarial is None
    assert verify_joint(members, [0.0], 1, 0.1, solver).status == "robust"
    grey = np.zeros((1, 1, 1), np.uint8)
    assert verify_joint(members, grey, 1, 0.2, solver, pixels="uint8").status == "robust"


def test_an_image_that_lies_there_itself_is_its_own_witness():
    # 51/255 = 0.2 is level 0 of step 0.4, and level 2 of step 2/15
    members = [bright(0.4, 1, (0, 1)), bright(Fraction(2, 15), 2, (1, 0))]
    grey = np.full((1, 1, 1), 51, np.uint8)
    for eps in (0, 0.1):
        verdict = verify_joint(members, grey, 1, eps)
        assert (verdict.status, verdict.stage) == ("falsified", "clean")
        assert np.array_equal(verdict.adversarial, grey)
        assert verify_joint(members, grey, 0, eps).status == "robust"


def all_pixels_within(step, low, high, n=8):
    """Class 0 if the levels of all pixels are in low..high, else class 1."""
    weights = np.repeat(np.eye(n, dtype=np.int8), 2, axis=0).reshape(2 * n, 1, 1, n)
    layer = Conv2d(weights, [low, high] * n, [1, -1] * n)
    head = Head(np.repeat([[1], [0]], 2 * n, axis=1).reshape(2, 2 * n, 1, 1), 1, [0, 2 * n])
    return BinaryNetwork(Quantiser(step), [layer], head, (1, 1, n))


def test_the_solver_is_asked_again_for_what_float32_can_write_down(monkeypatch):
    asked, add_usable = [], joint.add_usable
    monkeypatch.setattr(joint, "add_usable", lambda *a: asked.append(a) or add_usable(*a))
    # 0.45 <= x < 0.55 for all pixels, and 0.45 itself is a cell
    members = [all_pixels_within(0.1, 4, 5), all_pixels_within(0.3, 2, 3)]
    for solver in SOLVERS:
        verdict = verify_joint(members, np.zeros(8), 1, 1, solver, falsify=0)
        assert (verdict.status, verdict.stage) == ("falsified", "solver")
        assert (np.abs(verdict.adversarial - 0.5) <= 0.05).all()
    assert asked


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("question", ASK)
def test_out_of_time_is_unknown(question, solver):
    network, image, label = hard_question()
    verdict = ASK[question]([network] * 2, image, label, 0.2, solver, timeout=0.3, falsify=0)
    assert (verdict.status, verdict.reason) == ("unknown", "timeout")
    assert verdict.adversarial is None
    assert verdict.choices == (label, label)


def test_a_fallback_is_asked():
    networks, image, eps = random_ensemble(3)
    verdict = verify_vote(networks, image, 0, eps, fallback="cp-sat")
    assert verdict.status == verify_vote(networks, image, 0, eps).status


@pytest.mark.parametrize(
    ("networks", "error", "says"),
    [
        ([], ValueError, "networks is empty"),
        (bright(0.5, 1), TypeError, "must be a sequence of BinaryNetwork"),
        (None, TypeError, "must be a sequence of BinaryNetwork, got NoneType"),
        ([bright(0.5, 1), BNNClassifier()], TypeError, "pass its network_"),
        (
            [bright(0.5, 1), random_network(np.random.default_rng(0))],
            ValueError,
            "same input shape",
        ),
    ],
)
def test_networks_that_make_no_ensemble(networks, error, says):
    for ask in ASK.values():
        with pytest.raises(error, match=says):
            ask(networks, [0.0], 0, 0.1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"eps": 8}, "eps must be in"),
        ({"label": 4}, "from 0 to 3"),
        ({"solver": "minicart"}, "minicard"),
        ({"timeout": 0}, "timeout"),
        ({"falsify": -1}, "falsify must be a number of seconds"),
        ({"pixels": "uint8"}, "needs a uint8 image"),
        ({"solver": "cadical", "fallback": "cp-sat"}, "would never be asked"),
    ],
)
def test_questions_that_make_no_sense(arguments, says):
    question = {"networks": [bright(0.5, 1)], "image": [0.0], "label": 0, "eps": 0.1} | arguments
    for ask in ASK.values():
        with pytest.raises(ValueError, match=says):
            ask(**question)
