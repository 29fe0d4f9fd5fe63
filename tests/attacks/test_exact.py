from fractions import Fraction

import numpy as np
import pytest
from ensembles import random_member
from helpers import random_network

from bnnkit.attacks import FGSM, PGD, Exact, JointExact, RandomNoise, VoteExact
from bnnkit.campaign import many, verify_all
from bnnkit.ensemble import Vote
from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser


def first_level_detector(step, threshold):
    """One pixel; class 1 from level `threshold` on."""
    bright = Conv2d(np.ones((1, 1, 1, 1)), threshold=[threshold], sense=[1])
    head = Head(np.array([-1, 1]).reshape(2, 1, 1, 1), scale=1, bias=[0, -1])
    return BinaryNetwork(Quantiser(step), [bright], head, (1, 1, 1))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("eps", [0.1, 0.15])
def test_exact_says_what_verify_says_and_no_other_attack_finds_more(seed, eps):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (1, 3, 3), ("dense", "dense"), 0.1)
    images = rng.integers(0, 256, (30, 1, 3, 3)).astype(np.uint8)
    images[rng.random(images.shape) < 0.5] = 0  # pixels whose ball ends between two levels
    labels = network.predict(images)
    result = Exact(timeout=20.0)(network, images, labels, eps)
    status = verify_all(network, images, labels, eps).status
    assert (result.success == (status == "falsified")).all()
    assert (result.withstood == (status == "robust")).all()
    assert (network.predict(result.adversarial) != labels).tolist() == result.success.tolist()
    assert np.abs(result.adversarial.astype(np.float64) - images / 255).max() <= eps + 2**-23
    for attack in (RandomNoise(50, low=1, random_state=0), FGSM(), PGD(restarts=3, random_state=0)):
        assert not (attack(network, images, labels, eps).success & result.withstood).any()


@pytest.fixture(scope="module")
def small():
    """A BNN on the digits that a solver can decide at once at eps 0.04, but not at 0.06."""
    from bnnkit import BNNClassifier, datasets

    digits = datasets.load("digits")
    classifier = BNNClassifier("24", epochs=10, random_state=0)
    classifier.fit(digits.train.images, digits.train.labels)
    return classifier, digits.test.images[:40], digits.test.labels[:40]


def test_both_answers_occur(small):
    model, images, labels = small
    result = Exact()(model, images, labels, 0.04)
    assert result.success.any()
    assert result.withstood.any()
    assert not result.undecided.any()
    descent = PGD(random_state=0)(model, images, labels, 0.04)
    assert result.success[descent.success].all()


def test_a_level_at_the_very_end_of_the_ball_is_reached():
    # 0 + 0.15 has level 2 of step 0.1, though no float32 is 0.15
    images = np.zeros((1, 1, 1, 1), dtype=np.uint8)
    assert Exact()(first_level_detector(0.1, 2), images, [0], 0.15).success.all()
    # 0 + 0.05 has level 0, though the nearest float32 has level 1
    network = first_level_detector(0.1, 1)
    assert network.predict(np.full((1, 1), 0.05, dtype=np.float32)) == 1
    for attack in (Exact(), RandomNoise(20, low=1), FGSM(), PGD()):
        assert not attack(network, images, [0], 0.05).success.any()


def test_a_grey_value_between_two_levels_keeps_its_own():
    # 51/255 = 0.2 is level 0 of step 0.4; the nearest float32 is level 1
    network = first_level_detector(0.4, 1)
    images = np.full((1, 1, 1, 1), 51, dtype=np.uint8)
    assert network.predict(images) == 0
    result = Exact()(network, images, [0], 0)
    assert result.withstood.all()
    assert network.predict(result.adversarial) == 0
    assert Exact()(network, images, [1], 0).success.all()


@pytest.mark.parametrize("eps", [0, 1e-12, 1e-9, 3e-9, 1e-8, 1 / 255])
@pytest.mark.parametrize(
    ("step", "ties", "threshold"),
    [
        (Fraction(32, 255), [16, 48, 80, 144, 240], 10),
        (Fraction(2, 5), [51, 153], 2),
        (0.40000001, [51, 153], 2),  # 51/255 lies 5e-9 below the middle, its float32 2e-9 below
        (0.4000000001, [51, 153], 2),  # and 5e-11 below, its float32 3e-9 above
    ],
)
def test_no_attack_fools_what_is_proved_though_pixels_lie_between_levels(
    level_sum, step, ties, threshold, eps
):
    network, rng = level_sum(step, threshold), np.random.default_rng(1)
    images = rng.choice([0, *ties], (60, 1, 2, 2)).astype(np.uint8)
    for given in (images, images / 255, images / np.float32(255)):
        labels = network.predict(given)
        result = Exact()(network, given, labels, eps)
        assert (result.success ^ result.withstood).all()
        for attack in (RandomNoise(5, low=1, random_state=0), FGSM(), PGD(random_state=0)):
            assert not (attack(network, given, labels, eps).success & result.withstood).any()


def test_a_witness_may_be_the_float32_that_stands_for_the_image():
    images = np.full((1, 1, 1, 1), 51, dtype=np.uint8)
    result = Exact()(first_level_detector(0.4, 1), images, [0], 0.01)
    assert result.success.all()
    assert (result.adversarial == images / np.float32(255)).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"solver": "cadicle"},
            ValueError,
            "no solver 'cadicle'; .*; did you mean",
        ),
        ({"solver": "cadical:nonsense"}, ValueError, "nonsense"),
        ({"solver": None}, TypeError, "solver must be a name, got None"),
        ({"timeout": "3"}, TypeError, "timeout must be a number, got '3'"),
        ({"timeout": 0}, ValueError, "timeout must be a positive number"),
        ({"timeout": float("nan")}, ValueError, "timeout must be a positive number"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be at least 1"),
        ({"n_jobs": 1.5}, TypeError, "n_jobs must be a whole number"),
        ({"n_jobs": None}, TypeError, "n_jobs must be a whole number"),
    ],
)
def test_mistakes(options, error, message):
    with pytest.raises(error, match=message):
        Exact(**options)


def test_no_timeout_means_as_long_as_it_takes(small):
    model, images, labels = small
    assert not Exact(timeout=None)(model, images[:4], labels[:4], 0.02).undecided.any()


@pytest.mark.parametrize("shape", [(9,), (3, 3), (1, 3, 3)])
def test_shapes_and_holders(shape):
    class Holder:
        def __init__(self, network):
            self.network_, self.predict = network, network.predict

    rng = np.random.default_rng(3)
    network = random_network(rng, (1, 3, 3), ("dense",), 0.2)
    images = rng.random((10, *shape)).astype(np.float32)
    labels = network.predict(images)
    result = Exact()(Holder(network), images, labels, 0.2)
    assert result.adversarial.shape == images.shape
    assert (result.success == (network.predict(result.adversarial) != labels)).all()


@pytest.mark.parametrize("eps", [0.04, 0.06])
def test_out_of_time_is_undecided_and_what_was_decided_stands(small, eps):
    model, images, labels = small
    result = Exact(timeout=1e-6)(model, images, labels, eps)
    assert eps < 0.06 or result.undecided.any()
    assert not (result.undecided & result.success).any()
    assert (result.undecided | result.success | result.withstood).all()
    if eps < 0.06:
        patient = Exact()(model, images, labels, eps)
        assert patient.success[result.success].all()
        assert patient.withstood[result.withstood].all()


def test_what_is_wrong_already_is_falsified_by_itself(small):
    model, images, _ = small
    wrong = (model.predict(images[:8]) + 1) % 10
    result = Exact()(model, images[:8], wrong, 0.01)
    assert result.success.all()
    assert (result.adversarial == images[:8] / np.float32(255)).all()


@pytest.mark.parametrize(("attack", "question"), [(VoteExact, "vote"), (JointExact, "joint")])
@pytest.mark.parametrize("steps", [(0.1, 0.1), (0.1, 0.3), (0.1, 0.3, 0.5)])
def test_exact_attacks_of_ensembles_say_what_the_verifier_says(attack, question, steps):
    rng = np.random.default_rng(len(steps))
    images = rng.integers(0, 256, (60, 1, 2, 2)).astype(np.uint8)
    images[rng.random(images.shape) < 0.5] = 0
    networks = [random_member(rng, images[0], 0.1, step) for step in steps]
    labels = Vote(networks).predict(images)
    for models in (networks, Vote(networks)):
        result = attack()(models, images, labels, 0.1)
        status = verify_all(networks, images, labels, 0.1, question=question).status
        assert (result.success == (status == "falsified")).all()
        assert (result.withstood == (status == "robust")).all()
        choices = np.stack([network.predict(result.adversarial) for network in networks])
        fooled = choices != labels
        if question == "joint":
            fooled &= choices == choices[0]
            assert (fooled.all(axis=0) == result.success).all()
        else:
            assert ((Vote(networks).predict(result.adversarial) != labels) == result.success).all()
    assert result.success.any()
    assert result.withstood.any()


def test_exact_attacks_of_ensembles_take_holders_and_any_shape():
    class Holder:
        def __init__(self, network):
            self.network_, self.predict = network, network.predict

    rng = np.random.default_rng(3)
    networks = [random_network(rng, (1, 3, 3), ("dense",), 0.2) for _ in range(2)]
    for shape in [(9,), (3, 3), (1, 3, 3)]:
        images = rng.random((10, *shape)).astype(np.float32)
        labels = networks[0].predict(images)
        for attack in (VoteExact(), JointExact()):
            result = attack([Holder(networks[0]), networks[1]], images, labels, 0.2)
            assert result.adversarial.shape == images.shape
            assert (result.success | result.withstood).all()


def test_ensembles_without_exact_networks_are_refused():
    class Constant:
        def predict(self, images):
            return np.zeros(len(images), int)

    with pytest.raises(TypeError, match="exact answers need a BinaryNetwork"):
        VoteExact()([Constant()], np.zeros((1, 4)), [0], 0.1)
    with pytest.raises(ValueError, match="a vote needs at least one model"):
        JointExact()([], np.zeros((1, 4)), [0], 0.1)


def test_what_a_store_has_is_not_asked_again(small, tmp_path, monkeypatch):
    model, images, labels = small
    store = tmp_path / "verdicts.sqlite"
    Exact(store=store)(model, images[:10], labels[:10], 0.04)
    asked = []
    ask_all = many.ask_all
    monkeypatch.setattr(
        many,
        "ask_all",
        lambda ask, network, questions, *rest: (
            asked.append(len(questions)) or ask_all(ask, network, questions, *rest)
        ),
    )
    both = Exact(store=store)(model, images, labels, 0.04)
    assert sum(asked) == 30
    plain = Exact()(model, images, labels, 0.04)
    assert (both.success == plain.success).all()
    assert repr(Exact(store=store)) == repr(Exact())
