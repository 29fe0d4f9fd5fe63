import numpy as np
import pytest

from bnnkit.nn.architectures import parse_architecture
from bnnkit.nn.bound_decay import BoundDecay, bounds
from bnnkit.nn.latent import LatentNetwork
from bnnkit.quantiser import Quantiser

SHAPE = (2, 6, 6)


@pytest.fixture
def network(rng):
    """Four hidden layers in the middle of their training, after a batch."""
    network = LatentNetwork(
        parse_architecture("conv5k3s2p1-conv6k3-20-9"),
        SHAPE,
        4,
        n_levels=11,
        surrogate="tanh",
        surrogate_scale=1.0,
        weights="binmask",
        mask_scale=0.01,
        mask_decay=0.0,
        rng=rng,
    )
    for layer, norm in zip(network.layers, network.norms, strict=True):
        layer.mask.value[:] = rng.normal(size=layer.mask.value.shape)
        sign = rng.choice([-1, 1], len(norm.gamma.value))
        norm.gamma.value[:] = sign * rng.uniform(0.2, 2, len(sign))
        norm.beta.value[:] = rng.normal(size=len(sign))
    network.refresh()
    levels = rng.integers(0, 11, (50, 6, 6, 2), dtype=np.uint8)
    network.backward(rng.normal(size=network.forward(levels).shape))
    return network


def plain_bounds(layer, norm, gamma, beta):
    """Neuron by neuron: turned until its slope is positive, then the definition."""
    found = []
    for weights, mean, variance, g, b in zip(
        layer.weights, norm.mean, norm.variance, gamma, beta, strict=True
    ):
        if g < 0:
            weights, mean, g = -weights, -mean, -g
        negated = np.sum(weights == -1)
        found.append(mean - b * np.sqrt(variance + 1e-5) / max(g, 0.1) + negated)
    return np.array(found)


def plain_term(layer, norm, limit, gamma=None, beta=None):
    gamma = norm.gamma.value.astype(float) if gamma is None else gamma
    beta = norm.beta.value.astype(float) if beta is None else beta
    return np.maximum(0, plain_bounds(layer, norm, gamma, beta) - limit).sum()


def deeper(network):
    return list(zip(network.layers[1:], network.norms[1:], strict=True))


def gradients(network):
    return [parameter.gradient.copy() for parameter in network.parameters()]


def test_the_term_is_the_sum_of_the_hinges_and_comes_weighted(network):
    expected = sum(plain_term(layer, norm, 2.0) for layer, norm in deeper(network))
    assert expected > 0
    assert BoundDecay(0.01, 2.0).add_gradients(network) == pytest.approx(0.01 * expected)
    assert BoundDecay(0.01, 1e6).add_gradients(network) == 0


def test_gradients_are_the_slopes_of_the_term(network):
    for _, norm in deeper(network):
        norm.gamma.value[:2] = [0.05, -0.05]  # below the least slope
        norm.gamma.gradient[:] = norm.beta.gradient[:] = 0
    BoundDecay(1.0, 2.0).add_gradients(network)
    h, slopes = 1e-6, []
    for layer, norm in deeper(network):
        gamma, beta = norm.gamma.value.astype(float), norm.beta.value.astype(float)
        for at in h * np.eye(len(gamma)):
            up, down = (plain_term(layer, norm, 2.0, gamma + s * at) for s in (1, -1))
            slopes.append((norm.gamma.gradient[at > 0][0], (up - down) / (2 * h)))
            up, down = (plain_term(layer, norm, 2.0, beta=beta + s * at) for s in (1, -1))
            slopes.append((norm.beta.gradient[at > 0][0], (up - down) / (2 * h)))
    actual, expected = np.transpose(slopes)
    assert (expected > 0).any()
    assert (expected < 0).any()
    assert (expected == 0).any()
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6)


def test_gradients_are_added_to_those_of_the_batch(network):
    before = gradients(network)
    BoundDecay(0.3, 2.0).add_gradients(network)
    once = gradients(network)
    BoundDecay(0.3, 2.0).add_gradients(network)
    moved = [np.any(new != old) for new, old in zip(once, before, strict=True)]
    learned = [norm.parameters() for norm in network.norms[1:]]
    expected = {id(parameter) for pair in learned for parameter in pair}
    assert moved == [id(parameter) in expected for parameter in network.parameters()]
    for old, new, newer in zip(before, once, gradients(network), strict=True):
        np.testing.assert_allclose(newer - new, new - old, rtol=1e-3, atol=1e-4)


def test_a_neuron_stated_the_other_way_round_has_the_same_term(network):
    decay, report = BoundDecay(1.0, 2.0), bounds(network)
    term = decay.add_gradients(network)
    for layer, norm in deeper(network):
        layer.weights[:] *= -1
        norm.gamma.value[:] *= -1
        norm.mean = -norm.mean
    assert decay.add_gradients(network) == pytest.approx(term)
    assert bounds(network) == report


@pytest.mark.parametrize("gamma", [0.0, -0.0, 1e-38, -1e-10, 0.0999])
def test_a_slope_near_zero_leaves_the_gradients_finite(gamma, network):
    for _, norm in deeper(network):
        norm.gamma.value[:] = gamma
        norm.gamma.gradient[:] = norm.beta.gradient[:] = 0
    assert np.isfinite(BoundDecay(1.0, 0.0).add_gradients(network))
    for _, norm in deeper(network):
        assert not norm.gamma.gradient.any()
        assert (-norm.beta.gradient <= 10.001 * norm.deviation).all()
    report = bounds(network)
    assert np.isfinite([*report["largest"], *report["mean"]]).all()


def test_layers_may_have_their_own_coefficient_and_limit(network):
    coefficients, limits = (0.5, 0.0, 0.25), (1.0, 2.0, 3.0)
    last = network.norms[-2]
    before = last.beta.gradient.copy()
    term = BoundDecay(coefficients, limits).add_gradients(network)
    expected = [
        coefficient * plain_term(layer, norm, limit)
        for (layer, norm), coefficient, limit in zip(
            deeper(network), coefficients, limits, strict=True
        )
    ]
    assert term == pytest.approx(sum(expected))
    np.testing.assert_array_equal(last.beta.gradient, before)


def test_bounds_are_those_of_the_folded_neurons(network, rng):
    folded = network.fold(Quantiser(0.1), SHAPE)
    expected = {"largest": [], "mean": []}
    for layer in folded.layers[1:]:
        rows = layer.weights.reshape(len(layer.weights), -1) * layer.sense[:, None]
        bound = layer.threshold * layer.sense + np.sum(rows == -1, axis=1)
        bits = rng.integers(0, 2, (rows.shape[1], 100))
        fires = rows @ bits >= (layer.threshold * layer.sense)[:, None]
        true = np.maximum(rows, 0) @ bits + np.maximum(-rows, 0) @ (1 - bits)
        np.testing.assert_array_equal(fires, true >= bound[:, None])
        bound = np.clip(bound, 0, np.sum(rows != 0, axis=1))
        expected["largest"].append(bound.max())
        expected["mean"].append(pytest.approx(bound.mean()))
    assert bounds(network) == expected


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"coefficient": -1e-4}, ValueError, r"coefficient must be in \[0, inf\), got -0"),
        ({"coefficient": float("nan")}, ValueError, "coefficient must be in .*got nan"),
        ({"coefficient": (1.0, "2")}, TypeError, "coefficient must be a number, got '2'"),
        ({"coefficient": 1, "limit": float("inf")}, ValueError, "limit must be .* got inf"),
    ],
)
def test_bad_parameters(options, error, message):
    with pytest.raises(error, match=message):
        BoundDecay(**options)


def test_numbers_must_fit_the_network():
    with pytest.raises(ValueError, match="limit has 2 values, but the network has 3 hidden"):
        BoundDecay(1e-4, (5.0, 5.0)).check(4)
    with pytest.raises(ValueError, match="there is none; leave it out"):
        BoundDecay(1e-4).check(1)
    BoundDecay(1e-4, (5.0, 5.0)).check(3)


def test_a_list_is_told_to_be_a_tuple():
    with pytest.raises(TypeError, match="coefficient must be a number or a tuple"):
        BoundDecay([1e-4])
