import numpy as np
import pytest
from helpers import plain_conv, plain_scores, random_network

from bnnkit.attacks.surrogate import Surrogate
from bnnkit.network import Pool2d

NETWORKS = [
    ((1, 1, 4), (), 0.3),
    ((1, 2, 3), ("dense",), 0.1),
    ((2, 3, 3), ("dense", "dense"), 0.61),
    ((2, 5, 6), ("conv", "dense"), 0.1),
    ((1, 7, 6), ("conv", "pool", "conv", "dense"), 0.25),
    ((3, 6, 6), ("conv", "conv", "pool"), 0.5),
]


def jacobian(layer, shape, stride, padding):
    """The convolution as a matrix (outputs, inputs): its values on the unit vectors."""
    units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    return np.stack(
        [plain_conv(u, layer.weights, stride, padding).ravel() for u in units], axis=1
    ).astype(np.float64)


def plain_gradient(network, image, label):
    """Loss and straight-through gradient of one image, in float64, with explicit matrices."""
    quantiser = network.quantiser
    x = quantiser.levels(image).astype(np.float64)
    half_range, total = (quantiser.n_levels - 1) / 2, np.eye(x.size)
    for layer, shape in zip(network.layers, network.shapes[1:], strict=True):
        if isinstance(layer, Pool2d):
            x, step = plain_pool_step(x, layer, shape)
        else:
            matrix = jacobian(layer, x.shape, layer.stride, layer.padding)
            z = (matrix @ x.ravel()).reshape(shape)
            used = np.abs(layer.weights).sum(axis=(1, 2, 3))
            deviation = (half_range * np.sqrt(np.maximum(used, 1))).reshape(-1, 1, 1)
            sense = layer.sense.reshape(-1, 1, 1).astype(np.float64)
            threshold = layer.threshold.reshape(len(sense), *layer.threshold.shape[1:] or (1, 1))
            y = (sense * (z - threshold) + 0.5) / deviation
            slope = (1 - np.tanh(y) ** 2) * sense / deviation
            x, step = (y > 0).astype(np.float64), slope.reshape(-1, 1) * matrix
            half_range = 0.5
        total = step @ total
    scores = plain_scores(network, quantiser.levels(image)).astype(np.float64)
    head = network.head
    unit = half_range * np.sqrt(max(1, np.abs(head.weights).sum(axis=(1, 2, 3)).max()))
    logits = scores / abs(head.scale) / unit
    softmax = np.exp(logits) / np.exp(logits).sum()
    g = softmax - np.eye(len(logits))[label]
    g = g * np.sign(head.scale) / unit @ head.weights.reshape(len(logits), -1) @ total
    return -np.log(softmax[label]), (g / float(quantiser.step)).reshape(image.shape)


def plain_pool_step(x, layer, shape):
    pooled, step = np.zeros(shape), np.zeros((int(np.prod(shape)), x.size))
    for row, (c, i, j) in enumerate(np.ndindex(*shape)):
        places = [
            (c, i * layer.stride + a, j * layer.stride + b)
            for a, b in np.ndindex(layer.size, layer.size)
        ]
        values = [x[place] for place in places]
        pooled[c, i, j] = max(values) if layer.kind == "or" else min(values)
        same = [place for place in places if x[place] == pooled[c, i, j]]
        for place in same:
            step[row, np.ravel_multi_index(place, x.shape)] = 1 / len(same)
    return pooled, step


@pytest.mark.parametrize(("shape", "layers", "step"), NETWORKS)
@pytest.mark.parametrize("seed", range(4))
def test_loss_and_gradient_equal_the_plain_twin(shape, layers, step, seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, shape, layers, step)
    images = rng.random((5, *shape))
    labels = rng.integers(0, network.n_classes, 5)
    gradient, loss = Surrogate(network).loss_gradient(images, labels)
    assert gradient.dtype == np.float32
    for i in range(5):
        plain_loss, plain = plain_gradient(network, images[i], labels[i])
        assert loss[i] == pytest.approx(plain_loss, rel=1e-4, abs=1e-5)
        np.testing.assert_allclose(gradient[i], plain, rtol=1e-3, atol=1e-5 * np.abs(plain).max())


def test_gradients_are_there_to_be_compared():
    rng = np.random.default_rng(0)
    network = random_network(rng, (1, 7, 6), ("conv", "pool", "conv", "dense"), 0.25)
    gradient, _ = Surrogate(network).loss_gradient(rng.random((20, 1, 7, 6)), np.zeros(20, int))
    assert (np.abs(gradient) > 1e-3).mean() > 0.1


def test_chunks_do_not_matter_and_shapes_return(trained):
    model, images, labels = trained
    surrogate = Surrogate(model.network_)
    gradient, loss = surrogate.loss_gradient(images, labels)
    assert len(images) > 64  # so there is more than one chunk
    rows = images.reshape(len(images), -1)[70:73]
    part, part_loss = surrogate.loss_gradient(rows, labels[70:73])
    assert part.shape == rows.shape
    np.testing.assert_allclose(part, gradient[70:73].reshape(3, -1), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(part_loss, loss[70:73], rtol=1e-5)


def test_it_points_where_the_latent_network_points(trained):
    model, images, labels = trained
    ours, _ = Surrogate(model.network_).loss_gradient(images, labels)
    theirs, _ = model.loss_gradient(images, labels)
    ours, theirs = ours.reshape(100, -1), theirs.reshape(100, -1)
    cosine = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert cosine.mean() > 0.9


def test_labels_beyond_the_classes():
    network = random_network(np.random.default_rng(0))
    with pytest.raises(ValueError, match="labels must be integers from 0 to 2"):
        Surrogate(network).loss_gradient(np.zeros((1, 1, 2, 3)), [3])
