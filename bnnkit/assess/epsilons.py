"""`minimal_epsilon` of many images: every resistance curve in one."""

from dataclasses import dataclass

import numpy as np

from bnnkit._checks import as_eps, as_images, as_labels
from bnnkit._progress import progress
from bnnkit.assess._stored import Stored, check_shapes
from bnnkit.assess.measures import WhiteBox
from bnnkit.assess.rates import wilson
from bnnkit.attacks.models import exact_network
from bnnkit.verification import minimal_epsilon
from bnnkit.verification.verdict import STATUSES

_PARTS = ("lower", "upper", "exact", "seconds")  # of a MinimalEpsilon


@dataclass(frozen=True, eq=False)
class MinimalEpsilons(Stored):
    """For each of N images the smallest eps that falsifies it, or what is known of it.

    Attributes
    ----------
    lower, upper : ndarray of float64, shape (N,)
        As `minimal_epsilon` gives them.
    decided : ndarray of bool, shape (N,)
        Whether nothing is left open.
    seconds : ndarray of float64, shape (N,)
    labels : ndarray of int64, shape (N,)
    max_eps : float
        The largest radius that was considered.
    settings : dict
        Solver and timeout, as plain values.

    Examples
    --------
    One image falls at 0.1; of the other it is known that it does between 0.2 and 0.3:

    >>> from bnnkit.assess import MinimalEpsilons
    >>> from bnnkit.verification import MinimalEpsilon
    >>> found = [MinimalEpsilon(0.1, 0.1), MinimalEpsilon(0.2, 0.3, reason="timeout")]
    >>> found = MinimalEpsilons.of(found, labels=[3, 8])
    >>> found.at(0.15)
    WhiteBox(robust=1, falsified=1, unknown=0)
    >>> found.status(0.25).tolist()
    ['falsified', 'unknown']
    """

    lower: np.ndarray
    upper: np.ndarray
    decided: np.ndarray
    seconds: np.ndarray
    labels: np.ndarray
    max_eps: float
    settings: dict

    def __post_init__(self):
        names = ("lower", "upper", "decided", "seconds", "labels")
        check_shapes(self, **dict.fromkeys(names, ("N",)))
        if not (self.lower <= self.upper).all():
            raise ValueError("lower must not be above upper")

    @classmethod
    def of(cls, found, labels, max_eps=1.0, settings=None):
        """The distribution of answers of `minimal_epsilon`, all with the same `max_eps`."""
        found = list(found)
        columns = {name: np.array([getattr(each, name) for each in found]) for name in _PARTS}
        columns["decided"] = columns.pop("exact")
        labels = as_labels(labels, len(found))
        return cls(
            **columns, labels=labels, max_eps=float(as_eps(max_eps)), settings=settings or {}
        )

    @property
    def n(self):
        """Number of images."""
        return len(self.labels)

    def status(self, eps):
        """What `verify` would say at `eps`, or "unknown": ndarray of str (N,).

        Raises
        ------
        ValueError
            Beyond `max_eps`.
        """
        eps = float(as_eps(eps))
        if eps > self.max_eps:
            raise ValueError(f"eps must be at most max_eps = {self.max_eps:g}, got {eps:g}")
        robust = (eps < self.lower) | (self.decided & np.isinf(self.upper))
        return np.select([eps >= self.upper, robust], ["falsified", "robust"], "unknown")

    def at(self, eps):
        """The `WhiteBox` counts at any radius up to `max_eps`."""
        return WhiteBox.of(self.status(eps))

    @property
    def median(self):
        """The eps from which on half of the images, or more, are falsified: (lower, upper).

        Below `lower`, more than half are proved robust, and from `upper` on, at least half are
        falsified. Both are radii of images, so equal where nothing is open; (max_eps, inf) where
        more than half are robust throughout.
        """
        middle = (self.n - 1) // 2
        return tuple(float(np.sort(ends)[middle]) for ends in (self.lower, self.upper))

    def curve(self):
        """How many images are falsified at each eps: all curves in one.

        Returns
        -------
        eps : ndarray of float64, shape (K,)
            Ascending from 0 to `max_eps`: where a count changes.
        falsified, possible : ndarray of int64, shape (K,)
            From this eps on (to the next one, exclusively) so many images are falsified, and
            so many are not proved robust. Equal where every image is decided.
        """
        ends = np.concatenate([[0.0], self.lower, self.upper, [self.max_eps]])
        eps = np.unique(ends[ends <= self.max_eps])
        still = np.where(self.decided & np.isinf(self.upper), np.inf, self.lower)
        falsified, possible = (
            np.searchsorted(np.sort(places), eps, side="right") for places in (self.upper, still)
        )
        return eps, falsified, possible

    def rows(self):
        """Header and rows of the table of `curve`, with its intervals."""
        eps, falsified, possible = self.curve()
        low, high = wilson(falsified, self.n)[0], wilson(possible, self.n)[1]
        n = np.full(len(eps), self.n)
        columns = (eps, n, n - possible, falsified, possible - falsified, low, high)
        header = ("eps", "n", *STATUSES, "vulnerable_low", "vulnerable_high")
        return header, list(zip(*(column.tolist() for column in columns), strict=True))


def minimal_epsilons(
    model, images, labels, solver="native", timeout=60.0, n_jobs=1, pixels="real", max_eps=1.0
):
    """The smallest eps that falsifies each of many images.

    Parameters
    ----------
    model : BinaryNetwork, or a fitted model with ``network_``
    images : array_like
        uint8 in 0..255 or floats in [0, 1]; (N, C, H, W), (N, H, W) or (N, features).
    labels : array_like of int, shape (N,)
    n_jobs : int
        Number of processes, as joblib counts them (-1: one for each core).
    solver, timeout, pixels, max_eps
        As for `minimal_epsilon`; the timeout is for each image.

    Returns
    -------
    MinimalEpsilons

    Examples
    --------
    A pixel that is class 0 up to 0.15:

    >>> from bnnkit.assess import minimal_epsilons
    >>> from bnnkit.network import BinaryNetwork, Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> above = Conv2d([[[[1]]]], [2], [1])
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> network = BinaryNetwork(Quantiser(0.1), [above], head, (1, 1, 1))
    >>> found = minimal_epsilons(network, [[[0.0]], [[0.1]]], [0, 0])
    >>> found.upper.round(4).tolist()
    [0.15, 0.05]
    >>> found.at(0.1)
    WhiteBox(robust=1, falsified=1, unknown=0)
    """
    options = {"pixels": pixels, "max_eps": max_eps}
    found = iter_minimal_epsilons(model, images, labels, solver, timeout, n_jobs, **options)
    settings = {"solver": solver, "timeout": timeout, "pixels": pixels}
    return MinimalEpsilons.of(found, labels, max_eps, settings)


def iter_minimal_epsilons(
    model, images, labels, solver="native", timeout=60.0, n_jobs=1, pixels="real", max_eps=1.0
):
    """Like `minimal_epsilons`, but yield each `MinimalEpsilon` as it is ready, in order.

    Whoever iterates keeps what is finished if the work is interrupted, and can make a
    distribution of it: ``MinimalEpsilons.of(found, labels[:len(found)])``.

    Examples
    --------
    A pixel that is class 0 up to 0.15:

    >>> from bnnkit.assess import iter_minimal_epsilons
    >>> from bnnkit.network import BinaryNetwork, Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> above = Conv2d([[[[1]]]], [2], [1])
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> network = BinaryNetwork(Quantiser(0.1), [above], head, (1, 1, 1))
    >>> for smallest in iter_minimal_epsilons(network, [[[0.0]], [[0.1]]], [0, 0]):
    ...     print(round(smallest.upper, 4), smallest.exact)
    0.15 True
    0.05 True
    """
    network = exact_network(model)
    images = as_images(images, network.input_shape)
    labels = as_labels(labels, len(images), network.n_classes)
    questions = (
        (network, image, label, solver, timeout, pixels, max_eps)
        for image, label in zip(images, labels, strict=True)
    )
    if n_jobs == 1:
        answers = (minimal_epsilon(*question) for question in questions)
    else:
        from joblib import Parallel, delayed

        answers = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(minimal_epsilon)(*question) for question in questions
        )
    return progress(answers, "minimal eps", total=len(images))
