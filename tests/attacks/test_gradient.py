import numpy as np
import pytest

from bnnkit.attacks import FGSM, PGD, RandomNoise


@pytest.mark.parametrize("eps", [0, 0.02, 0.1, 0.3, 1])
@pytest.mark.parametrize(
    "attack",
    [FGSM(), PGD(random_state=0), PGD(steps=3, random_start=False), PGD(steps=1, step_size=1.0)],
)
def test_on_a_hyperplane_gradient_attacks_miss_nothing(linear_case, attack, eps):
    model, images, labels = linear_case
    result = attack(model, images, labels, eps)
    assert (result.success == model.vulnerable(images, labels, eps)).all()
    assert not result.undecided.any()


def test_one_step_of_size_eps_is_fgsm(linear_case):
    model, images, labels = linear_case
    step = FGSM()(model, images, labels, 0.1)
    descent = PGD(steps=1, step_size=0.1, random_start=False)(model, images, labels, 0.1)
    assert (descent.success == step.success).all()
    fooled = step.success  # elsewhere PGD returns the best iterate whose loss it has seen
    assert (descent.adversarial[fooled] == step.adversarial[fooled]).all()


class Valley:
    """Class 1 only at the top; the loss falls where the gradient overshoots."""

    def __init__(self):
        self.losses = []

    def predict(self, images):
        return (images[:, 0] > 0.95).astype(int)

    def loss_gradient(self, images, labels):
        loss = 1 - np.abs(images[:, 0] - 0.6)
        self.losses.append(loss)
        return np.sign(0.6 - images).astype(np.float32), loss


def test_pgd_keeps_the_iterate_of_the_highest_loss():
    model = Valley()
    images, labels = np.full((1, 1), 0.5), np.array([0])
    result = PGD(steps=5, step_size=0.15, random_start=False)(model, images, labels, 0.4)
    losses = np.concatenate(model.losses)
    assert not result.success[0]
    assert 1 - abs(result.adversarial[0, 0] - 0.6) == losses.max() > losses[-1]


def test_pgd_leaves_a_fooled_image_alone(linear_case):
    model, images, labels = linear_case
    asked = []
    own_gradient = model.loss_gradient
    model.loss_gradient = lambda x, y: (asked.append(len(x)), own_gradient(x, y))[1]
    result = PGD(steps=10, random_start=False)(model, images, labels, 0.1)
    assert 0 < result.success.sum() < len(images)
    assert asked == sorted(asked, reverse=True)
    assert asked[-1] == len(images) - result.success.sum()


def test_restarts_only_add(trained):
    model, images, labels = trained
    once, often = (PGD(5, restarts=n, random_state=0)(model, images, labels, 0.05) for n in (1, 8))
    assert often.success[once.success].all()
    assert often.success.sum() > once.success.sum()


def test_a_seed_repeats_pgd(trained):
    model, images, labels = trained
    first, again, other = (
        PGD(random_state=seed)(model, images, labels, 0.05).adversarial for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("of", [lambda model: model, lambda model: model.network_])
def test_pgd_beats_fgsm_beats_noise_on_a_trained_network(trained, of):
    model, images, labels = trained
    found = [
        attack(of(model), images, labels, 0.1).success.sum()
        for attack in (RandomNoise(random_state=0), FGSM(), PGD(random_state=0))
    ]
    assert found[0] + 10 < found[1] < found[2] - 10


def test_the_real_valued_network_is_fooled_too(trained):
    from bnnkit import RealClassifier

    _, images, labels = trained
    model = RealClassifier((32,), epochs=30, random_state=0).fit(images, labels)
    noise, step, descent = (
        attack(model, images, labels, 0.1).success.sum()
        for attack in (RandomNoise(random_state=0), FGSM(), PGD(random_state=0))
    )
    assert noise + 10 < min(step, descent)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"steps": 0}, ValueError),
        ({"steps": 1.5}, TypeError),
        ({"restarts": 0}, ValueError),
        ({"restarts": "2"}, TypeError),
        ({"step_size": 0}, ValueError),
        ({"step_size": 8}, ValueError),
        ({"step_size": "0.1"}, TypeError),
        ({"random_state": -1}, ValueError),
        ({"restarts": 2, "random_start": False}, ValueError),
    ],
)
def test_mistakes(options, error):
    with pytest.raises(error, match=f"^{next(iter(options))} "):
        PGD(**options)
