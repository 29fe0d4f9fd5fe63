import numpy as np
import pytest
from helpers import random_network

from bnnkit.attacks import FGSM, PGD, Exact, RandomNoise
from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.verification import verify_all


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
