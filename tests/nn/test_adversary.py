"""PGD on lanes against a plain twin, and the promise that no level leaves its ball."""

from fractions import Fraction

import numpy as np
import pytest

from bnnkit import BNNClassifier
from bnnkit.nn.adversary import LevelBalls, PGDTraining, Plan
from bnnkit.nn.loss import cross_entropy
from bnnkit.quantiser import Quantiser

# ends of balls between two levels, eps below and above the step, bits, the steps in use
AWKWARD = [
    (0.61, 0.305),
    (0.61, 0.3),
    (0.1, 0.15),
    (0.1, 0.05),
    (0.064, 2 / 255),
    (0.064, 8 / 255),
    (1 / 255, 3 / 255),
    (1.0, 0.5),
    (1.2, 0.1),
    (0.3, 1.0),
]
NUMBERS = ["steps", "eps_ramp", "steps_ramp", "step_size", "clean_share"]


@pytest.fixture(scope="module", params=[(0.61, "20-9"), (1.0, "conv5k4s2p1-8"), (0.1, "conv3k3")])
def trained(request):
    """A trained network, and 70 colour images as NHWC with their labels and quantiser."""
    rng = np.random.default_rng(1)
    step, architecture = request.param
    labels = np.arange(70) % 3
    images = rng.integers(0, 120, (70, 3, 7, 6), dtype=np.uint8)
    images[np.arange(70), labels] += 110
    classifier = BNNClassifier(architecture, quant_step=step, epochs=15, random_state=0)
    classifier.fit(images, labels)
    pixels = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    return classifier.model_, LevelBalls(pixels, Quantiser(step)), labels


def pixels_of(kind, rng, quantiser):
    """Images (40, 4, 3, 2) with the pixels at which something happens, and random ones."""
    if kind == "uint8":
        return np.resize(rng.permutation(256).astype(np.uint8), (40, 4, 3, 2))
    stairs = [float(quantiser.cell(level)[1]) for level in range(quantiser.n_levels)]
    near = [np.nextafter(s, end) for s in stairs for end in (0, 2)] + stairs
    values = [v for v in [0.0, 1.0, *near] if 0 <= v <= 1]
    return np.resize(np.concatenate([values, rng.random(500)]), (40, 4, 3, 2))


def plain_pgd(network, ball, labels, plan, length, rng, batch_statistics=True):
    """Projected gradient ascent on rows of floats, rounded to levels."""
    low, high = ball.low, ball.high
    x = low + (high - low) * rng.random(low.shape, np.float32)
    for _ in range(plan.steps):
        if batch_statistics:  # the batch-norms keep them, whatever comes after
            network.forward(levels_of(x, ball))
        gradient, _ = network.input_gradient(
            levels_of(x, ball), lambda logits, part: cross_entropy(logits, labels[part])
        )
        x = np.clip(x + np.float32(length) * np.sign(gradient.reshape(x.shape)), low, high)
    return levels_of(x, ball)


def levels_of(x, ball):
    return np.rint(x).astype(np.uint8).reshape(ball.pixels.shape)


@pytest.mark.parametrize("kind", ["uint8", "float64"])
@pytest.mark.parametrize(("step", "eps"), AWKWARD)
def test_the_ends_of_a_ball_round_to_its_outermost_levels(step, eps, kind):
    quantiser = Quantiser(step)
    pixels = pixels_of(kind, np.random.default_rng(2), quantiser)
    batch = np.array([3, 0, 17, 39])
    ball = LevelBalls(pixels, quantiser).of(batch, eps)
    low, high = quantiser.ball(pixels[batch].reshape(4, -1), ball.eps)
    np.testing.assert_array_equal(np.rint(ball.low), low)
    np.testing.assert_array_equal(np.rint(ball.high), high)
    values = pixels[batch].reshape(4, -1) / (255 if kind == "uint8" else 1)
    np.testing.assert_allclose(ball.low, np.maximum(values - eps, 0) / step, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(ball.high, np.minimum(values + eps, 1) / step, rtol=1e-6)
    np.testing.assert_array_equal(ball.levels, quantiser.levels(pixels[batch]))


def test_a_ball_that_ends_between_two_levels_reaches_the_even_one():
    black = LevelBalls(np.zeros((1, 1, 1, 1), np.uint8), Quantiser(0.1))
    for eps, highest in [(0.15, 2), (0.05, 0), (Fraction(1, 4), 2), (0.35, 4)]:
        assert np.rint(black.of([0], eps).high) == highest


def test_balls_of_another_radius_are_made_anew():
    balls = LevelBalls(np.full((2, 1, 1, 1), 100, np.uint8), Quantiser(0.1))
    small, large = balls.of([0], 0.1), balls.of([0], 0.2)
    assert large.low < small.low < small.high < large.high
    np.testing.assert_array_equal(balls.of([1], 0.1).low, small.low)


@pytest.mark.parametrize("eps", [0.15, 0.3, 0.5])
@pytest.mark.parametrize("steps", [1, 2, 10])
def test_batches_equal_those_of_plain_ascent(steps, eps, trained):
    network, balls, labels = trained
    batch = np.random.default_rng(3).permutation(70)
    ball, plan = balls.of(batch, eps), Plan(eps, steps)
    levels = PGDTraining(eps, steps=steps).batch(
        network, ball, labels[batch], plan, np.random.default_rng(4)
    )
    length = max(min(1.5 / steps, 1), 0.3) * eps / float(balls.quantiser.step)
    expected = plain_pgd(network, ball, labels[batch], plan, length, np.random.default_rng(4))
    assert levels.dtype == np.uint8
    np.testing.assert_array_equal(levels, expected)
    low, high = balls.quantiser.ball(balls.pixels[batch], ball.eps)
    assert ((low <= levels) & (levels <= high)).all()


@pytest.mark.parametrize("kind", ["uint8", "float64"])
@pytest.mark.parametrize(("step", "eps"), AWKWARD)
def test_no_level_leaves_its_ball(step, eps, kind):
    rng, quantiser = np.random.default_rng(5), Quantiser(step)
    pixels, labels = pixels_of(kind, rng, quantiser), np.arange(40) % 3
    classifier = BNNClassifier("8", quant_step=step, epochs=1, random_state=0)
    network = classifier.fit(pixels.transpose(0, 3, 1, 2), labels).model_
    ball = LevelBalls(pixels, quantiser).of(np.arange(40), eps)
    levels = PGDTraining(eps, steps=3).batch(network, ball, labels, Plan(eps, 3), rng)
    low, high = quantiser.ball(pixels, ball.eps)
    assert ((low <= levels) & (levels <= high)).all()
    assert (levels == low)[low < high].any()
    assert (levels == high)[low < high].any()


def test_ascent_fools_a_network_that_noise_does_not(trained):
    network, balls, labels = trained
    ball, rng = balls.of(np.arange(70), 0.25), np.random.default_rng(6)
    noise = levels_of(ball.low + (ball.high - ball.low) * rng.random(ball.low.shape), ball)
    attacked = PGDTraining(0.25).batch(network, ball, labels, Plan(0.25, 10), rng)
    correct = [
        np.mean(network.forward(levels).argmax(axis=1) == labels) for levels in (noise, attacked)
    ]
    assert correct[0] > correct[1] + 0.2


def test_an_ascent_changes_no_parameter(trained):
    network, balls, labels = trained
    before = [parameter.value.copy() for parameter in network.parameters()]
    ball, rng = balls.of(np.arange(9), 0.3), np.random.default_rng(7)
    PGDTraining(0.3).batch(network, ball, labels[:9], Plan(0.3, 2), rng)
    for value, parameter in zip(before, network.parameters(), strict=True):
        np.testing.assert_array_equal(parameter.value, value)


def test_the_first_images_of_a_batch_are_left_clean(trained):
    network, balls, labels = trained
    batch, plan = np.arange(70)[::-1], Plan(0.3, 3)
    ball, mixed = balls.of(batch, 0.3), PGDTraining(0.3, clean_share=0.3)
    levels = mixed.batch(network, ball, labels[batch], plan, np.random.default_rng(8))
    np.testing.assert_array_equal(levels[:21], balls.quantiser.levels(balls.pixels[batch[:21]]))
    rest = balls.of(batch[21:], 0.3)
    expected = PGDTraining(0.3).batch(
        network, rest, labels[batch[21:]], plan, np.random.default_rng(8)
    )
    np.testing.assert_array_equal(levels[21:], expected)


def test_the_full_adversary_leaves_nothing_clean():
    assert PGDTraining(0.3, steps=4, clean_share=0.3).full == PGDTraining(0.3, steps=4)


def test_a_step_size_of_ones_own_grows_with_eps(trained):
    network, balls, labels = trained
    adversary, plan = PGDTraining(0.3, step_size=0.1), Plan(0.15, 4)
    ball = balls.of(np.arange(70), 0.15)
    levels = adversary.batch(network, ball, labels, plan, np.random.default_rng(9))
    length = 0.05 / float(balls.quantiser.step)
    expected = plain_pgd(network, ball, labels, plan, length, np.random.default_rng(9))
    np.testing.assert_array_equal(levels, expected)


def test_a_share_is_not_rounded_by_the_error_of_floats():
    assert PGDTraining(0.3, clean_share=0.29).n_clean(100) == 29


def plans(adversary, epochs):
    return [adversary.at((epoch + 1) / epochs) for epoch in range(epochs)]


@pytest.mark.parametrize("epochs", [1, 3, 7, 24, 100, 250])
@pytest.mark.parametrize("ramp", [0.0, 0.3, 0.5, 0.7, 1.0])
def test_eps_and_steps_grow_to_full_size_at_the_end_of_their_ramps(ramp, epochs):
    all_plans = plans(PGDTraining(8 / 255, steps=10, eps_ramp=ramp, steps_ramp=ramp), epochs)
    eps, steps = (np.array(values) for values in list(zip(*all_plans, strict=True))[:2])
    assert (np.diff(eps) >= 0).all()
    assert (np.diff(steps) >= 0).all()
    assert eps[0] > 0
    assert steps[0] >= 1
    full = (np.arange(epochs) + 1) / epochs >= ramp
    np.testing.assert_array_equal(eps == 8 / 255, full)
    assert (steps[full] == 10).all()
    assert full[-1]


def test_ramps_are_linear():
    adversary = PGDTraining(0.3, steps=10, eps_ramp=0.5, steps_ramp=0.2)
    assert plans(adversary, 100)[24] == Plan(0.15, 10)
    assert [plan.steps for plan in plans(adversary, 100)[:20]] == [
        step for step in range(1, 11) for _ in range(2)
    ]
    assert [round(plan.eps, 9) for plan in plans(adversary, 10)[:6]] == [
        0.06, 0.12, 0.18, 0.24, 0.3, 0.3,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"eps": 0}, "eps must be above 0, got 0"),
        ({"eps": 8}, "eps must be in .0, 1., got 8; for grey levels pass 8/255"),
        ({"steps": 0}, "steps must be a whole number of at least 1, got 0"),
        ({"eps_ramp": 1.5}, "got 1.5: a ramp that ends after the training never reaches eps"),
        ({"steps_ramp": 2}, "steps_ramp must be in .0, 1., got 2: .* never reaches the number"),
        ({"eps_ramp": -0.1}, "eps_ramp must be in .0, 1., got -0.1"),
        ({"steps_ramp": float("nan")}, "steps_ramp must be in .0, 1., got nan"),
        ({"step_size": 0}, "step_size must be in .0, 1., got 0"),
        ({"clean_share": 1.0}, "clean_share must be in .0, 1., got 1.0"),
    ],
)
def test_parameters_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        PGDTraining(**{"eps": 0.3, **arguments})


@pytest.mark.parametrize("name", NUMBERS)
def test_parameters_of_a_wrong_type(name):
    with pytest.raises(TypeError, match=f"{name} must be a"):
        PGDTraining(**{"eps": 0.3, name: "many"})


@pytest.mark.parametrize("share", [0, -0.1, 1.1])
def test_a_share_of_the_training_is_above_0_and_at_most_1(share):
    with pytest.raises(ValueError, match=r"pass \(epoch \+ 1\) / epochs"):
        PGDTraining(0.3).at(share)
