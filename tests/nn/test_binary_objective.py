import numpy as np
import pytest

from bnnkit._checks import as_eps
from bnnkit.nn.adversary import LevelBalls, PGDTraining
from bnnkit.nn.architectures import parse_architecture
from bnnkit.nn.binary_objective import BinaryObjective, full_attack
from bnnkit.nn.bound_decay import BoundDecay, bounds
from bnnkit.nn.interval import IntervalPass
from bnnkit.nn.latent import LatentNetwork
from bnnkit.nn.loss import cross_entropy
from bnnkit.quantiser import Quantiser

QUANTISER = Quantiser(0.1)
ADVERSARY = PGDTraining(0.15, steps=4, eps_ramp=0.5, steps_ramp=0.5)


@pytest.fixture
def network(rng):
    return LatentNetwork(
        parse_architecture("20-12"),
        (1, 28, 28),
        4,
        n_levels=QUANTISER.n_levels,
        surrogate="tanh",
        surrogate_scale=1.0,
        weights="binmask",
        mask_scale=0.01,
        mask_decay=0.0,
        rng=rng,
    )


def make(blobs, adversary=ADVERSARY, **options):
    images, labels = blobs
    pixels = images.transpose(0, 2, 3, 1)
    balls = LevelBalls(pixels, QUANTISER)
    inputs = np.ascontiguousarray(QUANTISER.levels(pixels))
    return BinaryObjective(inputs, labels, balls, adversary, **options)


def gradients(network):
    return [parameter.gradient.copy() for parameter in network.parameters()]


def test_eps_and_steps_grow_and_epochs_count_once_eps_is_full(blobs, network, rng):
    objective = make(blobs)
    plans = [objective.start_epoch(network, epoch, 4, rng) for epoch in range(4)]
    assert [plan["eps"] for plan in plans] == pytest.approx([0.075, 0.15, 0.15, 0.15])
    assert [plan["steps"] for plan in plans] == [2, 4, 4, 4]
    assert [plan["eligible"] for plan in plans] == [False, True, True, True]


def test_batches_are_adversarial_and_stay_in_the_ball_of_the_epoch(blobs, network, rng):
    objective, batch = make(blobs), np.arange(30, 90)
    for epoch in (0, 3):
        eps = objective.start_epoch(network, epoch, 4, rng)["eps"]
        levels = objective.batch_inputs(network, batch, rng)
        low, high = QUANTISER.ball(blobs[0][batch].transpose(0, 2, 3, 1), as_eps(eps))
        assert np.all((low <= levels) & (levels <= high))
        assert np.any(levels != objective.inputs[batch])


def test_without_an_adversary_images_are_as_they_are(blobs, network, rng):
    objective, batch = make(blobs, adversary=None), np.array([3, 1])
    assert objective.start_epoch(network, 0, 4, rng) == {}
    np.testing.assert_array_equal(
        objective.batch_inputs(network, batch, rng), objective.inputs[batch]
    )


def test_bound_decay_is_added_to_gradients_and_loss(blobs, network, rng):
    batch, decay = np.arange(64), BoundDecay(0.3, limit=1.0)
    plain, decayed = (make(blobs, None, bound_decay=part) for part in (None, decay))
    loss, _ = plain.step(network, batch, rng)
    penalty = decay.add_gradients(network)
    expected = gradients(network)
    total, _ = decayed.step(network, batch, rng)
    assert penalty > 0
    assert total == pytest.approx(loss + 64 * penalty)
    for found, wanted in zip(gradients(network), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_an_interval_loss_grows_with_eps_and_is_added(blobs, network, rng):
    batch = np.arange(64)
    plain, interval = (make(blobs, interval_loss=weight) for weight in (0.0, 0.3))
    for epoch, weight in enumerate((0.15, 0.3, 0.3)):
        eps = plain.start_epoch(network, epoch, 4, rng)["eps"]
        interval.start_epoch(network, epoch, 4, rng)
        low, high = QUANTISER.ball(blobs[0][batch].transpose(0, 2, 3, 1), as_eps(eps))
        labels = blobs[1][batch]
        attacked = plain.batch_inputs(network, batch, np.random.default_rng(0))
        losses, d_logits = cross_entropy(network.forward(attacked), labels)
        penalty = IntervalPass(network).backward(d_logits / 64, low, high, labels, weight)
        expected = gradients(network)
        total, _ = interval.step(network, batch, np.random.default_rng(0))
        assert total == pytest.approx(losses.sum() + 64 * penalty)
        terms = interval.end_epoch(network, rng)["terms"]
        assert terms == {"interval_loss": pytest.approx(penalty)}
        for found, wanted in zip(gradients(network), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_an_epoch_leaves_sparsity_scales_and_bounds(blobs, network, rng):
    objective = make(blobs)
    objective.start_epoch(network, 0, 4, rng)
    objective.step(network, np.arange(64), rng)
    record = objective.end_epoch(network, rng)
    layers = [*network.layers, network.head.layer]
    assert record["sparsity"] == [np.mean(layer.weights == 0) for layer in layers]
    assert record["surrogate_scales"] == [1.0, 1.0]
    assert record["bounds"] == bounds(network)


def test_tuned_scales_make_the_attack_no_weaker_and_survive(blobs, network, rng):
    objective = make(blobs, tune=True)
    objective.start_epoch(network, 3, 4, rng)
    for _ in range(3):
        objective.step(network, np.arange(128), rng)

    def left_correct():
        chosen = np.random.default_rng(0).permutation(len(blobs[1]))
        attack = full_attack(network, ADVERSARY, objective._balls, blobs[1], chosen, True)
        return sum(
            np.sum(network.forward(levels).argmax(axis=1) == blobs[1][batch])
            for batch, levels in attack
        )

    before = left_correct()
    scales = objective.end_epoch(network, rng)["surrogate_scales"]
    assert left_correct() <= before
    state = objective.state(network)
    network.surrogate_scales[:] = [9.0, 9.0]
    objective.restore(network, state)
    assert network.surrogate_scales == scales


@pytest.mark.parametrize("batch_statistics", [True, False])
def test_the_full_attack_covers_what_is_chosen_and_repeats_itself(batch_statistics, blobs, network):
    images, labels = blobs
    balls = LevelBalls(images.transpose(0, 2, 3, 1), QUANTISER)
    adversary, chosen = PGDTraining(0.15, steps=2, clean_share=0.9), np.arange(1, 150)
    attack = (network, adversary, balls, labels, chosen, batch_statistics)
    runs = [list(full_attack(*attack)) for _ in range(2)]
    sizes = [len(batch) for batch, _ in runs[0]]
    np.testing.assert_array_equal(np.concatenate([batch for batch, _ in runs[0]]), chosen)
    assert max(sizes) - min(sizes) <= 1  # a small last batch would have statistics of its own
    for (_, first), (batch, second) in zip(*runs, strict=True):
        np.testing.assert_array_equal(first, second)
        clean = QUANTISER.levels(images[batch].transpose(0, 2, 3, 1))
        assert np.all((first != clean).any(axis=(1, 2, 3)))  # clean_share is for training alone


def test_an_attack_at_inference_leaves_the_statistics_alone(blobs, network):
    images, labels = blobs
    network.estimate_statistics(QUANTISER.levels(images.transpose(0, 2, 3, 1)))
    means = [norm.mean.copy() for norm in network.norms]
    balls = LevelBalls(images.transpose(0, 2, 3, 1), QUANTISER)
    list(full_attack(network, ADVERSARY, balls, labels, np.arange(20), False))
    for norm, mean in zip(network.norms, means, strict=True):
        np.testing.assert_array_equal(norm.mean, mean)
