"""The interval pass against a float64 twin that takes positive and negative weights apart."""

import itertools

import numpy as np
import pytest
from latents import (
    SHAPES,
    SLOPES,
    Twin,
    assert_close,
    make,
    make_levels,
    plain_scatter,
    plain_windows,
)
from products import from_lanes

from bnnkit import datasets
from bnnkit._checks import as_eps
from bnnkit.nn import BNNClassifier, PGDTraining
from bnnkit.nn.interval import IntervalPass
from bnnkit.nn.loss import cross_entropy
from bnnkit.quantiser import Quantiser
from bnnkit.robust import ExactTraining
from bnnkit.verification.bounds import possible_rivals, propagate
from bnnkit.verification.circuit import circuit


class IntervalTwin:
    """Ends of everything, and gradients of the worst logits, of the statistics among others."""

    def __init__(self, network, slope, scale):
        self.network, self.slope, self.scale = network, slope, scale

    def forward(self, low, high):
        self.trace = []
        for layer, norm in zip(self.network.layers, self.network.norms, strict=True):
            low, high, *windows = self.sums(layer, low, high)
            a = norm.gamma.value / np.sqrt(norm.variance + 1e-5)
            y = [a * (z - norm.mean) + norm.beta.value for z in (low, high)]
            self.trace.append((windows, (low, high), y))
            low, high = (1.0 * (end(*y) >= 0) for end in (np.minimum, np.maximum))
        *ends, windows_low, windows_high = self.sums(self.network.head.layer, low, high)
        self.trace.append(((windows_low, windows_high), None, None))
        return [z[:, 0, 0] for z in ends]

    def sums(self, layer, low, high):
        low, high = plain_windows(low, layer.geometry), plain_windows(high, layer.geometry)
        up, down = np.maximum(layer.weights, 0), np.maximum(-layer.weights, 0)

        def product(x, weights):
            return np.einsum("nrsijc,oijc->nrso", x, weights.astype(float))

        ends = product(low, up) - product(high, down), product(high, up) - product(low, down)
        return *ends, low, high

    def backward(self, d_low, d_high):
        """Gradients of the weights, for either sign, of gammas, betas, means and variances."""
        found = {"positive": [], "negative": [], "gamma": [], "beta": [], "statistics": []}
        for layer in [self.network.head.layer, *self.network.layers[::-1]]:
            (low, high), _, _ = self.trace.pop()
            outer = [
                np.einsum("nrso,nrsijc->oijc", a, x)
                for a, x in itertools.product((d_low, d_high), (low, high))
            ]
            found["positive"].insert(0, outer[0] + outer[3])
            found["negative"].insert(0, outer[1] + outer[2])
            if not self.trace:
                return found
            up, down = np.maximum(layer.weights, 0), np.maximum(-layer.weights, 0)

            def back(dz, weights, geometry=layer.geometry):
                return plain_scatter(np.einsum("nrso,oijc->nrsijc", dz, weights), geometry)

            d_low, d_high = (
                back(d_low, up) - back(d_high, down),
                back(d_high, up) - back(d_low, down),
            )
            norm, (_, sums, y) = self.network.norms[len(self.trace) - 1], self.trace[-1]
            turned = norm.gamma.value < 0
            ends = np.where(turned, d_high, d_low), np.where(turned, d_low, d_high)
            dy = [d * self.slope(value, self.scale) for d, value in zip(ends, y, strict=True)]
            deviation = np.sqrt(norm.variance + 1e-5)
            centred = [(z - norm.mean) / deviation for z in sums]
            gamma = sum(d * c for d, c in zip(dy, centred, strict=True)).sum((0, 1, 2))
            found["gamma"].insert(0, gamma)
            found["beta"].insert(0, sum(dy).sum((0, 1, 2)))
            d_low, d_high = (norm.gamma.value / deviation * d for d in dy)
            d_mean = -(d_low + d_high).sum((0, 1, 2))
            d_variance = -norm.gamma.value * gamma / (2 * deviation**2)
            found["statistics"].insert(0, (d_mean, d_variance))


def interval(architecture, rng, n, n_levels):
    one, other = (make_levels(architecture, rng, n, n_levels) for _ in range(2))
    other = np.where(rng.random(one.shape) < 0.7, one, other)
    return np.minimum(one, other), np.maximum(one, other)


@pytest.mark.parametrize(
    ("name", "scale", "weights", "n_levels", "sign"),
    [
        ("tanh", 1.0, "binmask", 11, 1),
        ("tanh", 0.6, "binary", 2, -1),
        ("hardtanh", 1.0, "ternary", 2, 1),
        ("hardtanh", 1.5, "binmask", 256, -1),
    ],
)
@pytest.mark.parametrize("architecture", SHAPES)
def test_gradients_equal_the_twin(architecture, name, scale, weights, n_levels, sign, rng):
    network = make(architecture, rng, name, scale, weights, n_levels)
    low, high = interval(architecture, rng, 70, n_levels)
    labels = rng.integers(0, 4, len(low))
    images = make_levels(architecture, rng, 70, n_levels)
    _, d_images = cross_entropy(network.forward(images), rng.integers(0, 4, 70))
    network.head.scale.value *= sign
    term = IntervalPass(network).backward(d_images, low, high, labels, weight=70 * 0.3)

    twin, head = IntervalTwin(network, SLOPES[name], scale), network.head
    ends, factor = twin.forward(low, high), float(head.scale.value[0])
    own = np.arange(4) == labels[:, None]
    scaled = [factor * end for end in ends]
    logits = np.where(own, np.minimum(*scaled), np.maximum(*scaled)) + head.bias.value
    losses, d_logits = cross_entropy(logits, labels)
    assert term == pytest.approx(0.3 * losses.sum(), rel=1e-5)
    d_logits *= 0.3
    dz, here = factor * d_logits[:, None, None], (own == (factor > 0))[:, None, None]
    expected = twin.backward(np.where(here, dz, 0), np.where(here, 0, dz))
    plain = Twin(network, SLOPES[name], scale)
    plain.forward(images)
    of_images, _ = plain.backward(d_images, expected["statistics"])
    layers = [*network.layers, head.layer]
    ways = zip(of_images["weights"], expected["positive"], expected["negative"], strict=True)
    for layer, (of_image, *of_interval) in zip(layers, ways, strict=True):
        positive = layer.latent.value >= 0
        gradient = of_image + np.where(positive, *of_interval)
        kept = layer.mask.value >= 0 if weights == "binmask" else 1
        assert_close(layer.latent.gradient, gradient * kept)
        if weights == "binmask":
            assert_close(layer.mask.gradient, gradient * np.where(positive, 1, -1))
    for name in ("gamma", "beta"):
        sums = (a + b for a, b in zip(of_images[name], expected[name], strict=True))
        for norm, gradient in zip(network.norms, sums, strict=True):
            assert_close(getattr(norm, name).gradient, gradient)
    assert_close(head.bias.gradient, of_images["bias"] + d_logits.sum(0))
    by_scale = np.sum(d_logits * (logits - head.bias.value) / factor)
    assert_close(head.scale.gradient, of_images["scale"] + by_scale)


def test_ends_are_reached_where_inputs_are_free(rng):
    """In a layer whose inputs are levels, some input of the box has the sum of each end."""
    network = make("9-7", rng)
    low, high = interval("9-7", rng, 70, 11)
    labels = rng.integers(0, 4, 70)
    network.forward(low)
    found = IntervalPass(network)
    found.backward(np.zeros((70, 4)), low, high, labels, 1.0)
    weights = network.layers[0].weights.reshape(9, -1).astype(int)[:, None]
    low, high = low.reshape(70, -1), high.reshape(70, -1)
    corners = np.where(weights > 0, low, high), np.where(weights > 0, high, low)
    for lanes, corner in zip(found._stages[0].sums, corners, strict=True):
        expected = (weights * corner).sum(axis=2)
        np.testing.assert_array_equal(from_lanes(lanes, 70)[:, 0], expected.T)


def test_trained_with_it_bounds_prove_more():
    train = datasets.load("digits").train
    images, labels = train.images[:300], train.labels[:300]
    settings = {"quant_step": 0.1, "epochs": 10, "mask_decay": 1e-4, "random_state": 0}
    low, high = Quantiser(0.1).ball(images, as_eps(0.1))

    def proved(interval_loss):
        adversary = PGDTraining(0.1, steps=1)
        network = (
            BNNClassifier("48-32", adversary=adversary, interval_loss=interval_loss, **settings)
            .fit(train.images, train.labels)
            .network_
        )
        found = circuit(network)
        bounds = (
            propagate(found, *(x.ravel() for x in ends)) for ends in zip(low, high, strict=True)
        )
        return sum(len(possible_rivals(found, *q)) == 0 for q in zip(labels, bounds, strict=True))

    assert proved(1.0) > 1.5 * proved(0.0)


@pytest.mark.parametrize("number", [np.float16, np.float32, np.longdouble])
def test_a_weight_of_numpys_is_that_of_python(number, tmp_path):
    train = datasets.load("digits").train
    weight, settings = number(100), {"epochs": 2, "random_state": 0}

    def history(weight, folder=None):
        one = BNNClassifier("9", adversary=PGDTraining(0.1), interval_loss=weight, **settings)
        one.fit(train.images[:90], train.labels[:90], folder=folder)
        return [{**record, "seconds": 0} for record in one.history_]

    assert history(weight, tmp_path) == history(100.0)


def test_a_run_goes_on_after_a_kill_to_the_bit(tmp_path, monkeypatch):
    train = datasets.load("digits").train
    images, labels = (train.images[:200] / 255).astype(float), train.labels[:200]
    adversary = ExactTraining(PGDTraining(0.1, steps=1, clean_share=0.2), start=0.5, share=0.1)
    settings = {"quant_step": 0.3, "epochs": 4, "mask_decay": (1e-4, 0.0, 1e-4), "random_state": 0}

    def fit(weight, folder=None):
        one = BNNClassifier("12-10", adversary=adversary, interval_loss=weight, **settings)
        return one.fit(images, labels, folder=folder).network_

    expected, calls = fit(0.3).digest, iter(range(1000))
    whole = IntervalPass.backward

    def killed(self, *arguments):
        term = whole(self, *arguments)
        if next(calls) == 5:
            raise KeyboardInterrupt
        return term

    with monkeypatch.context() as patch:
        patch.setattr(IntervalPass, "backward", killed)
        with pytest.raises(KeyboardInterrupt):
            fit(0.3, tmp_path)
    assert fit(np.float64(0.3), tmp_path).digest == expected
    with pytest.raises(ValueError, match=r"interval_loss was .*0.3.* and is .*0.4"):
        fit(0.4, tmp_path)
