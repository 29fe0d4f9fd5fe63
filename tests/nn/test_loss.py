import numpy as np

from bnnkit.nn.loss import cross_entropy


def test_gradient_is_the_slope_of_the_loss(rng):
    logits, labels, h = rng.normal(size=(5, 4)), np.array([0, 3, 1, 1, 2]), 1e-6

    def loss(logits):
        return cross_entropy(logits, labels)[0]

    _, gradient = cross_entropy(logits, labels)
    for c in range(4):
        step = h * np.eye(4)[c]
        slope = loss(logits + step) - loss(logits - step)
        np.testing.assert_allclose(gradient[:, c], slope / (2 * h), atol=1e-8)


def test_large_logits_do_not_overflow():
    logits, labels = np.array([[1e4, -1e4], [1e4, -1e4]]), np.array([0, 1])
    loss, gradient = cross_entropy(logits, labels)
    np.testing.assert_allclose(loss, [0, 2e4])
    np.testing.assert_allclose(gradient, [[0, 0], [1, -1]])
