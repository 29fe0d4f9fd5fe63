from types import SimpleNamespace

import numpy as np
import pytest


class NearestMean:
    """Gives an image the class of the nearest class mean: the smallest model that can fit."""

    def __init__(self):
        self.fits = []

    def fit(self, images, labels):
        assert images.dtype == np.float32
        self.fits.append((images, labels))
        rows = images.reshape(len(images), -1)
        self.means = np.stack([rows[labels == c].mean(axis=0) for c in range(labels.max() + 1)])
        return self

    def predict(self, images):
        assert images.dtype == np.float32
        rows = images.reshape(len(images), -1)
        return ((rows[:, None] - self.means) ** 2).sum(axis=2).argmin(axis=1)


@pytest.fixture
def nearest_mean():
    return NearestMean


@pytest.fixture
def stripes():
    """Two noisy classes of 4x4 images, 200 to train and 60 to test."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 260)
    images = rng.integers(0, 150, (260, 1, 4, 4))
    images[labels == 1, :, :2] += 50
    images[labels == 0, :, 2:] += 50
    images = images.astype(np.uint8)
    return SimpleNamespace(
        train=SimpleNamespace(images=images[:200], labels=labels[:200]),
        test=SimpleNamespace(images=images[200:], labels=labels[200:]),
    )
