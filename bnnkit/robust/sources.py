"""Where the images come from that a round adds: a live attack, or a premade pool."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from bnnkit._checks import as_images, as_labels, unit_floats


@dataclass(frozen=True, eq=False)
class Drawn:
    """Images that a source gives to one round.

    Attributes
    ----------
    images : ndarray of float32, shape (n, ...)
    labels : ndarray of int64, shape (n,)
        True labels.
    n_attacked, n_undecided : int
        Images that it tried, and how many of these got no answer in time.
    """

    images: np.ndarray
    labels: np.ndarray
    n_attacked: int
    n_undecided: int


class Source(ABC):
    """What `train` draws from. Consecutive draws never use an image twice.

    Attributes
    ----------
    size : int
        Images that can still be drawn.
    """

    size: int

    @abstractmethod
    def draw(self, model, count):
        """Use up the next `count` images against `model`; return a `Drawn`."""


class Live(Source):
    """Attack training images with the model as it is now; give those that fool it.

    Parameters
    ----------
    attack : Attack
    images, labels : ndarray
        Training images and labels.
    eps : float
    order : ndarray of int
        In which they are used, each at most once.
    """

    def __init__(self, attack, images, labels, eps, order):
        self.attack, self.eps = attack, eps
        self.images, self.labels = images, labels
        self._rest = order

    @property
    def size(self):
        """Images that were not attacked yet."""
        return len(self._rest)

    def draw(self, model, count):
        """Attack the next `count` images; fewer may come back."""
        index, self._rest = np.split(self._rest, [count])
        labels = self.labels[index]
        result = self.attack(model, self.images[index], labels, self.eps)
        found = result.success
        n_undecided = int(result.undecided.sum())
        return Drawn(result.adversarial[found], labels[found], len(index), n_undecided)


class Pool(Source):
    """Hand out the images of a premade pool, in their order, each once.

    A second run of `train` with the same Pool goes on where the first one ended.

    Parameters
    ----------
    images, labels : array_like
        As for `bnnkit.attacks.Attack`; the labels are the true ones.
    """

    def __init__(self, images, labels):
        self.images = unit_floats(as_images(images)).reshape(np.shape(images))
        self.labels = as_labels(labels, len(self.images))
        self._next = 0

    @property
    def size(self):
        """Images that were not handed out yet."""
        return len(self.images) - self._next

    def draw(self, model, count):
        """The next `count` images of the pool."""
        part = slice(self._next, self._next + count)
        self._next += count
        labels = self.labels[part]
        return Drawn(self.images[part], labels, len(labels), 0)
