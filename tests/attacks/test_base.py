from fractions import Fraction

import numpy as np
import pytest
from helpers import random_network

from bnnkit.attacks import FGSM, PGD, Attack, Exact, RandomNoise


class Proposal(Attack):
    """Returns what it was given, in the ball or not."""

    def __init__(self, images, undecided=False):
        self.images, self.undecided = images, undecided

    def _perturb(self, model, ball, labels):
        return np.broadcast_to(self.images, ball.center.shape), self.undecided


class ShapeSensitive:
    """A model of flat or square images that takes no other shape."""

    def __init__(self, shape):
        self.shape = shape

    def predict(self, images):
        assert images.shape[1:] == self.shape
        assert images.dtype == np.float32
        assert images.min() >= 0
        assert images.max() <= 1
        return (images.reshape(len(images), -1).mean(axis=1) > 0.5).astype(int)


def distance(result, images):
    images = images / 255 if images.dtype == np.uint8 else images.astype(np.float64)
    return np.abs(result.adversarial.astype(np.float64) - images).max()


@pytest.mark.parametrize("shape", [(5,), (4, 4), (1, 4, 4), (3, 2, 2)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_images_keep_their_shape_on_the_way_to_the_model(shape, dtype):
    images = np.random.default_rng(0).integers(0, 256, (9, *shape)).astype(np.uint8)
    images = images if dtype == np.uint8 else (images / 255).astype(dtype)
    model = ShapeSensitive(shape)
    labels = model.predict((images / (255 if dtype == np.uint8 else 1)).astype(np.float32))
    result = RandomNoise(tries=5, random_state=0)(model, images, labels, 0.3)
    assert result.adversarial.shape == images.shape
    assert result.adversarial.dtype == np.float32
    assert distance(result, images) <= 0.3
    assert (result.success == (model.predict(result.adversarial) != labels)).all()


@pytest.mark.parametrize("eps", [0, 1 / 255, 0.05, 0.2, 1])
def test_an_attack_that_leaves_the_ball_is_brought_back_and_judged_there(linear_case, eps):
    model, images, labels = linear_case
    for far in (-3.0, 0.0, 1.0, np.inf):
        result = Proposal(far)(model, images, labels, eps)
        assert distance(result, images) <= eps
        assert result.adversarial.min() >= 0
        assert result.adversarial.max() <= 1
        assert (result.success == (model.predict(result.adversarial) != labels)).all()


@pytest.mark.parametrize("attack", [RandomNoise(), FGSM(), PGD(), Proposal(0.0)])
def test_what_is_wrong_already_counts_as_success_with_itself(linear_case, attack):
    model, images, labels = linear_case
    wrong = np.arange(len(labels)) % 3 == 0
    labels = np.where(wrong, 1 - labels, labels)
    result = attack(model, images, labels, 0)
    assert (result.success == wrong).all()
    assert (result.adversarial == images).all()


def test_the_attack_is_not_asked_about_what_is_wrong_already(linear_case):
    model, images, labels = linear_case

    class Refuses(Attack):
        def _perturb(self, model, ball, labels):
            raise AssertionError("there was nothing to do")

    assert Refuses()(model, images, 1 - labels, 0.1).success.all()


def test_undecided_is_kept_only_where_nothing_fools(linear_case):
    model, images, labels = linear_case
    result = Proposal(0.0, undecided=True)(model, images, labels, 0.3)
    assert 0 < result.success.sum() < len(labels)
    assert (result.undecided == ~result.success).all()
    assert not result.withstood.any()
    decided = Proposal(0.0)(model, images, labels, 0.3)
    assert (decided.withstood == ~decided.success).all()
    assert decided.success_rate == decided.success.mean()


def test_only_a_complete_attack_may_round_outwards():
    class Complete(Proposal):
        complete = True

    # 0 + 3/20 lies between two float32 numbers; for step 1/10 it has a level of its own
    images, end = np.zeros((1, 1), dtype=np.uint8), Fraction(3, 20)
    model = ShapeSensitive((1,))
    inside = Proposal(1.0)(model, images, [0], 0.15).adversarial[0, 0]
    beyond = Complete(1.0)(model, images, [0], 0.15).adversarial[0, 0]
    assert Fraction(float(inside)) < end < Fraction(float(beyond))
    assert beyond == np.nextafter(inside, np.float32(1))


@pytest.mark.parametrize("attack", [Proposal(0.0), RandomNoise(), FGSM(), PGD(random_state=0)])
@pytest.mark.parametrize("form", [np.uint8, np.float64])
def test_an_unchanged_image_has_the_answer_of_the_image_as_given(level_sum, attack, form):
    # grey values v/255 at the odd multiples of 16 lie right between two levels of this step
    network, rng = level_sum(Fraction(32, 255), 16), np.random.default_rng(0)
    images = rng.choice([16, 48, 80, 112, 144, 176, 208, 240], (200, 1, 2, 2)).astype(np.uint8)
    images = images if form == np.uint8 else images / 255
    labels = network.predict(images)
    stand_ins = (images / np.float32(255) if form == np.uint8 else images).astype(np.float32)
    assert (network.predict(stand_ins) != labels).any()
    assert not attack(network, images, labels, 0).success.any()
    assert attack(network, images, 1 - labels, 0).success.all()


@pytest.mark.parametrize("labels", [[0, 3], [99, 0]])
@pytest.mark.parametrize("attack", [RandomNoise(), FGSM(), Exact()])
def test_labels_beyond_the_classes_of_the_model_are_refused(attack, labels):
    network = random_network(np.random.default_rng(0), (1, 2, 2), classes=3)
    with pytest.raises(ValueError, match="labels must be integers from 0 to 2"):
        attack(network, np.zeros((2, 4), dtype=np.uint8), labels, 0.1)


def test_nan_is_reported(linear_case):
    model, images, labels = linear_case
    with pytest.raises(ValueError, match="Proposal made NaN"):
        Proposal(np.nan)(model, images, labels, 0.1)


@pytest.mark.parametrize(
    ("images", "labels", "eps", "message"),
    [
        (np.zeros((2, 12)), [0, 1], 8, "eps must be in"),
        (np.zeros((2, 12)), [0, 1], -0.1, "eps must be in"),
        (np.zeros((2, 12)), [0], 0.1, "one integer an image"),
        (np.zeros((2, 12)) + 2, [0, 1], 0.1, "must lie in"),
        (np.full((2, 12), np.nan), [0, 1], 0.1, "NaN"),
        (np.zeros((0, 12)), [], 0.1, "empty"),
    ],
)
def test_mistakes(linear_case, images, labels, eps, message):
    with pytest.raises(ValueError, match=message):
        RandomNoise()(linear_case[0], images, labels, eps)


def test_repr_says_what_happened(linear_case):
    model, images, labels = linear_case
    assert repr(Proposal(0.5)(model, images, labels, 0)).startswith(
        "AttackResult(60 images: 0 fooled, 60 withstood, 0 undecided"
    )
