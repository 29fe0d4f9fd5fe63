"""The robust training loop. It knows neither which model it trains nor which attack it runs."""

import time
from dataclasses import dataclass

import numpy as np

from bnnkit._checks import as_eps, as_images, as_labels, unit_floats
from bnnkit._options import check_count, check_seed
from bnnkit._progress import progress
from bnnkit.attacks import Attack
from bnnkit.attacks.models import predict_clean
from bnnkit.robust.history import Counts, History, Round
from bnnkit.robust.sources import Drawn, Live, Pool, Source


def train(
    make_model,
    attack,
    data,
    *,
    eps,
    rounds=3,
    images_per_round=100,
    judge=None,
    n_judge=100,
    recreate=True,
    random_state=0,
    on_round=None,
):
    """Train, attack, add what was found, train again.

    Round 0 fits a model on the training images. Each further round attacks the next
    `images_per_round` training images with the model so far, adds the adversarial images
    with their true labels to the training set, and fits again. After each fit the model is
    judged on test images. An image that a model gets wrong as it is counts as its own
    adversarial image, and is added.

    Parameters
    ----------
    make_model : callable
        Takes nothing and returns a new model with ``fit(images, labels)`` and
        ``predict(images)``, given float32 images in [0, 1] in the shape of the data. A model
        with an exact network (``network_``) predicts the test images as they are.
    attack : Attack, tuple (images, labels), or Source
        An attack is run live on training images. A tuple is a premade pool of adversarial
        images; each round adds the next slice of it. Its labels must be among the classes
        0 .. max of the training labels.
    data : Dataset
        Or any object with ``train`` and ``test`` that have ``images`` and ``labels``.
        Training and attacks use `train` alone, judging uses `test` alone.
    eps : float
        Radius of attack and judge on the [0, 1] scale.
    rounds : int
        How often images are added. Round 0 comes on top, so there are ``rounds + 1`` fits.
    images_per_round : int
        Training images that a round attacks, or pool images that it adds.
    judge : Attack or dict of str to Attack, optional
        Measures robustness. By default `attack`, or with a pool nothing.
    n_judge : int
        The judges take the first `n_judge` test images, or all if there are fewer.
    recreate : bool
        Make a new model each round. Otherwise one model is fitted again and again, and must
        continue when it is (``warm_start=True`` in the manner of scikit-learn).
    random_state : int
        Seed of the choice of training images to attack.
    on_round : callable, optional
        Called as ``on_round(history)`` when a round is finished, with the History so far
        (``history.rounds[-1]`` and ``history.model`` are new), so that a caller can print
        and save. An exception or a Ctrl-C later on takes nothing of that away.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        For arguments out of range, and where `rounds` would use up more images than there
        are; before any training.

    Examples
    --------
    >>> from bnnkit import BNNClassifier, attacks, datasets, robust
    >>> history = robust.train(  # doctest: +SKIP
    ...     lambda: BNNClassifier("mlp-small", random_state=0),
    ...     attacks.Exact(timeout=5.0),
    ...     datasets.load("digits"),
    ...     eps=0.1,
    ... )
    """
    as_eps(eps)
    check_count("rounds", rounds)
    check_count("images_per_round", images_per_round)
    check_count("n_judge", n_judge)
    check_seed("random_state", random_state)
    images, labels = _as_split(data.train, "training")
    examination = _Examination.on(data.test, eps, _as_judges(judge, attack), n_judge)
    _check_shape(examination.images, images, "test")
    source = _as_source(attack, images, labels, eps, random_state)
    _check_size(source, rounds, images_per_round)
    settings = {
        "attack": repr(attack) if isinstance(attack, Attack) else type(source).__name__,
        "judges": {name: repr(each) for name, each in examination.judges.items()},
        "eps": float(eps),
        "rounds": int(rounds),
        "images_per_round": int(images_per_round),
        "n_judge": len(examination.images[:n_judge]),
        "recreate": recreate,
        "random_state": None if random_state is None else int(random_state),
    }
    history, model, images = History(settings), None, unit_floats(images)
    for index in progress(range(rounds + 1), "robust training"):
        clock = _Clock()
        count = images_per_round if index else 0
        drawn = source.draw(model, count) if count else Drawn(images[:0], labels[:0], 0, 0)
        images = np.concatenate([images, drawn.images])
        labels = np.concatenate([labels, drawn.labels])
        clock.lap("attack")
        model = _made(make_model, recreate) if recreate or model is None else model
        model.fit(images, labels)
        clock.lap("fit")
        clean_accuracy, judged = examination.of(model)
        clock.lap("judge")
        finished = Round(
            index=index,
            n_attacked=drawn.n_attacked,
            n_added=len(drawn.images),
            n_undecided=drawn.n_undecided,
            n_train=len(images),
            clean_accuracy=clean_accuracy,
            judged=judged,
            seconds=clock.laps,
        )
        history.append(finished, model, drawn)
        if on_round is not None:
            on_round(history)
    return history


@dataclass(frozen=True, eq=False)
class _Examination:
    """The test images, and the judges that see the first of them."""

    images: np.ndarray
    labels: np.ndarray
    eps: float
    judges: dict
    n_judge: int

    @classmethod
    def on(cls, split, eps, judges, n_judge):
        return cls(*_as_split(split, "test"), eps, judges, n_judge)

    def of(self, model):
        """Clean accuracy on all images, and the Counts of each judge on the first ones."""
        right = predict_clean(model, self.images) == self.labels
        images, labels = self.images[: self.n_judge], self.labels[: self.n_judge]
        counts = {
            name: Counts.of(judge, judge(model, images, labels, self.eps))
            for name, judge in self.judges.items()
        }
        return float(right.mean()), counts


class _Clock:
    """Seconds from lap to lap."""

    def __init__(self):
        self.laps, self._last = {}, time.perf_counter()

    def lap(self, name):
        now = time.perf_counter()
        self.laps[name], self._last = now - self._last, now


def _made(make_model, recreate):
    if not callable(make_model):
        raise TypeError(
            "make_model must be a function that returns a new model, "
            f"got {type(make_model).__name__}; pass lambda: {type(make_model).__name__}(...)"
        )
    model = make_model()
    if not callable(getattr(model, "fit", None)):
        raise TypeError(f"make_model must return a model with fit, got {type(model).__name__}")
    if not recreate and getattr(model, "warm_start", True) is False:
        raise ValueError(
            "recreate=False continues one model, but this one has warm_start=False and would "
            "start anew in each round; make it with warm_start=True"
        )
    return model


def _as_split(split, name):
    """Images in the shape in which they came, uint8 or float64, and their labels."""
    try:
        images = as_images(split.images).reshape(np.shape(split.images))
        return images, as_labels(split.labels, len(images))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} data: {error}") from None


def _as_source(attack, images, labels, eps, random_state):
    if isinstance(attack, Attack):
        order = np.random.default_rng(random_state).permutation(len(images))
        return Live(attack, images, labels, eps, order)
    source = Pool(*attack) if isinstance(attack, tuple) and len(attack) == 2 else attack
    if not isinstance(source, Source):
        raise TypeError(
            "attack must be an Attack, a premade pool (images, labels) or a Source, "
            f"got {type(attack).__name__}"
        )
    if isinstance(source, Pool):
        _check_shape(source.images, images, "pool")
        _check_pool_labels(source.labels, labels)
    return source


def _as_judges(judge, attack):
    """A dict of named judges from the argument `judge`."""
    if judge is None:
        judge = attack if isinstance(attack, Attack) else {}
    judges = {type(judge).__name__: judge} if isinstance(judge, Attack) else judge
    if not isinstance(judges, dict) or not all(isinstance(j, Attack) for j in judges.values()):
        raise TypeError(f"judge must be an Attack or a dict of named Attacks, got {judge!r}")
    return judges


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


def _check_size(source, rounds, images_per_round):
    needed = rounds * images_per_round
    if needed > source.size:
        raise ValueError(
            f"{rounds} rounds use {needed} images ({images_per_round} for each), "
            f"but {source.size} are left; take fewer rounds, fewer images_per_round or a new pool"
        )
