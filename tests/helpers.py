"""Random networks and plain twins that several tests share."""

import itertools
from fractions import Fraction

import numpy as np

from bnnkit.kernels import output_size
from bnnkit.network import BinaryNetwork, Conv2d, Head, Pool2d, RealConv2d, RealNetwork
from bnnkit.quantiser import Quantiser


def random_weights(rng, *shape):
    """Ternary weights with about a third of zeros, and now and then an empty row."""
    weights = rng.integers(-1, 2, shape).astype(np.int8)
    if rng.random() < 0.2:
        weights[0] = 0
    return weights


def random_threshold(rng, weights, largest_input, shape):
    """Thresholds around the sums that occur, so that bits differ from image to image."""
    reach = np.abs(weights).reshape(len(weights), -1).sum(axis=1).max() * largest_input
    centre = (weights.reshape(len(weights), -1).sum(axis=1) * largest_input) // 2
    spread = max(1, reach // 4)
    centre = centre.reshape((-1,) + (1,) * (len(shape) - 1))
    return centre + rng.integers(-spread, spread + 1, shape)


def random_network(rng, input_shape=(1, 2, 3), layers=("dense", "dense"), step=0.3, classes=3):
    """A small network of the given kinds of layers: "dense", "conv", "pool"."""
    quantiser = Quantiser(step)
    shape, largest, built = tuple(input_shape), quantiser.n_levels - 1, []
    for kind in layers:
        if kind == "pool":
            built.append(
                Pool2d(rng.choice(["or", "and"]), min(2, *shape[1:]), int(rng.integers(1, 3)))
            )
        else:
            built.append(_random_conv(rng, kind, shape, largest))
            largest = 1
        shape = built[-1].output_shape(shape)
    weights = random_weights(rng, classes, *shape)
    scale = int(rng.choice([-3, -1, 1, 2, 1024]))
    bias = rng.integers(-3, 4, classes) * abs(scale) + rng.integers(-1, 2, classes)
    return BinaryNetwork(quantiser, built, Head(weights, scale, bias), input_shape)


def _random_conv(rng, kind, shape, largest):
    channels = int(rng.integers(1, 6))
    kernel, stride, padding = shape[1:], 1, 0
    if kind == "conv":
        kernel = tuple(int(rng.integers(1, min(side, 3) + 1)) for side in shape[1:])
        stride, padding = int(rng.integers(1, 3)), int(rng.integers(0, 2))
    weights = random_weights(rng, channels, shape[0], *kernel)
    out = (channels,)
    if rng.random() < 0.3:  # a threshold for each position
        rows, columns = (
            output_size(side, k, stride, padding) for side, k in zip(shape[1:], kernel, strict=True)
        )
        out = (channels, rows, columns)
    threshold = random_threshold(rng, weights, largest, out)
    return Conv2d(weights, threshold, rng.choice([-1, 1], channels), stride, padding)


def random_front(rng, input_shape, padding=0, by_position=False):
    """A first layer over real pixels, with rational thresholds that small integers tie with."""
    weights = random_weights(rng, 5, input_shape[0], 2, 3)
    shape = RealConv2d(weights, [0] * 5, [1] * 5, padding=padding).output_shape(input_shape)
    numerators = rng.integers(-12, 13, shape if by_position else (5,))
    threshold = numerators.astype(object) * Fraction(1, int(rng.choice([1, 2, 3, 4])))
    strict = rng.random(5) < 0.5
    return RealConv2d(weights, threshold, rng.choice([-1, 1], 5), strict, 1, padding)


def random_real_network(rng, padding=1, by_position=False, input_range=(0, 3), pool=True):
    """A small network over real pixels (2, 4, 5): a first layer, a pool or not, a dense layer."""
    front = random_front(rng, (2, 4, 5), padding, by_position)
    shape = front.output_shape((2, 4, 5))
    tail = random_network(rng, shape, ("conv", "dense"), step=1.0)
    if pool:
        kind = Pool2d(rng.choice(["or", "and"]), 2)
        after = random_network(rng, kind.output_shape(shape), ("dense",), step=1.0)
        tail = BinaryNetwork(Quantiser(1), [kind, *after.layers], after.head, shape)
    return RealNetwork(front, tail, (2, 4, 5), *input_range)


def plain_conv(x, weights, stride, padding):
    """Sums of a convolution by its definition; x (C, H, W), result (O, OH, OW)."""
    o, _, kh, kw = weights.shape
    x = np.pad(x.astype(np.int64), ((0, 0), (padding, padding), (padding, padding)))
    rows = (x.shape[1] - kh) // stride + 1
    columns = (x.shape[2] - kw) // stride + 1
    z = np.zeros((o, rows, columns), dtype=np.int64)
    for i, j in itertools.product(range(rows), range(columns)):
        window = x[:, i * stride : i * stride + kh, j * stride : j * stride + kw]
        z[:, i, j] = (weights.astype(np.int64) * window).sum(axis=(1, 2, 3))
    return z


def plain_pool(x, kind, size, stride):
    """Pooled bits by definition; x (C, H, W)."""
    rows, columns = ((side - size) // stride + 1 for side in x.shape[1:])
    reduce = np.max if kind == "or" else np.min
    pooled = np.zeros((len(x), rows, columns), dtype=np.int64)
    for i, j in itertools.product(range(rows), range(columns)):
        window = x[:, i * stride : i * stride + size, j * stride : j * stride + size]
        pooled[:, i, j] = reduce(window, axis=(1, 2))
    return pooled


def plain_scores(network, levels):
    """Scores of one quantised image (C, H, W) by the contract's definitions, bit by bit."""
    x = levels.astype(np.int64)
    for layer in network.layers:
        if isinstance(layer, Pool2d):
            x = plain_pool(x, layer.kind, layer.size, layer.stride)
            continue
        z = plain_conv(x, layer.weights, layer.stride, layer.padding)
        threshold, sense = layer.threshold.astype(np.int64), layer.sense.reshape(-1, 1, 1)
        threshold = threshold if threshold.ndim == 3 else threshold.reshape(-1, 1, 1)
        x = np.where(sense > 0, z >= threshold, z <= threshold).astype(np.int64)
    z = plain_conv(x, network.head.weights, 1, 0)[:, 0, 0]
    return network.head.scale * z + network.head.bias


def plain_class(network, levels):
    """The lowest class with the highest score."""
    scores = plain_scores(network, levels).tolist()
    return scores.index(max(scores))


def flat(x):
    """(C, H, W) as a vector in (row, column, channel) order."""
    return x.transpose(1, 2, 0).ravel()


def plain_values(c, levels):
    """Values and sums of all nodes of a circuit by definition, from the edges to the sources."""
    values, sums = list(levels), [0] * c.n_inputs
    for k in range(c.n_inputs, c.n_nodes):
        edges = c.in_edge[c.in_start[k] : c.in_start[k + 1]].tolist()
        sums.append(sum((1 - 2 * (edge & 1)) * values[edge >> 1] for edge in edges))
        values.append(int(sums[-1] >= c.bound[k]))
    return np.array(values), np.array(sums)


def random_box(rng, network):
    """Lowest and highest levels of a small random box."""
    top = network.quantiser.n_levels - 1
    low = rng.integers(0, top + 1, network.input_shape)
    return low, np.minimum(low + rng.integers(0, 3, low.shape) * (rng.random(low.shape) < 0.6), top)


def images_of(low, high):
    """All levels of a box."""
    ranges = [range(a, b + 1) for a, b in zip(low.ravel(), high.ravel(), strict=True)]
    return (np.array(levels).reshape(low.shape) for levels in itertools.product(*ranges))


def hard_question():
    """A question that takes a solver far longer than the timeout of the test."""
    rng = np.random.default_rng(0)
    layers = [
        Conv2d(rng.choice([-1, 1], (60, *size)), rng.integers(-3, 4, 60), rng.choice([-1, 1], 60))
        for size in [(1, 9, 9), (60, 1, 1), (60, 1, 1)]
    ]
    head = Head(rng.choice([-1, 1], (2, 60, 1, 1)), 1, [24, 0])
    network = BinaryNetwork(Quantiser(0.1), layers, head, (1, 9, 9))
    image = rng.integers(0, 256, (1, 9, 9)).astype(np.uint8)
    return network, image, int(network.predict(image[None])[0])
