import numpy as np
import pytest
from helpers import random_network

from bnnkit import plots


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("n", [1, 3, 20])
def test_sheet_shows_original_difference_and_adversarial(channels, n):
    rng = np.random.default_rng(0)
    originals = rng.integers(0, 256, (n, channels, 5, 5)).astype(np.uint8)
    adversarial = np.clip(originals / 255 + rng.choice([-0.1, 0.1], originals.shape), 0, 1)
    axes = plots.adversarial_sheet(originals, adversarial, range(n), range(1, n + 1))
    assert axes.shape == (3, min(n, 8))
    assert axes[0, 0].get_title() == "0"
    assert axes[2, 0].get_title() == "seen as 1"
    shown = axes[2, -1].images[0].get_array().reshape(5, 5, channels)
    assert np.allclose(shown, adversarial[min(n, 8) - 1].transpose(1, 2, 0), atol=1e-6)
    middle = axes[1, 0].images[0].get_array()
    assert 0 <= middle.min() <= middle.max() <= 1


def scale_of(axes):
    """The texts of the colour bar beside axes, and the colours at its ends."""
    (bar,) = set(axes[0, 0].figure.axes) - set(axes.ravel())
    drawn = bar.collections[-1]
    texts = [label.get_text() for label in bar.get_yticklabels()]
    return texts, drawn.cmap(drawn.norm(drawn.norm.vmax)), drawn.cmap(drawn.norm(drawn.norm.vmin))


def test_colours_are_named():
    """The colour of a difference and of a weight is the one that the bar says."""
    originals = np.full((2, 4, 4), 0.5)
    moved = originals.copy()
    moved[0, 0, 0], moved[1, 1, 1] = 0.75, 0.25
    axes = plots.adversarial_sheet(originals, moved, [0, 1], [1, 0])
    texts, most, least = scale_of(axes)
    assert texts == ["-0.25", "0", "+0.25"]
    for ax, place, colour in ((axes[1, 0], (0, 0), most), (axes[1, 1], (1, 1), least)):
        image = ax.images[0]
        assert image.cmap(image.norm(image.get_array()))[place] == pytest.approx(colour)
    network = random_network(np.random.default_rng(3), (1, 4, 4))
    axes = plots.weights(network)
    texts, most, least = scale_of(axes)
    assert texts == ["-1", "0", "+1"]
    image, weights = axes[0, 0].images[0], network.layers[0].weights[0, 0]
    drawn = image.cmap(image.norm(image.get_array()))
    assert np.allclose(drawn[weights == 1], most)
    assert np.allclose(drawn[weights == -1], least)
    assert {-1, 1} <= set(weights.ravel().tolist())


@pytest.mark.parametrize("strips", [1, 3], indirect=True)
def test_eps_strip_says_what_was_found(strips):
    axes = plots.eps_strip(strips[0])
    titles = [ax.get_title() for ax in axes[0]]
    assert titles == ["original: 7", "eps 0.1\nrobust", "eps 0.2\nseen as 3", "eps 0.3\nunknown"]
    found = axes[0, 2].images[0].get_array()
    assert np.allclose(np.squeeze(found), np.squeeze(strips[0].images[1].transpose(1, 2, 0)))
    same = axes[1, 1].images[0].get_array()
    assert np.allclose(same, 0.5)  # nothing was changed: grey


@pytest.mark.parametrize("strips", [1, 3], indirect=True)
def test_quantisation_strip_shows_what_is_left(strips):
    axes = plots.quantisation_strip(strips[1])
    assert axes.shape == (2, 4)
    assert [ax.get_title() for ax in axes[0, 1:]] == ["step 1/4", "step 1/2", "step 1"]
    assert [ax.get_title() for ax in axes[1, 1:]] == ["robust", "seen as 3", "unknown"]
    assert set(np.unique(axes[0, 1].images[0].get_array())) <= {0.0, 1.0}


def test_weights_of_neurons_that_see_an_image():
    network = random_network(np.random.default_rng(3), (1, 4, 4))
    axes = plots.weights(network)
    weights = network.layers[0].weights
    for ax, neuron in zip(axes.ravel(), weights, strict=False):
        assert (ax.images[0].get_array() * 2 - 1 == neuron[0]).all()


def test_the_fullest_of_many_neurons_are_shown():
    from bnnkit.network import BinaryNetwork, Conv2d, Head
    from bnnkit.quantiser import Quantiser

    weights = np.zeros((40, 3, 2, 2), np.int8)
    weights[5:, 0, 0, 0] = 1
    layer = Conv2d(weights, np.zeros(40, int), np.ones(40, int))
    head = Head(np.ones((2, 40, 1, 1)), 1, [0, 1])
    axes = plots.weights(BinaryNetwork(Quantiser(0.5), [layer], head, (3, 2, 2)))
    assert [ax.get_title() for ax in axes.ravel()] == [str(i) for i in range(5, 37)]
    assert axes[0, 0].images[0].get_array().shape == (2, 2, 3)


@pytest.mark.parametrize(("shape", "layer"), [((1, 4, 4), 1), ((1, 1, 6), 0)])
def test_other_weights_are_one_picture(shape, layer):
    network = random_network(np.random.default_rng(1), shape)
    axes = plots.weights(network, layer)
    weights = network.layers[layer].weights
    assert axes.shape == (1, 1)
    assert (axes[0, 0].images[0].get_array() == weights.reshape(len(weights), -1)).all()


def test_a_layer_that_there_is_not():
    with pytest.raises(ValueError, match="layer must be from 0 to 1, got 2"):
        plots.weights(random_network(np.random.default_rng(1), (1, 2, 2)), 2)
    with pytest.raises(TypeError, match="BinaryNetwork"):
        plots.weights(object())
