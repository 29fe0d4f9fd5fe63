import numpy as np
import pytest
from helpers import random_network

from bnnkit.attacks import FGSM, PGD, Exact, RandomNoise
from bnnkit.attacks.models import (
    exact_network,
    gradient_of,
    n_classes_of,
    predict,
    predict_clean,
)
from bnnkit.ensemble import Vote

IMAGES, LABELS = np.zeros((2, 1, 2, 3), dtype=np.float32), np.array([0, 1])


class Threshold:
    def predict(self, images):
        return (images[:, 0, 0, 0] > 0.5).astype(int)


class Holder:
    def __init__(self, network):
        self.network_ = network


class Talkative:
    def predict(self, images):
        return np.zeros((len(images), 2))


@pytest.mark.parametrize("attack", [FGSM(), PGD()])
def test_gradient_attacks_name_what_a_model_lacks(attack):
    with pytest.raises(TypeError, match=r"loss_gradient.*Threshold is neither"):
        attack(Threshold(), IMAGES, LABELS, 0.1)


def test_exact_names_what_a_model_lacks():
    with pytest.raises(TypeError, match=r"network_.*got Threshold"):
        Exact()(Threshold(), IMAGES, LABELS, 0.1)


def test_every_model_must_predict():
    with pytest.raises(TypeError, match=r"predict\(images\); object has not"):
        RandomNoise()(object(), IMAGES, LABELS, 0.1)
    with pytest.raises(ValueError, match=r"one class an image.*\(2, 2\)"):
        predict(Talkative(), IMAGES)


def test_a_network_and_its_holder_are_the_same():
    network = random_network(np.random.default_rng(0))
    assert exact_network(network) is network
    assert exact_network(Holder(network)) is network
    ours, _ = gradient_of(Holder(network))(IMAGES, LABELS)
    theirs, _ = gradient_of(network)(IMAGES, LABELS)
    assert (ours == theirs).all()


@pytest.mark.parametrize("images", [np.zeros((2, 6), np.uint8), np.zeros((2, 6))])
def test_an_exact_network_sees_clean_images_as_they_are(images):
    class Recorder(Holder):
        def predict(self, images):
            self.given = images
            return np.zeros(len(images))

    exact, other = Recorder(random_network(np.random.default_rng(0))), Recorder(None)
    for model in (exact, other):
        predict_clean(model, images)
    assert exact.given is images
    assert other.given.dtype == np.float32


def test_the_number_of_classes_is_the_models_to_say(trained):
    network = random_network(np.random.default_rng(0), classes=3)
    assert n_classes_of(network) == n_classes_of(Holder(network)) == 3
    assert n_classes_of(trained[0]) == 10
    assert n_classes_of(Threshold()) is None


def test_classes_need_not_begin_at_0():
    tree = pytest.importorskip("sklearn.tree").DecisionTreeClassifier().fit([[0.0], [1.0]], [3, 7])
    assert tree.n_classes_ == 2
    assert n_classes_of(tree) == 8
    images, labels = np.array([[0.0], [1.0]]), [3, 7]
    assert not RandomNoise()(tree, images, labels, 0.1).success.any()
    with pytest.raises(ValueError, match="from 0 to 7"):
        RandomNoise()(tree, images, [3, 8], 0.1)


def test_a_models_own_gradient_comes_first(linear_case):
    model = linear_case[0]
    assert gradient_of(model) == model.loss_gradient


def test_the_members_of_a_vote_see_clean_images_as_alone():
    """Members with an exact network get grey levels, the other float32, and the vote is theirs."""

    class Recorder(Holder):
        def predict(self, images):
            self.given = images
            return np.array([1, 2])

    members = [Recorder(random_network(np.random.default_rng(0))), Recorder(None), Threshold()]
    images = np.full((2, 1, 2, 3), 200, np.uint8)
    assert predict_clean(Vote(members), images).tolist() == [1, 2]
    assert members[0].given is images
    assert members[1].given.dtype == np.float32


def test_the_gradient_of_a_vote_is_the_mean_of_its_members():
    networks = [random_network(np.random.default_rng(seed)) for seed in (0, 1, 2)]
    gradient, loss = gradient_of(Vote(networks))(IMAGES, LABELS)
    alone = [gradient_of(network)(IMAGES, LABELS) for network in networks]
    np.testing.assert_allclose(gradient, sum(each for each, _ in alone) / 3, rtol=1e-6)
    np.testing.assert_allclose(loss, sum(each for _, each in alone) / 3, rtol=1e-12)
    assert gradient.shape == IMAGES.shape
    with pytest.raises(TypeError, match="Threshold is neither"):
        gradient_of(Vote([*networks, Threshold()]))
