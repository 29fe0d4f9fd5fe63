"""What `load` returns: labelled images in two splits."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Labelled images.

    Attributes
    ----------
    images : ndarray of uint8, shape (N, C, H, W)
        Grey levels or colour channels, 0..255.
    labels : ndarray of int64, shape (N,)
        Index of each image's class.

    Examples
    --------
    >>> from bnnkit import datasets
    >>> train = datasets.load("digits").train
    >>> train, len(train)
    (Split(1442 images of 1x8x8), 1442)
    >>> train.first(2).labels
    array([0, 1])
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self):
        return len(self.images)

    def __repr__(self):
        return f"Split({self.describe()})"

    def describe(self):
        """Say number and size of the images, such as ``100 images of 1x8x8``."""
        return f"{len(self)} images of {'x'.join(map(str, self.images.shape[1:]))}"

    def first(self, limit):
        """Return a copy of the first `limit` images; all of them where `limit` is None."""
        if limit is None:
            return self
        return Split(self.images[:limit].copy(), self.labels[:limit].copy())


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A data set with its training and its test images.

    Attributes
    ----------
    name : str
    classes : tuple of str
        Name of each class; a label is an index into it.
    train, test : Split

    Examples
    --------
    >>> from bnnkit import datasets
    >>> datasets.load("digits").test.labels[:3].tolist()
    [5, 0, 9]
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    test: Split

    def __repr__(self):
        return (
            f"Dataset({self.name!r}, {len(self.classes)} classes, "
            f"train: {self.train.describe()}, test: {self.test.describe()})"
        )
