import numpy as np
import pytest


class LinearModel:
    """Two classes, split by a hyperplane: its robustness is known in closed form."""

    def __init__(self, weights, bias):
        self.weights, self.bias = np.asarray(weights, dtype=np.float64), float(bias)

    def margin(self, images):
        return self._rows(images) @ self.weights + self.bias

    def predict(self, images):
        return (self.margin(images) > 0).astype(np.int64)

    def loss_gradient(self, images, labels):
        sign = 1 - 2 * np.asarray(labels)  # the loss grows with the margin of class 1 for label 0
        loss = np.logaddexp(0, sign * self.margin(images))
        slope = sign * (1 - np.exp(-loss))
        gradient = slope[:, None] * self.weights
        return gradient.reshape(np.shape(images)).astype(np.float32), loss

    def vulnerable(self, images, labels, eps):
        """Whether the worst point of the ball, a corner, has the other class."""
        x = self._rows(images)
        away = np.where(labels[:, None] == 1, -1, 1) * np.sign(self.weights)
        return self.predict(np.clip(x + eps * away, 0, 1)) != labels

    def _rows(self, images):
        images = np.asarray(images)
        assert images.dtype == np.float32 or images.dtype == np.float64
        return images.reshape(len(images), -1).astype(np.float64)


@pytest.fixture
def linear_case():
    """A model, 60 images (N, 3, 2, 2) around its hyperplane, and their classes as labels."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=12)
    model = LinearModel(weights, -0.5 * weights.sum())
    images = rng.random((60, 3, 2, 2)).astype(np.float32)
    return model, images, model.predict(images)


@pytest.fixture(scope="session")
def level_sum():
    """A function (step, threshold) -> network: class 1 from a sum of four pixels' levels on."""
    from bnnkit.network import BinaryNetwork, Conv2d, Head
    from bnnkit.quantiser import Quantiser

    def make(step, threshold):
        bright = Conv2d(np.ones((1, 1, 2, 2)), threshold=[threshold], sense=[1])
        head = Head(np.array([-1, 1]).reshape(2, 1, 1, 1), scale=1, bias=[0, -1])
        return BinaryNetwork(Quantiser(step), [bright], head, (1, 2, 2))

    return make


@pytest.fixture(scope="session")
def trained():
    """A BNN trained on the digits, and 100 test images with labels."""
    from bnnkit import BNNClassifier, datasets

    digits = datasets.load("digits")
    classifier = BNNClassifier("mlp-small", epochs=10, random_state=0)
    classifier.fit(digits.train.images, digits.train.labels)
    return classifier, digits.test.images[:100], digits.test.labels[:100]
