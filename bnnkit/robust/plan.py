"""The arguments of `train`, checked and put into what the loop works with."""

import re

import numpy as np

from bnnkit._checks import as_array, as_eps, as_images, as_labels, unit_floats
from bnnkit._options import check_count, check_seed
from bnnkit._version import __version__
from bnnkit.nn.checkpoint import fingerprint
from bnnkit.robust.judges import Examination, as_judges
from bnnkit.robust.limits import Limits
from bnnkit.robust.opponents import is_attack
from bnnkit.robust.overlap import check_apart
from bnnkit.robust.pool import Pool
from bnnkit.robust.sources import Live, Originals, Source, Stock


class Plan:
    """What a run is to do; see `train` for the arguments.

    Attributes
    ----------
    makers : list of callables
    source : Source
    examination : Examination
    limits : Limits
    images_per_round : int
    images, labels : ndarray
        The training set of round 0, float32 and int64.
    settings : dict
        Plain values.
    """

    def __init__(
        self, make_model, attack, data, *, eps, rounds, images_per_round, start, judge, n_judge,
        recreate, seconds, target, random_state,
    ):  # fmt: skip
        as_eps(eps)
        check_count("images_per_round", images_per_round)
        check_count("n_judge", n_judge)
        check_seed("random_state", random_state)
        self.limits = Limits(rounds, seconds, {} if target is None else target)
        self.eps, self.images_per_round, self.recreate = eps, images_per_round, recreate
        self.source, self._start = as_source(attack), start
        self._train = _as_split(data.train, "training")
        test = _as_split(data.test, "test")
        _check_shape(test[0], self._train[0], "test")
        self.examination = Examination(
            *test, as_judges(judge, attack), n_judge, eps, self.source.detector
        )
        self._initial = _as_start(start, len(self._train[0]))
        self._check_images()
        self._check_detector()
        self.images, self.labels = self._first_set()
        self.makers = _as_makers(make_model)
        self._check_names()
        self.settings = {
            "source": repr(self.source),
            "judges": {name: repr(each) for name, each in self.examination.judges.items()},
            "eps": float(eps),
            "images_per_round": int(images_per_round),
            "start": _describe(self._initial, start),
            "n_judge": len(test[0][:n_judge]),
            "n_models": len(self.makers),
            "recreate": bool(recreate),
            "random_state": None if random_state is None else int(random_state),
        }

    def stock(self, seed):
        """What a run with this seed draws from."""
        order = np.random.default_rng(seed).permutation(len(self._train[0]))
        if self._start is not None:
            order = order[np.isin(order, self._initial, invert=True)]
        new = self._start is not None
        return Stock(*self._train, self.eps, order, new, seed)

    def make(self):
        """A new model from each maker, checked."""
        models = [maker() for maker in self.makers]
        for model in models:
            if not callable(getattr(model, "fit", None)):
                raise TypeError(
                    f"make_model must return a model with fit, got {type(model).__name__}"
                )
            self._check_classes(model)
            if not self.recreate and getattr(model, "warm_start", True) is False:
                raise ValueError(
                    "recreate=False continues one model, but this one has warm_start=False and "
                    "would start anew in each round; make it with warm_start=True"
                )
        if len(models) > len(set(map(repr, models))) and all(
            getattr(model, "random_state", None) is not None for model in models
        ):
            raise ValueError(
                f"two of the models are the same, such as {models[0]!r}; give each a "
                "random_state of its own"
            )
        return models

    def identity(self, models):
        """All that a run depends on but its seed, as text; functions are known by name alone."""
        arrays = dict(zip(("train images", "train labels"), self._train, strict=True))
        arrays |= {"test images": self.examination.images, "test labels": self.examination.labels}
        known = {name: fingerprint(array) for name, array in arrays.items()}
        known |= {name: _print(value) for name, value in self.settings.items()}
        return known | {"models": _print(models), "bnnkit": __version__}

    def _check_images(self):
        """Enough images for all rounds, in the right shape, and none to train and judge by."""
        images, labels = self._train
        parts = self.source.parts(self.images_per_round)
        learned = [part for part, _ in parts if isinstance(part, Pool)]
        learned += [self._start] if isinstance(self._start, Pool) else []
        judged = {n: each for n, each in self.examination.judges.items() if isinstance(each, Pool)}
        for pool in [*learned, *judged.values()]:
            _check_shape(pool.images, images, "pool")
        for pool in learned:
            _check_pool_labels(pool.labels, labels)
        self._check_supply(parts)
        everything = self._initial is None or self.source.takes_training_images
        taken = np.arange(len(images)) if everything else self._initial
        check_apart(learned, judged, images, taken, self.examination.images)

    def _check_detector(self):
        detector, last = self.source.detector, self._train[1].max()
        if detector is not None and detector <= last:
            raise ValueError(
                f"the label {detector} for adversarial images is that of a class; the training "
                f"labels end at {last}, so take {last + 1}"
            )
        for name, judge in self.examination.judges.items():
            if detector is not None and getattr(judge, "against", None) == "all":
                raise ValueError(
                    f"the judge {name!r} attacks all models at once, and which of them has to "
                    'detect an image is not defined; take against="each" or "vote"'
                )

    def _check_supply(self, parts):
        rounds, stock = self.limits.rounds, self.stock(0)
        if not stock.new and any(isinstance(part, Originals) for part, _ in parts):
            raise ValueError(
                "Originals adds training images that the training set does not have, and it has "
                "all; pass a start such as start=1000"
            )
        wanted = sum(count for part, count in parts if part.takes_training_images)
        if wanted:
            _check_size(rounds, wanted, stock.left)
        for part, count in parts:
            if isinstance(part, Pool):
                _check_size(rounds, count, len(part))

    def _first_set(self):
        if isinstance(self._start, Pool):
            return self._start.images, self._start.labels
        images, labels = self._train
        part = slice(None) if self._initial is None else self._initial
        return unit_floats(images[part]), labels[part]

    def _check_names(self):
        known = self.examination.names(len(self.makers))
        for name in self.limits.target:
            if name not in known:
                raise ValueError(f"target names {name!r}, but what is judged is {known}")

    def _check_classes(self, model):
        """A model must know all classes that are to come, or be told their number."""
        last = max(int(self._train[1].max()), self.examination.last_class)
        detector = self.source.detector
        needed = 1 + (last if detector is None else detector)
        declared = getattr(model, "n_classes", None)
        if declared is not None and declared < needed:
            raise ValueError(
                f"there are {needed} classes, but the model is made with n_classes={declared}"
            )
        grows = self.labels.max() < last or (detector is not None and not self.recreate)
        if declared is None and grows:
            raise ValueError(
                f"round 0 has labels up to {self.labels.max()} only, of {needed} classes in all; "
                f"make models with n_classes={needed}, or take a start that has them"
            )


def as_source(attack):
    """A Source from the argument `attack` of `train`."""
    if isinstance(attack, Source):
        return attack
    if is_attack(attack):
        return Live(attack)
    if isinstance(attack, tuple) and len(attack) == 2:
        return Pool(*attack)
    raise TypeError(
        "attack must be an Attack, a premade pool (images, labels) or a Source, "
        f"got {type(attack).__name__}"
    )


def _as_split(split, name):
    """Images in the shape in which they came, uint8 or float64, and their labels."""
    try:
        images = as_images(split.images).reshape(np.shape(split.images))
        return images, as_labels(split.labels, len(images))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} data: {error}") from None


def _as_start(start, n_images):
    """Indices of the training images in the first training set; None for all of them."""
    if start is None:
        return None
    if isinstance(start, Pool):
        return np.zeros(0, dtype=int)
    index = as_array("start", start)
    if index.ndim == 0:
        check_count("start", start, most=n_images)
        return np.arange(start)
    if index.ndim != 1 or not len(index) or not np.issubdtype(index.dtype, np.integer):
        raise TypeError(
            "start must be a number of training images, an array of their indices, or a Pool, "
            f"got {start!r}"
        )
    if index.min() < 0 or index.max() >= n_images or len(np.unique(index)) < len(index):
        raise ValueError(
            f"start must hold different indices from 0 to {n_images - 1}, got values from "
            f"{index.min()} to {index.max()}, {len(np.unique(index))} of {len(index)} different"
        )
    return index.astype(np.int64)


def _describe(initial, start):
    if isinstance(start, Pool):
        return repr(start)
    return None if initial is None else f"{len(initial)} images {fingerprint(initial).split()[-1]}"


def _as_makers(make_model):
    makers = list(make_model) if isinstance(make_model, (list, tuple)) else [make_model]
    if not makers:
        raise ValueError("make_model is an empty list; give a function for each model")
    for maker in makers:
        if not callable(maker):
            name = type(maker).__name__
            raise TypeError(
                "make_model must be a list of functions, or a function that returns a new model, "
                f"got {name}; pass lambda: {name}(...)"
            )
    return makers


def _check_shape(images, train_images, name):
    if images.shape[1:] != train_images.shape[1:]:
        raise ValueError(
            f"the {name} images have shape {images.shape[1:]}, "
            f"the training images {train_images.shape[1:]}"
        )


def _check_pool_labels(labels, train_labels):
    # A model takes its number of classes from the largest label that it is fitted on.
    if labels.max() > train_labels.max():
        raise ValueError(
            f"the pool has the label {labels.max()}, the training labels end at "
            f"{train_labels.max()}; give pool images the true labels of training images"
        )


def _check_size(rounds, images_per_round, left):
    needed = rounds * images_per_round
    if needed > left:
        raise ValueError(
            f"{rounds} rounds use {needed} images ({images_per_round} for each), "
            f"but {left} are left; take fewer rounds, fewer images_per_round or a new pool"
        )


def _print(value):
    """As printed, but for what may differ between two calls for the same run.

    Addresses of functions do from process to process, and numbers of processes change nothing.
    """
    return re.sub(r" at 0x[0-9a-fA-F]+|n_jobs=-?\d+", "", repr(value))
