"""Transferability: adversarial images of one model, shown to others."""

import time
from dataclasses import dataclass

import numpy as np

from bnnkit._checks import as_eps, as_images, as_labels
from bnnkit._options import check_count, check_seed
from bnnkit._progress import progress
from bnnkit.assess._radius import eps_text
from bnnkit.assess._stored import Stored, check_shapes
from bnnkit.assess.matrix import Matrix
from bnnkit.assess.rates import Rate, wilson
from bnnkit.attacks.models import predict, predict_clean

BATCH = 100  # images that an attack is given at a time, so that it can stop when there are enough


@dataclass(frozen=True, eq=False)
class AdversarialPool(Stored):
    """Adversarial images that were made for one model, or for several at once.

    Attributes
    ----------
    source : str
        The name of what they were made for.
    eps : float
    images : ndarray of float32, shape (n, ...)
        Each fools the source, which gave the original its label.
    originals : ndarray, shape (n, ...)
    labels : ndarray of int64, shape (n,)
        The true ones.
    index : ndarray of int64, shape (n,)
        Of the originals among the images that were given.
    n_tried, n_wrong, n_undecided : int
        How many images were tried; how many of them the source gets wrong as they are, which
        are not in the pool; and on how many the attack ran out of time.
    seconds : float

    Examples
    --------
    >>> from bnnkit.assess import AdversarialPool
    >>> image = np.zeros((1, 1, 2, 2), np.float32)
    >>> pool = AdversarialPool(
    ...     "mlp", 0.25, images=image + 0.25, originals=image, labels=np.array([3]),
    ...     index=np.array([7]), n_tried=9, n_wrong=1, n_undecided=0, seconds=0.1,
    ... )
    >>> pool
    AdversarialPool('mlp', eps 0.25: 1 images of 9 tried)
    >>> pool.rows()
    (('index', 'label'), [(7, 3)])
    """

    source: str
    eps: float
    images: np.ndarray
    originals: np.ndarray
    labels: np.ndarray
    index: np.ndarray
    n_tried: int
    n_wrong: int
    n_undecided: int
    seconds: float

    def __post_init__(self):
        check_shapes(self, labels=("n",), index=("n",))
        if self.images.shape != self.originals.shape or len(self.images) != len(self.labels):
            raise ValueError(
                "images and originals must be the same number as labels and have one shape, got "
                f"{self.images.shape}, {self.originals.shape} and {len(self.labels)}"
            )

    def __len__(self):
        return len(self.labels)

    def __repr__(self):
        return (
            f"AdversarialPool({self.source!r}, eps {self.eps:g}: {len(self)} images of "
            f"{self.n_tried} tried)"
        )

    def rows(self):
        """Header and rows of a table with one row for each image."""
        return ("index", "label"), list(zip(self.index.tolist(), self.labels.tolist(), strict=True))


def make_pool(source, model, attack, images, labels, eps, size=None):
    """Attack images in their order until enough are found.

    Parameters
    ----------
    source : str
        A name for the model.
    model : object
        What `attack` takes; a list of models for an attack on several at once.
    attack : Attack
    images, labels : array_like
        As for the attack.
    eps : float
    size : int, optional
        Stop when so many adversarial images are found; otherwise all images are tried.

    Returns
    -------
    AdversarialPool
        May have fewer than `size` images, where the attack finds no more.

    Notes
    -----
    An attack counts an image that is wrong as it is as a success, with itself as adversarial
    image. Such an image is not adversarial, and is left out.

    Examples
    --------
    A network of one pixel that is class 0 up to 0.15 is attacked; its second image is wrong as it
    is:

    >>> from bnnkit.assess import make_pool
    >>> from bnnkit.attacks import Exact
    >>> from bnnkit.network import BinaryNetwork, Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> network = BinaryNetwork(Quantiser(0.1), [Conv2d([[[[1]]]], [2], [1])], head, (1, 1, 1))
    >>> pool = make_pool("low", network, Exact(), [[[0.0]], [[0.9]]], [0, 0], eps=0.2)
    >>> pool, pool.n_wrong
    (AdversarialPool('low', eps 0.2: 1 images of 2 tried), 1)
    """
    radius = as_eps(eps)
    images = as_images(images).reshape(np.shape(images))
    labels = as_labels(labels, len(images))
    if size is not None:
        check_count("size", size)
    started, tried, wrong, undecided = time.perf_counter(), 0, 0, 0
    found, index = [], []
    batch = BATCH if size is None else min(BATCH, size)
    shown = (
        (len(images), lambda: f"{len(index)} found", lambda: tried)
        if size is None
        else (size, lambda: f"found in {tried} images", lambda: len(index))
    )
    for start in progress(range(0, len(images), batch), f"attacking {source}", *shown):
        part = slice(start, start + batch)
        result = attack(model, images[part], labels[part], radius)
        right = _is_right(model, images[part], labels[part])
        taken = np.flatnonzero(result.success & right)
        if size is not None and len(index) + len(taken) >= size:
            taken = taken[: size - len(index)]
            right = right[: taken[-1] + 1]  # what comes after the last one was not needed
        found.append(result.adversarial[taken])
        index.extend((start + taken).tolist())
        tried, wrong = tried + len(right), wrong + int((~right).sum())
        undecided += int(result.undecided[: len(right)].sum())
        if len(index) == size:
            break
    index = np.array(index, dtype=np.int64)
    seconds = time.perf_counter() - started
    return AdversarialPool(
        *(source, float(radius), np.concatenate(found), images[index], labels[index], index),
        *(tried, wrong, undecided, seconds),
    )


def _is_right(model, images, labels):
    """Which images are given their label, by every one of several models."""
    models = model if isinstance(model, (list, tuple)) else [model]
    return np.all([predict_clean(each, images) == labels for each in models], axis=0)


@dataclass(frozen=True, eq=False)
class Transfer(Stored):
    """How many adversarial images of S sources fool T targets, for E radii.

    Attributes
    ----------
    targets, sources : list of str
    eps : list of float
        Ascending.
    fooled : ndarray of int64, shape (E, T, S)
        Adversarial images that the target gets wrong.
    wrong : ndarray of int64, shape (E, T, S)
        Originals of these images that it gets wrong: what no attack is needed for.
    n : ndarray of int64, shape (E, S)
        Images of each pool; 0 where there is no pool.

    Examples
    --------
    Of 50 images that were made for a real-valued net, 10 fool the BNN, which gets 2 of their
    originals wrong as well:

    >>> from bnnkit.assess import Transfer
    >>> transfer = Transfer(
    ...     ["bnn"], ["real"], [0.1], fooled=np.array([[[10]]]), wrong=np.array([[[2]]]),
    ...     n=np.array([[50]]),
    ... )
    >>> print(transfer.rate(0.1, target="bnn", source="real"))
    20.0 % (11.2 to 33.0)
    >>> print(transfer.matrix(0.1))
    target / source   real
    bnn              0.200
    """

    targets: list[str]
    sources: list[str]
    eps: list[float]
    fooled: np.ndarray
    wrong: np.ndarray
    n: np.ndarray

    def __post_init__(self):
        shape = (len(self.eps), len(self.targets), len(self.sources))
        check_shapes(self, fooled=shape, wrong=shape, n=(shape[0], shape[2]))

    def rate(self, eps, target, source):
        """The Rate at which images of `source` fool `target`."""
        e, s = self._place(eps), self.sources.index(source)
        return Rate(int(self.fooled[e, self.targets.index(target), s]), int(self.n[e, s]))

    def matrix(self, eps):
        """The Matrix for one eps: rows are targets, columns are sources."""
        e = self._place(eps)
        n = np.broadcast_to(self.n[e], self.fooled[e].shape)
        low, high = np.where(n > 0, wilson(self.fooled[e], n), np.nan)
        values = np.where(n > 0, self.fooled[e] / np.maximum(n, 1), np.nan)
        title = f"Adversarial images that fool another model, eps {eps_text(self.eps[e])}"
        names = ("target", "source", self.targets, self.sources)
        return Matrix(title, *names, values, n.copy(), low, high)

    def rows(self):
        """Header and rows of a table with one row for each eps, target and source."""
        header = ("eps", "target", "source", "n", "fooled", "wrong as is", "share", "low", "high")
        rows = []
        for e, t, s in np.ndindex(self.fooled.shape):
            rate = Rate(int(self.fooled[e, t, s]), int(self.n[e, s]))
            names = (self.eps[e], self.targets[t], self.sources[s])
            counts = (rate.n, rate.count, int(self.wrong[e, t, s]))
            rows.append((*names, *counts, rate.share, *rate.interval))
        return header, rows

    def _place(self, eps):
        value = float(as_eps(eps))
        if value not in self.eps:
            raise ValueError(f"eps must be one of {self.eps}, got {eps}")
        return self.eps.index(value)


def transfer_matrix(targets, pools):
    """Show each pool of adversarial images to each target.

    Parameters
    ----------
    targets : dict of str to object
        Models with ``predict(images)``. None of them should have been a source: a source is
        fooled by all its images.
    pools : sequence of AdversarialPool
        Of any sources and radii, at most one of each pair.

    Returns
    -------
    Transfer

    Examples
    --------
    Networks of one pixel, which are class 0 below 0.05, 0.15 and 0.35. What fools the second fools
    the first, and not the third:

    >>> from bnnkit.assess import make_pool, transfer_matrix
    >>> from bnnkit.attacks import Exact
    >>> from bnnkit.network import BinaryNetwork, Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> layers = [Conv2d([[[[1]]]], [level], [1]) for level in (1, 2, 4)]
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> low, middle, high = [
    ...     BinaryNetwork(Quantiser(0.1), [layer], head, (1, 1, 1)) for layer in layers
    ... ]
    >>> pool = make_pool("middle", middle, Exact(), [[[0.0]]], [0], eps=0.2)
    >>> print(transfer_matrix({"low": low, "high": high}, [pool]).matrix(0.2))
    target / source  middle
    low               1.000
    high              0.000
    """
    if not targets or not pools:
        raise ValueError(f"got {len(targets)} targets and {len(pools)} pools; one at least of each")
    sources = list(dict.fromkeys(pool.source for pool in pools))
    radii = sorted({pool.eps for pool in pools})
    shape = (len(radii), len(targets), len(sources))
    fooled, wrong = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    n = np.full((len(radii), len(sources)), -1)
    for pool in pools:
        e, s = radii.index(pool.eps), sources.index(pool.source)
        if n[e, s] >= 0:
            raise ValueError(f"there are two pools of {pool.source!r} with eps {pool.eps:g}")
        n[e, s] = len(pool)
        for t, target in enumerate(targets.values() if len(pool) else ()):
            fooled[e, t, s] = (predict(target, pool.images) != pool.labels).sum()
            wrong[e, t, s] = (predict_clean(target, pool.originals) != pool.labels).sum()
    return Transfer(list(targets), sources, radii, fooled, wrong, np.maximum(n, 0))


def transfer_study(
    factories, attack, train, images, labels, eps, *, size=None, n_models=1, random_state=0
):
    """Fit models of each type, attack them, and show the images to fresh models of each type.

    Parameters
    ----------
    factories : dict of str to callable
        For each type ``make(seed)`` returns a new model with ``fit(images, labels)``.
    attack : Attack
        On one model, or with ``n_models > 1`` on a list of models at once.
    train : object
        With ``images`` and ``labels``, as ``dataset.train``: what all models are fitted on.
    images, labels : array_like
        What is attacked, in this order.
    eps : sequence of float
    size : int, optional
        Adversarial images of each source and eps; otherwise all images are attacked.
    n_models : int
        Models of each type that are attacked together.
    random_state : int
        Sources get the seeds from here on, and each target the one after.

    Returns
    -------
    transfer : Transfer
    pools : list of AdversarialPool

    Examples
    --------
    >>> from bnnkit import BNNClassifier, attacks, datasets
    >>> from bnnkit.assess import transfer_study
    >>> digits = datasets.load("digits", limit=200)
    >>> def maker(architecture):
    ...     return lambda seed: BNNClassifier(architecture, epochs=3, random_state=seed)
    >>> transfer, pools = transfer_study(
    ...     {"narrow": maker("16"), "wide": maker("32")},
    ...     attacks.PGD(random_state=0),
    ...     digits.train, digits.test.images, digits.test.labels, eps=[0.2], size=10,
    ... )
    >>> transfer.fooled.shape  # eps, targets, sources
    (1, 2, 2)
    """
    check_count("n_models", n_models)
    check_seed("random_state", random_state)
    last = random_state + n_models
    pools = []
    for name, make in factories.items():
        models = [_fitted(make(seed), train) for seed in range(random_state, last)]
        model = models[0] if n_models == 1 else models
        pools += [make_pool(name, model, attack, images, labels, each, size) for each in eps]
    targets = {name: _fitted(make(last), train) for name, make in factories.items()}
    return transfer_matrix(targets, pools), pools


def _fitted(model, train):
    model.fit(train.images, train.labels)
    return model
