import numpy as np
import pytest

from bnnkit.datasets import load
from bnnkit.nn import RealClassifier
from bnnkit.nn.loss import cross_entropy
from bnnkit.nn.real import RealNetwork


def plain_loss(network, x, labels):
    """Sum of the losses in float64."""
    for index, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        x = x @ weight.value.astype(float).T + bias.value
        if index < len(network.weights) - 1:
            x = x * (x > 0)
    return cross_entropy(x, labels)[0].sum()


def test_gradients_are_the_slopes_of_the_loss(rng):
    network = RealNetwork([6, 8, 7, 3], rng)
    x, labels = rng.normal(size=(5, 6)).astype(np.float32), rng.integers(0, 3, 5)
    _, d_logits = cross_entropy(network.forward(x), labels)
    network.backward(d_logits)
    h = 2.0**-12
    for parameter in network.parameters():
        gradient, flat = parameter.gradient.reshape(-1), parameter.value.reshape(-1)
        for i in rng.integers(0, flat.size, 6):
            here = flat[i]
            flat[i] = here + np.float32(h)
            high, up = plain_loss(network, x, labels), float(flat[i])
            flat[i] = here - np.float32(h)
            slope = (high - plain_loss(network, x, labels)) / (up - float(flat[i]))
            flat[i] = here
            assert gradient[i] == pytest.approx(slope, rel=1e-3, abs=1e-5)


def test_input_gradient_is_the_slope_of_the_loss(rng):
    network = RealNetwork([6, 8, 7, 3], rng)
    x, labels, h = rng.normal(size=(5, 6)).astype(np.float32), rng.integers(0, 3, 5), 1e-6
    gradient, losses = network.input_gradient(x, lambda z, part: cross_entropy(z, labels[part]))
    assert losses.sum() == pytest.approx(plain_loss(network, x.astype(float), labels), rel=1e-5)
    for i in range(6):
        step = h * np.eye(6)[i]
        slope = plain_loss(network, x + step, labels) - plain_loss(network, x - step, labels)
        assert gradient[:, i].sum() == pytest.approx(slope / (2 * h), rel=1e-4, abs=1e-6)


def test_learns_digits():
    digits = load("digits")
    classifier = RealClassifier((64, 32), random_state=0)
    classifier.fit(digits.train.images, digits.train.labels)
    assert classifier.score(digits.test.images, digits.test.labels) > 0.93


def test_divergence_in_the_last_step(blobs):
    """Every parameter is within bounds, and their products are not."""
    classifier = RealClassifier(epochs=1, batch_size=160, learning_rate=1e11, random_state=0)
    with pytest.raises(FloatingPointError, match=r"logits are not finite; lower .*1e\+11"):
        classifier.fit(*blobs)


def test_the_same_seed_gives_the_same_network(blobs):
    images, labels = blobs
    first, second = (
        RealClassifier((20,), epochs=2, random_state=1).fit(images, labels) for _ in range(2)
    )
    np.testing.assert_array_equal(first.decision_function(images), second.decision_function(images))


def test_each_entry_of_hidden_is_checked(blobs):
    with pytest.raises(ValueError, match=r"each entry of hidden must be .* at least 1, got 0"):
        RealClassifier((20, 0)).fit(*blobs)
    with pytest.raises(TypeError, match="each entry of hidden must be a whole number, got 'a'"):
        RealClassifier(["a"]).fit(*blobs)


@pytest.mark.parametrize("hidden", [5, None, "50", np.array([5, 6])])
def test_hidden_is_a_list_or_tuple(hidden, blobs):
    with pytest.raises(TypeError, match=r"hidden must be a list or tuple of .* \(50,\), got"):
        RealClassifier(hidden).fit(*blobs)


def test_more_weights_than_memory_holds(blobs):
    with pytest.raises(ValueError, match="would have 788000000000 weights, the limit is"):
        RealClassifier((10**9,)).fit(*blobs)
