import numpy as np
import pytest

from bnnkit.nn.loss import cross_entropy, generalised_cross_entropy


@pytest.mark.parametrize("q", [0, 0.3, 0.5, 1])
def test_gradient_is_the_slope_of_the_loss(q, rng):
    logits, labels, h = rng.normal(size=(5, 4)), np.array([0, 3, 1, 1, 2]), 1e-6

    def loss(logits):
        return generalised_cross_entropy(logits, labels, q)[0]

    _, gradient = generalised_cross_entropy(logits, labels, q)
    for c in range(4):
        step = h * np.eye(4)[c]
        slope = loss(logits + step) - loss(logits - step)
        np.testing.assert_allclose(gradient[:, c], slope / (2 * h), atol=1e-8)


@pytest.mark.parametrize("q", [0.5, 1])
def test_the_generalised_loss_by_its_formula(q, rng):
    logits, labels = rng.normal(size=(6, 3)), np.array([0, 1, 2, 0, 1, 2])
    p = np.exp(logits)[np.arange(6), labels] / np.exp(logits).sum(axis=1)
    loss, _ = generalised_cross_entropy(logits, labels, q)
    np.testing.assert_allclose(loss, (1 - p**q) / q)
    near, _ = generalised_cross_entropy(logits, labels, 1e-9)
    np.testing.assert_allclose(near, cross_entropy(logits, labels)[0], rtol=1e-6)


def test_large_logits_do_not_overflow():
    logits, labels = np.array([[1e4, -1e4], [1e4, -1e4]]), np.array([0, 1])
    loss, gradient = cross_entropy(logits, labels)
    np.testing.assert_allclose(loss, [0, 2e4])
    np.testing.assert_allclose(gradient, [[0, 0], [1, -1]])
    loss, gradient = generalised_cross_entropy(logits, labels, 0.5)
    np.testing.assert_allclose(loss, [0, 2])
    np.testing.assert_allclose(gradient, 0)
