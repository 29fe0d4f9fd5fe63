"""Premade images: to train with slice by slice, or to judge by."""

import numpy as np

from bnnkit._checks import as_array, as_images, as_labels, unit_floats
from bnnkit._files import read_npz, write_npz
from bnnkit.nn.checkpoint import fingerprint
from bnnkit.robust.sources import Drawn, Source


class Pool(Source):
    """A premade pool of images.

    As a source it gives each round the next slice of it. As a judge it counts how often models
    get it right: the transfer accuracy, if other models' adversarial images are in it.

    Parameters
    ----------
    images, labels : array_like
        As for `bnnkit.attacks.Attack`; the labels are the true ones.
    origin : array_like of int, shape (N,), optional
        The index of the image that each was made from. With it, `train` can tell that images
        for training and for judging were made from the same one.
    split : "train" or "test"
        In which split that image is.

    Attributes
    ----------
    images : ndarray of float32
    labels : ndarray of int64
    origin : ndarray of int64 or None

    Examples
    --------
    >>> from bnnkit.robust import Pool
    >>> pool = Pool(np.zeros((3, 1, 2, 2)), [0, 1, 0], origin=[4, 9, 5])
    >>> len(pool), pool.split
    (3, 'train')
    """

    def __init__(self, images, labels, origin=None, split="train"):
        self.images = unit_floats(as_images(images)).reshape(np.shape(images))
        self.labels = as_labels(labels, len(self.images))
        self.origin = None if origin is None else _as_origin(origin, len(self.images))
        if split not in ("train", "test"):
            raise ValueError(f"split must be train or test, got {split!r}")
        self.split = split

    @classmethod
    def load(cls, path):
        """The pool in a .npz file: images and labels, perhaps origin and split.

        Raises
        ------
        ValueError
            It is damaged, or holds no pool.
        """
        arrays = read_npz(path)
        try:
            images, labels = arrays["images"], arrays["labels"]
            split = str(arrays.get("split", np.array("train")).item())
            return cls(images, labels, arrays.get("origin"), split)
        except KeyError as missing:
            raise ValueError(f"{path} is no pool: it has no {missing}") from None
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} is no pool: {error}") from None

    def save(self, path):
        """Write the pool to a .npz file, atomically."""
        arrays = {"images": self.images, "labels": self.labels, "split": np.array(self.split)}
        if self.origin is not None:
            arrays["origin"] = self.origin
        write_npz(path, arrays)

    def draw(self, models, count, stock):
        """The slice of this round."""
        part = slice((stock.round - 1) * count, stock.round * count)
        labels = self.labels[part]
        known = self.origin is not None and self.split == "train"
        return Drawn(
            self.images[part], labels, len(labels), 0, self.origin[part] if known else None
        )

    def __len__(self):
        return len(self.images)

    def __repr__(self):
        origin = None if self.origin is None else fingerprint(self.origin)
        return (
            f"Pool(images={fingerprint(self.images)}, labels={fingerprint(self.labels)}, "
            f"origin={origin}, split={self.split!r})"
        )


def _as_origin(origin, n_images):
    array = as_array("origin", origin)
    if array.shape != (n_images,) or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            f"origin must be one integer an image: {n_images} images, "
            f"got {array.dtype} of shape {array.shape}"
        )
    if array.min() < -1:
        raise ValueError(f"origin must be indices, or -1 where unknown, got {array.min()}")
    return array.astype(np.int64)
