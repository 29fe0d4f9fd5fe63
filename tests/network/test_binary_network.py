import pickle

import numpy as np
import pytest
from helpers import plain_scores, random_network

from bnnkit.network import BinaryNetwork, Conv2d, Head, Pool2d
from bnnkit.network.sliced import sliced_scores
from bnnkit.quantiser import Quantiser

STRUCTURES = [(), ("dense",), ("dense", "dense"), ("conv", "pool", "dense"), ("conv", "conv")]


@pytest.mark.parametrize("layers", STRUCTURES)
@pytest.mark.parametrize("seed", range(8))
def test_scores_equal_the_contracts_definition(layers, seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (2, 5, 4), layers, step=rng.choice([0.1, 0.61]))
    images = rng.integers(0, 256, (3, 2, 5, 4)).astype(np.uint8)
    expected = [plain_scores(network, network.quantiser.levels(image)) for image in images]
    assert (network.scores(images) == expected).all()
    assert (network.predict(images) == np.argmax(expected, axis=1)).all()


def test_many_images_equal_one_at_a_time():
    network = random_network(np.random.default_rng(3), (1, 3, 3), ("dense",))
    images = np.random.default_rng(0).random((1100, 1, 3, 3))
    one_by_one = np.concatenate([network.scores(image[None]) for image in images])
    assert (network.scores(images) == one_by_one).all()


def test_ties_go_to_the_lowest_class():
    head = Head(np.zeros((3, 1, 1, 2)), 1, [4, 7, 7])
    network = BinaryNetwork(Quantiser(1.0), [], head, (1, 1, 2))
    assert network.predict(np.zeros((1, 2), np.uint8)).tolist() == [1]


def test_shapes_of_images_that_mean_the_same():
    network = random_network(np.random.default_rng(1), (1, 4, 3), ("conv", "dense"))
    images = np.random.default_rng(0).integers(0, 256, (5, 1, 4, 3)).astype(np.uint8)
    expected = network.scores(images)
    assert (network.scores(images[:, 0]) == expected).all()
    assert (network.scores(images.reshape(5, 12)) == expected).all()


def test_summary_names_every_layer():
    network = random_network(np.random.default_rng(0), (1, 6, 6), ("conv", "pool", "dense"))
    text = network.summary()
    for part in ("input 1x6x6", "conv ", "-pool 2/", "dense", "head", "total", "zeros", "KiB"):
        assert part in text
    assert f"{network.layers[0].n_weights:,}" in text


def test_equal_content_is_equal():
    first, again, other = (random_network(np.random.default_rng(s)) for s in (0, 0, 1))
    assert first == again
    assert hash(first) == hash(again)
    assert first != other
    assert pickle.loads(pickle.dumps(first)) == first


def test_a_pool_comes_first_where_there_are_bits():
    rng = np.random.default_rng(0)
    layers = [Pool2d("or", 2), *random_network(rng, (9, 2, 2), ("dense",)).layers]
    head = Head(rng.integers(-1, 2, (3, *layers[-1].output_shape((9, 2, 2)))), 1, [0, 1, 0])
    network = BinaryNetwork(Quantiser(1), layers, head, (9, 4, 5))
    bits = (rng.random((300, 9, 4, 5)) < 0.3).astype(np.uint8)
    expected = [plain_scores(network, image) for image in bits]
    assert (network.scores_of_levels(bits) == expected).all()
    assert (network.scores_of_levels(bits[:5]) == expected[:5]).all()
    assert (sliced_scores(network, bits) == expected).all()
    with pytest.raises(ValueError, match="not 3 levels"):
        BinaryNetwork(Quantiser(0.5), layers, head, (9, 4, 5))


@pytest.mark.parametrize(
    ("layers", "head_shape", "says"),
    [
        ([Conv2d(np.ones((3, 1, 1, 2)), [0] * 3, [1] * 3)], (2, 2, 1, 1), "do not match"),
        ([], (2, 1, 2, 1), "do not match"),
    ],
)
def test_layers_that_do_not_fit(layers, head_shape, says):
    with pytest.raises(ValueError, match=says):
        BinaryNetwork(Quantiser(1.0), layers, Head(np.ones(head_shape), 1, [0, 0]), (1, 1, 2))


def test_many_images_get_the_scores_that_few_get():
    rng = np.random.default_rng(0)
    network = random_network(rng, (1, 6, 6), ("conv", "dense"), step=0.3)
    images = rng.integers(0, 256, (700, 1, 6, 6), dtype=np.uint8)
    few = np.concatenate([network.scores(images[i : i + 100]) for i in range(0, 700, 100)])
    assert np.array_equal(network.scores(images), few)


@pytest.mark.parametrize(
    ("levels", "says"),
    [
        (np.full((300, 1, 2, 2), 3, np.uint8), "levels must be from 0 to 2, got 3 to 3"),
        (np.full((3, 1, 2, 2), -1), "levels must be from 0 to 2, got -1 to -1"),
        (np.zeros((300, 1, 2, 3), np.uint8), r"levels must have shape \(N, 1, 2, 2\)"),
        (np.zeros((300, 2, 2), np.uint8), r"levels must have shape \(N, 1, 2, 2\)"),
    ],
)
def test_levels_that_make_no_sense(levels, says):
    network = random_network(np.random.default_rng(0), (1, 2, 2), ("dense",), step=0.5)
    with pytest.raises(ValueError, match=says):
        network.scores_of_levels(levels)


def test_no_images_have_no_scores():
    network = random_network(np.random.default_rng(0), (1, 2, 2), ("dense",), step=0.5)
    assert network.scores_of_levels(np.zeros((0, 1, 2, 2), np.uint8)).shape == (0, 3)


def test_scores_that_levels_would_make_too_large():
    head = Head(np.ones((2, 1, 1, 8)), 2**54, [0, 0])
    BinaryNetwork(Quantiser(1.0), [], head, (1, 1, 8))
    with pytest.raises(ValueError, match="beyond the limit"):
        BinaryNetwork(Quantiser(1 / 255), [], head, (1, 1, 8))
