"""The latent network against a float64 twin, written plainly and without bnnkit's kernels."""

import numpy as np
import pytest
from latents import SHAPES, SLOPES, Twin, assert_close, make, make_levels
from products import from_lanes

from bnnkit.nn.layers import WEIGHTS
from bnnkit.nn.loss import cross_entropy
from bnnkit.quantiser import Quantiser


@pytest.mark.parametrize(
    ("name", "scale", "weights", "n_levels"),
    [
        ("tanh", 1.0, "binmask", 11),
        ("tanh", 0.6, "binary", 2),
        ("hardtanh", 1.0, "ternary", 2),
        ("hardtanh", 1.5, "binary", 256),
    ],
)
@pytest.mark.parametrize("architecture", SHAPES)
def test_training_gradients_equal_the_twin(architecture, name, scale, weights, n_levels, rng):
    network = make(architecture, rng, name, scale, weights, n_levels)
    x = make_levels(architecture, rng, 70, n_levels)
    labels = rng.integers(0, 4, len(x))
    twin = Twin(network, SLOPES[name], scale)
    logits = network.forward(x)
    np.testing.assert_allclose(logits, twin.forward(x), rtol=1e-6, atol=1e-6)
    _, d_logits = cross_entropy(logits, labels)
    network.backward(d_logits)
    expected, _ = twin.backward(d_logits)
    layers = [*network.layers, network.head.layer]
    for layer, gradient in zip(layers, expected["weights"], strict=True):
        kept = layer.mask.value >= 0 if weights == "binmask" else 1
        assert_close(layer.latent.gradient, gradient * kept)
        if weights == "binmask":
            sign = np.where(layer.latent.value >= 0, 1, -1)
            assert_close(layer.mask.gradient, gradient * sign)
    for norm, gamma, beta in zip(network.norms, expected["gamma"], expected["beta"], strict=True):
        assert_close(norm.gamma.gradient, gamma)
        assert_close(norm.beta.gradient, beta)
    assert_close(network.head.scale.gradient, expected["scale"])
    assert_close(network.head.bias.gradient, expected["bias"])


@pytest.mark.parametrize(("name", "scale"), [("tanh", 1.0), ("hardtanh", 0.5)])
@pytest.mark.parametrize("architecture", SHAPES)
def test_input_gradient_equals_the_twin(architecture, name, scale, rng):
    network, x = make(architecture, rng, name, scale), make_levels(architecture, rng, 300)
    labels = rng.integers(0, 4, len(x))
    network.estimate_statistics(x)
    twin = Twin(network, SLOPES[name], scale, fixed=True)
    gradient, losses = network.input_gradient(
        x, lambda logits, part: cross_entropy(logits, labels[part])
    )
    expected_losses, d_logits = cross_entropy(twin.forward(x), labels)
    _, expected = twin.backward(d_logits)
    np.testing.assert_allclose(losses, expected_losses)
    assert_close(gradient, expected)


@pytest.mark.parametrize(("name", "scale"), [("tanh", 1.4), ("hardtanh", 0.5)])
@pytest.mark.parametrize("architecture", SHAPES)
def test_gradients_with_the_statistics_of_the_batch_equal_the_twin(architecture, name, scale, rng):
    network, x = make(architecture, rng, name, scale), make_levels(architecture, rng, 150)
    labels = rng.integers(0, 4, len(x))
    twin = Twin(network, SLOPES[name], scale, constant=True)
    expected_losses, d_logits = cross_entropy(twin.forward(x), labels)
    _, expected = twin.backward(d_logits)
    lanes = network.layers[0].lanes(x).copy()
    dx, losses = network.lane_gradient(lanes, len(x), lambda z: cross_entropy(z, labels), True)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-6, atol=1e-6)
    assert dx.shape[1:3] == lanes.shape[1:3]
    assert_close(from_lanes(dx, len(x)).reshape(x.shape), expected)
    beyond = from_lanes(dx, 16 * len(dx))[len(x) :]
    assert beyond.size
    assert not beyond.any()


def test_an_attack_does_not_change_what_is_trained(rng):
    """Nothing but the next forward decides the gradients of the parameters."""
    network, x = make("conv3k3p1-conv4k4s2p1-6", rng), make_levels("conv3k3p1-conv4k4s2p1-6", rng)
    labels = rng.integers(0, 4, len(x))

    def gradients():
        network.backward(cross_entropy(network.forward(x), labels)[1])
        return [parameter.gradient.copy() for parameter in network.parameters()]

    expected = gradients()
    lanes = network.layers[0].lanes(x[::-1]).copy()
    network.lane_gradient(lanes, len(x), lambda z: cross_entropy(z, labels), True)
    for gradient, before in zip(gradients(), expected, strict=True):
        np.testing.assert_array_equal(gradient, before)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_sparsities_are_those_of_the_hidden_layers_then_the_head(weights, rng):
    network = make("conv5k3s2p1-8", rng, weights=weights)
    layers = [*network.layers, network.head.layer]
    expected = [np.mean(layer.weights == 0) for layer in layers]
    np.testing.assert_allclose(network.sparsities(), expected)
    assert any(expected) == (weights != "binary")


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (0, "hidden layer 1 has no weights left: all of its 108 are 0 with mask_decay=0.5"),
        (1, "hidden layer 2 has no weights left"),
        (2, "the head has no weights left.*lower mask_decay or the learning rate, or raise"),
    ],
)
def test_an_emptied_layer_is_an_error_at_once(index, message, rng):
    network = make("9-7", rng)
    layer = [*network.layers, network.head.layer][index]
    layer.mask_decay = 0.5
    layer.mask.value[:] = -1
    layer.mask.value.flat[-1] = 0
    network.refresh()  # one weight is enough
    layer.mask.value[:] = -1
    with pytest.raises(ValueError, match=message):
        network.refresh()


def test_released_memory_is_taken_again(rng):
    network, x = make("conv4k2", rng), make_levels("conv4k2", rng)
    logits = network.forward(x)
    network.release()
    parts = [*network.layers, *network.norms, network.head.layer]
    assert not any(vars(part.space)["_arrays"] for part in parts)
    np.testing.assert_array_equal(network.forward(x), logits)


@pytest.mark.parametrize("architecture", SHAPES)
def test_statistics_are_those_of_all_images_given_the_layers_below(architecture, rng):
    network, x = make(architecture, rng), make_levels(architecture, rng, 300)
    assert network.estimate_statistics(x) == []
    twin = Twin(network, SLOPES["tanh"], 1.0, fixed=True)
    twin.forward(x)
    for layer, norm, (windows, *_) in zip(
        network.layers, network.norms, twin.trace[:-1], strict=True
    ):
        z = np.einsum("nrsijc,oijc->nrso", windows, layer.weights.astype(float))
        np.testing.assert_allclose(norm.mean, z.mean((0, 1, 2)))
        np.testing.assert_allclose(norm.variance, z.var((0, 1, 2)), rtol=1e-9)


def test_constant_layers_are_reported(rng):
    network, x = make("9-7", rng), make_levels("9-7", rng)
    network.norms[1].gamma.value[:] = 0
    assert network.estimate_statistics(x) == [2]
    network.norms[0].gamma.value[:] = 0
    assert network.estimate_statistics(x) == [1, 2]


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("architecture", SHAPES)
def test_the_folded_network_computes_the_same_bits_and_order(architecture, weights, rng):
    network, x = make(architecture, rng, weights=weights), make_levels(architecture, rng, 500)
    for norm in network.norms:
        norm.gamma.value[:3] = [0, 0, -1]  # constant one, constant zero, turned around
        norm.beta.value[:2] = [0.5, -0.5]
    network.head.scale.value[:] = -2
    network.estimate_statistics(x)
    folded = network.fold(Quantiser(0.1), SHAPES[architecture])
    scores = folded.scores_of_levels(x.transpose(0, 3, 1, 2))
    order = np.argsort(network.logits(x), axis=1, kind="stable")
    np.testing.assert_array_equal(np.argsort(scores, axis=1, kind="stable"), order)
    assert len(np.unique(order, axis=0)) > 1
    assert folded.shapes[-1] == (
        network.layers[-1].geometry.output_shape[2],
        *folded.shapes[-1][1:],
    )


def test_a_boundary_that_falls_on_an_integer_keeps_its_bit(rng):
    """y = 0 exactly is a one, for slopes of both signs."""
    network = make("9-7", rng)
    for norm in network.norms:
        norm.set_statistics(np.full(len(norm.mean), 2.0), np.full(len(norm.mean), 1.0 - 1e-5))
        norm.gamma.value[:] = rng.choice([-1, 1], len(norm.mean))
        norm.beta.value[:] = 0
    x = make_levels("9-7", rng, 3000)
    first = network.layers[0]
    assert (first.product(first.lanes(x), len(x)) == 2).any()
    folded = network.fold(Quantiser(0.1), SHAPES["9-7"])
    logits = network.logits(x)
    scores = folded.scores_of_levels(x.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(np.argsort(scores), np.argsort(logits))


def test_a_layer_that_has_diverged_is_not_taken_for_a_sparse_one(rng):
    network = make("9-7", rng)
    network.layers[1].mask.value[:] = np.nan
    with pytest.raises(FloatingPointError, match="diverged: hidden layer 2 has parameters that"):
        network.refresh()
