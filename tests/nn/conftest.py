import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def blobs():
    """Images (N, 1, 28, 28) with a bright square whose place is the class, and labels 0..3."""
    rng = np.random.default_rng(3)
    labels = np.arange(160) % 4
    images = rng.integers(0, 90, (len(labels), 1, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = 4 + 12 * (label // 2), 4 + 12 * (label % 2)
        image[0, row : row + 8, column : column + 8] += 150
    return images, labels
