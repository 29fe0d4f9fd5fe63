import math

import numpy as np
import pytest
from helpers import plain_scores, random_network, random_threshold

from bnnkit.kernels.threads import set_threads
from bnnkit.network import BinaryNetwork, Conv2d, Head, Pool2d
from bnnkit.network.sliced import _engine, sliced_scores, worthwhile
from bnnkit.quantiser import Quantiser

STRUCTURES = [(), ("dense",), ("dense", "dense"), ("conv", "pool", "dense"), ("conv", "conv")]
STEPS = [1.0, 0.61, 0.1, 1 / 255]  # 2, 3, 11 and 256 levels


def random_levels(rng, network, n_images):
    shape = (n_images, *network.input_shape)
    return rng.integers(0, network.quantiser.n_levels, shape).astype(np.uint8)


def check(network, levels):
    """Against the words of the same network, and against the definition for some images."""
    scores = sliced_scores(network, levels)
    assert scores.dtype == np.int64
    assert (scores == network._scores_by_words(levels)).all()
    for i in np.linspace(0, len(levels) - 1, 3).astype(int):
        assert (scores[i] == plain_scores(network, levels[i])).all()


@pytest.mark.parametrize("layers", STRUCTURES)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("seed", range(4))
def test_scores_of_random_networks(layers, step, seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (2, 5, 4), layers, step=step)
    check(network, random_levels(rng, network, int(rng.integers(1, 300))))


@pytest.mark.parametrize("n_images", [1, 255, 256, 257, 512, 513, 769, 1100])
def test_every_number_of_images(n_images):
    rng = np.random.default_rng(n_images)
    network = random_network(rng, (1, 4, 9), ("conv", "dense"), step=0.3)
    check(network, random_levels(rng, network, n_images))


def test_three_threads_give_what_one_gives():
    rng = np.random.default_rng(0)
    layer = Conv2d(rng.choice([-1, 1], (400, 1, 20, 20)), np.zeros(400, int), np.ones(400, int))
    head = Head(rng.choice([-1, 1], (3, 400, 1, 1)), 1, [0, 0, 0])
    network = BinaryNetwork(Quantiser(1.0), [layer], head, (1, 20, 20))
    levels = random_levels(rng, network, 6000)
    try:
        set_threads(1)
        expected = sliced_scores(network, levels)
        set_threads(3)
        assert (sliced_scores(network, levels) == expected).all()
    finally:
        set_threads(None)


def test_no_images():
    network = random_network(np.random.default_rng(0))
    assert sliced_scores(network, np.zeros((0, 1, 2, 3), np.uint8)).shape == (0, 3)


@pytest.mark.parametrize("fan_in", [1, 2, 3, 7, 8, 255, 256, 257, 1000])
@pytest.mark.parametrize("density", [0.2, 1.0])
@pytest.mark.parametrize("step", [1.0, 0.1])
def test_every_fan_in(fan_in, density, step):
    rng = np.random.default_rng(fan_in)
    shape = (22, 1, 1, fan_in)
    weights = rng.choice([-1, 1], shape) * (rng.random(shape) < density)
    quantiser = Quantiser(step)
    threshold = random_threshold(rng, weights, quantiser.n_levels - 1, (22,))
    layer = Conv2d(weights, threshold, rng.choice([-1, 1], 22))
    head = Head(rng.choice([-1, 1], (4, 22, 1, 1)), 3, [5, 0, -2, 1])
    network = BinaryNetwork(quantiser, [layer], head, (1, 1, fan_in))
    check(network, random_levels(rng, network, 100))


@pytest.mark.parametrize("sense", [-1, 1])
@pytest.mark.parametrize("density", [0.0, 0.3, 1.0])
def test_thresholds_in_and_out_of_reach(sense, density):
    rng = np.random.default_rng(0)
    threshold = np.array([-(2**30), -200, -41, -40, -39, -1, 0, 1, 39, 40, 41, 200, 2**30])
    shape = (len(threshold), 1, 5, 8)
    weights = rng.choice([-1, 1], shape) * (rng.random(shape) < density)
    layer = Conv2d(weights, threshold, np.full(len(threshold), sense))
    head = Head(np.eye(len(threshold)).reshape(-1, len(threshold), 1, 1), 1, threshold * 0)
    network = BinaryNetwork(Quantiser(1.0), [layer], head, (1, 5, 8))
    check(network, random_levels(rng, network, 200))


def test_a_count_that_fills_its_digits_stays_below_a_threshold_out_of_reach():
    weights = np.array([[1, 1, 1, 0, 0, 0], [-1, -1, 0, 0, 0, -1]]).reshape(2, 1, 1, 6)
    layer = Conv2d(weights, [4, 1], [1, 1])  # counts up to 3, two digits
    head = Head(np.eye(2).reshape(2, 2, 1, 1), 1, [0, 0])
    network = BinaryNetwork(Quantiser(1.0), [layer], head, (1, 1, 6))
    check(network, np.indices((2,) * 6, np.uint8).reshape(6, -1).T.reshape(-1, 1, 1, 6))


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("density", [0.3, 1.0])
@pytest.mark.parametrize("by_position", [False, True])
def test_strides_paddings_and_thresholds_of_positions(stride, padding, density, by_position):
    rng = np.random.default_rng(stride + 10 * padding)

    def conv(inputs, outputs, shape, largest):
        weights = rng.choice([-1, 1], (outputs, inputs, 3, 2))
        weights = weights * (rng.random(weights.shape) < density)
        sense = rng.choice([-1, 1], outputs)
        layer = Conv2d(weights, np.zeros(outputs, int), sense, stride, padding)
        out = layer.output_shape(shape) if by_position else (outputs,)
        threshold = random_threshold(rng, weights, largest, out)
        return Conv2d(weights, threshold, sense, stride, padding)

    first = conv(2, 36, (2, 9, 8), 2)
    middle = first.output_shape((2, 9, 8))
    second = conv(36, 5, middle, 1)
    last = second.output_shape(middle)
    head = Head(rng.choice([-1, 1], (3, *last)), 2, [0, 1, 2])
    network = BinaryNetwork(Quantiser(0.61), [first, second], head, (2, 9, 8))
    check(network, random_levels(rng, network, 60))


@pytest.mark.parametrize("kind", ["or", "and"])
@pytest.mark.parametrize(("size", "stride"), [(1, 1), (2, 2), (3, 1), (3, 2)])
def test_pools(kind, size, stride):
    rng = np.random.default_rng(size)
    conv = Conv2d(rng.choice([-1, 1], (7, 1, 2, 2)), rng.integers(-2, 3, 7), rng.choice([-1, 1], 7))
    pool = Pool2d(kind, size, stride)
    shape = pool.output_shape(conv.output_shape((1, 7, 6)))
    head = Head(rng.choice([-1, 1], (4, *shape)), 1, [0, 0, 1, 1])
    network = BinaryNetwork(Quantiser(0.5), [conv, pool], head, (1, 7, 6))
    check(network, random_levels(rng, network, 60))


def one_layer(density, step):
    rng = np.random.default_rng(0)
    shape = (50, 1, 10, 10)
    weights = rng.choice([-1, 1], shape) * (rng.random(shape) < density)
    layer = Conv2d(weights, np.zeros(50, int), np.ones(50, int))
    head = Head(rng.choice([-1, 1], (2, 50, 1, 1)), 1, [0, 0])
    return BinaryNetwork(Quantiser(step), [layer], head, (1, 10, 10))


@pytest.mark.parametrize(
    ("density", "step", "fewest"),
    [(0.15, 1.0, 256), (1.0, 0.1, 256 * 4 / 3), (0.15, 0.1, 256), (0.9, 0.1, 256 * 4 * 0.9)],
)
def test_sparse_networks_are_sliced_earlier(density, step, fewest):
    network = one_layer(density, step)  # the head has 1/51 of the weights
    assert worthwhile(network, math.ceil(fewest * 1.02))
    assert not worthwhile(network, math.floor(fewest * 0.98))


@pytest.mark.parametrize("word", [np.uint32, np.uint64])
def test_planes_begin_on_cache_lines(word):
    engine = _engine(one_layer(0.2, 0.61))
    assert all(engine._planes(word).ctypes.data % (8 * np.dtype(word).itemsize) == 0 for _ in "123")
