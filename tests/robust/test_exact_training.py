"""The verifier in the loop: what withstands it is robust, what it puts in is a counterexample."""

import copy

import numpy as np
import pytest

from bnnkit import BNNClassifier, verify
from bnnkit.nn.adversary import LevelBalls, PGDTraining, Plan
from bnnkit.nn.loss import cross_entropy
from bnnkit.quantiser import Quantiser
from bnnkit.robust import ExactTraining

EPS = 0.12
PLAN = Plan(EPS, 3, exact=True)
PGD = PGDTraining(EPS, steps=3)


@pytest.fixture(params=[(0.1, "12-8"), (0.61, "conv4k2-12")])
def trained(request, stripes):
    """A network, the balls around 60 images and their labels."""
    step, architecture = request.param
    classifier = BNNClassifier(architecture, quant_step=step, epochs=8, random_state=0)
    network = classifier.fit(stripes.train.images, stripes.train.labels).model_
    pixels = np.ascontiguousarray(stripes.test.images.transpose(0, 2, 3, 1))
    ball = LevelBalls(pixels, Quantiser(step)).of(np.arange(60), EPS)
    return network, ball, stripes.test.labels


def attack(adversary, network, ball, labels, plan=PLAN):
    """Levels of the batch, and the network as its statistics were when it was asked about."""
    network = copy.deepcopy(network)
    levels = adversary.batch(network, ball, labels, plan, np.random.default_rng(1))
    return levels, network.fold(ball.quantiser, (1, 4, 4))


def blind(network):
    """The network with a surrogate so narrow that its gradient vanishes."""
    network = copy.deepcopy(network)
    network.surrogate_scales = [1e9] * len(network.layers)
    return network


def classes(folded, levels):
    return folded.scores_of_levels(levels.transpose(0, 3, 1, 2)).argmax(axis=1)


@pytest.mark.parametrize("searches", [0, 1])
@pytest.mark.parametrize("change", [copy.deepcopy, blind])
def test_what_withstands_is_robust_and_what_does_not_is_in_the_ball(change, searches, trained):
    network, ball, labels = trained
    exact = ExactTraining(PGD, conflicts=100_000, searches=searches)
    levels, folded = attack(exact, change(network), ball, labels)
    low, high = ball.quantiser.ball(ball.pixels, ball.eps)
    assert ((low <= levels) & (levels <= high)).all()
    withstood = classes(folded, levels) == labels
    images = ball.pixels.transpose(0, 3, 1, 2)
    robust = [
        verify(folded, image, label, EPS).status == "robust"
        for image, label in zip(images, labels, strict=True)
    ]
    np.testing.assert_array_equal(withstood, robust)
    assert 0 < sum(robust) < len(robust)


def test_only_images_that_withstand_are_replaced_and_by_counterexamples(trained):
    network, ball, labels = trained
    before, folded = attack(PGD, blind(network), ball, labels)
    after, folded = attack(ExactTraining(PGD), blind(network), ball, labels)
    replaced = (before != after).any(axis=(1, 2, 3))
    assert replaced.sum() >= 5
    assert (classes(folded, before)[replaced] == labels[replaced]).all()
    assert (classes(folded, after)[replaced] != labels[replaced]).all()


def test_the_same_seed_gives_the_same_levels(trained):
    network, ball, labels = trained
    first, _ = attack(ExactTraining(PGD), blind(network), ball, labels)
    second, _ = attack(ExactTraining(PGD), blind(network), ball, labels)
    np.testing.assert_array_equal(first, second)


def test_until_its_start_it_is_pgd(trained):
    network, ball, labels = trained
    exact = ExactTraining(PGD, start=0.5)
    assert [exact.at(share).exact for share in (0.1, 0.5, 0.51, 1.0)] == [False, False, True, True]
    assert exact.at(0.3)[:2] == PGD.at(0.3)[:2]
    plan = PLAN._replace(exact=False)
    levels, _ = attack(exact, blind(network), ball, labels, plan)
    np.testing.assert_array_equal(levels, attack(PGD, blind(network), ball, labels)[0])


def test_it_asks_about_the_network_with_the_statistics_of_what_pgd_left(trained):
    network, ball, labels = trained
    before, _ = attack(PGD, network, ball, labels)
    _, folded = attack(ExactTraining(PGD), network, ball, labels)
    network = copy.deepcopy(network)
    network.forward(before)
    assert network.fold(ball.quantiser, (1, 4, 4)) == folded


def test_a_share_of_the_images_is_asked_about_those_of_greatest_loss(trained):
    network, ball, labels = trained
    network = blind(network)
    before, _ = attack(PGD, network, ball, labels)
    few, many = (
        np.flatnonzero((after != before).any(axis=(1, 2, 3)))
        for after, _ in (
            attack(ExactTraining(PGD, share=share), network, ball, labels) for share in (0.05, 1.0)
        )
    )
    assert 0 < len(few) <= 3 < len(many)
    logits = network.forward(before)
    losses = np.where(logits.argmax(axis=1) == labels, cross_entropy(logits, labels)[0], 0)
    assert set(few) <= set(np.argsort(-losses)[:3])


def test_clean_images_stay_clean(trained):
    network, ball, labels = trained
    mixed = PGDTraining(EPS, steps=3, clean_share=0.5)
    levels, _ = attack(ExactTraining(mixed), blind(network), ball, labels)
    np.testing.assert_array_equal(levels[:30], ball.levels[:30])
    assert (levels[30:] != attack(mixed, blind(network), ball, labels)[0][30:]).any()


def test_the_full_adversary_is_pgd_on_every_image():
    assert ExactTraining(PGDTraining(EPS, steps=3, clean_share=0.5)).full == PGD


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": 1.0}, "start must be in .0, 1., got 1.0"),
        ({"start": -0.1}, "start must be in .0, 1., got -0.1"),
        ({"conflicts": 0}, "conflicts must be a whole number of at least 1, got 0"),
        ({"share": 0}, "share must be in .0, 1., got 0"),
        ({"share": 1.5}, "share must be in .0, 1., got 1.5"),
        ({"searches": -1}, "searches must be a whole number of at least 0, got -1"),
    ],
)
def test_parameters_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        ExactTraining(PGD, **arguments)


def test_the_adversary_must_be_one():
    with pytest.raises(TypeError, match=r"adversary must be a PGDTraining, got 0\.3"):
        ExactTraining(0.3)
