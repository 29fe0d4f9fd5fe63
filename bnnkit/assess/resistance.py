"""Resistance curves: verdicts about the same images for several eps.

The ball of a smaller eps lies in that of a larger one. So what is robust is robust for every
smaller eps, and what is falsified is falsified for every larger one; and an image that was
found may lie in a smaller ball than the one in which it was looked for. The eps in the middle
is asked about first, then those in the middles of both halves, and so on: each time only about
the images for which nothing follows from what is known. An image without time-outs is asked
about as often as a bisection asks, log2(number of eps) times, rounded up.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bnnkit import verify_all
from bnnkit._checks import as_eps, as_images, as_labels
from bnnkit.assess._radius import eps_text
from bnnkit.assess._stored import Stored, check_shapes
from bnnkit.assess.matrix import Matrix
from bnnkit.assess.measures import WhiteBox, exact_networks, statuses_of
from bnnkit.assess.rates import wilson
from bnnkit.verification.verdict import STATUSES


@dataclass(frozen=True, eq=False)
class ResistanceCurve(Stored):
    """What is known of N images for E radii.

    Attributes
    ----------
    eps : ndarray of float64, shape (E,)
        Ascending, on the [0, 1] scale.
    status : ndarray of str, shape (E, N)
        "robust", "falsified" or "unknown", inferred ones included.
    answers : ndarray of str, shape (E, N)
        What `verify` said; "" where it was not asked.
    seconds : ndarray of float64, shape (E, N)
        Of each answer; 0 where there is none.
    labels : ndarray of int64, shape (N,)
    settings : dict
        Solver and timeout, as plain values.

    Examples
    --------
    >>> from bnnkit.assess import ResistanceCurve
    >>> status = np.array([["robust", "unknown"], ["robust", "falsified"]])
    >>> curve = ResistanceCurve(
    ...     np.array([0.1, 0.2]), status, status, np.ones((2, 2)), np.array([3, 8]), {}
    ... )
    >>> curve.at(0.2)
    WhiteBox(robust=1, falsified=1, unknown=0)
    >>> curve.counts["robust"]
    array([1, 1])
    """

    eps: np.ndarray
    status: np.ndarray
    answers: np.ndarray
    seconds: np.ndarray
    labels: np.ndarray
    settings: dict

    def __post_init__(self):
        both = ("E", "N")
        check_shapes(self, eps=("E",), status=both, answers=both, seconds=both, labels=("N",))
        statuses_of(self.status)

    @property
    def n(self):
        """Number of images."""
        return len(self.labels)

    @property
    def inferred(self):
        """Where the status follows from an answer for another eps: bool (E, N)."""
        return self.status != self.answers

    @property
    def counts(self):
        """For each status the number of images at each eps: dict of str to int64 (E,)."""
        return {status: (self.status == status).sum(axis=1) for status in STATUSES}

    @property
    def timed_out(self):
        """How often `verify` gave no answer at each eps, also if one was inferred: int64 (E,)."""
        return (self.answers == "unknown").sum(axis=1)

    def at(self, eps):
        """The `WhiteBox` counts for one of the radii."""
        return WhiteBox.of(self.status[_place(self.eps, eps)])

    def rows(self):
        """Header and rows of a table with one row for each eps."""
        header = ("eps", "n", *STATUSES, "inferred", "timed_out", "asked", "seconds")
        header += tuple(f"{status}_{end}" for status in STATUSES for end in ("low", "high"))
        asked = (self.answers != "").sum(axis=1)
        columns = [self.eps, np.full(len(self.eps), self.n), *self.counts.values()]
        columns += [self.inferred.sum(axis=1), self.timed_out, asked, self.seconds.sum(axis=1)]
        for counts in self.counts.values():
            columns += wilson(counts, self.n)
        return header, list(zip(*(column.tolist() for column in columns), strict=True))


def resistance_curve(
    model, images, labels, eps, solver="native", timeout=60.0, n_jobs=1, **options
):
    """Verify the same images for several eps, and ask only what does not follow.

    Parameters
    ----------
    model : BinaryNetwork, or a fitted model with ``network_``
        Or several, in a list or a `Vote`: about them ``question="vote"`` or ``"joint"`` is asked.
    images : array_like
        uint8 in 0..255 or floats in [0, 1]; (N, C, H, W), (N, H, W) or (N, features).
    labels : array_like of int, shape (N,)
    eps : sequence of float
        Radii on the [0, 1] scale, in any order.
    solver, timeout, n_jobs, **options
        As for `verify_all`; the timeout is for each question.

    Returns
    -------
    ResistanceCurve

    Raises
    ------
    TypeError, ValueError
        For arguments that make no sense, as `verify_all` does.
    RuntimeError
        Answers contradict each other: an error in a solver.

    Examples
    --------
    A pixel that is class 0 up to 0.15:

    >>> from bnnkit.assess import resistance_curve
    >>> from bnnkit.network import BinaryNetwork, Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> above = Conv2d([[[[1]]]], [2], [1])
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> network = BinaryNetwork(Quantiser(0.1), [above], head, (1, 1, 1))
    >>> curve = resistance_curve(network, [[[0.0]]], [0], [0.05, 0.1, 0.15, 0.2])
    >>> curve.status[:, 0].tolist()
    ['robust', 'robust', 'falsified', 'falsified']
    >>> curve.inferred[:, 0].tolist()
    [True, False, False, True]
    """
    networks = exact_networks(model)
    images = as_images(images, networks[0].input_shape)
    labels = as_labels(labels, len(images), networks[0].n_classes)
    asked = networks if len(networks) > 1 else networks[0]
    radii = _radii(eps)
    answers = np.full((len(radii), len(images)), "", dtype="U9")
    seconds = np.zeros(answers.shape)
    reached = np.full(len(images), len(radii))  # the first radius with a known image
    for k in _halving(len(radii)):
        open_ = np.flatnonzero(_closed(answers, reached)[k] == "")
        if not len(open_):
            continue
        verdicts = verify_all(
            *(asked, images[open_], labels[open_], radii[k], solver, timeout, n_jobs), **options
        )
        for i, verdict in zip(open_, verdicts, strict=True):
            answers[k, i], seconds[k, i] = verdict.status, verdict.seconds
            if verdict.adversarial is not None:
                balls = (_is_within(networks, images[i], verdict.adversarial, r) for r in radii[:k])
                reached[i] = min(reached[i], next((j for j, fits in enumerate(balls) if fits), k))
    settings = {"solver": solver, "timeout": timeout}
    status = _closed(answers, reached)
    return ResistanceCurve(np.array(radii, float), status, answers, seconds, labels, settings)


def curve_of(verdicts, settings=None):
    """The curve of verdicts that are there already.

    Parameters
    ----------
    verdicts : dict of float to Verdicts
        For each eps those of the same images in the same order.
    settings : dict, optional
        Plain values that belong to it.

    Returns
    -------
    ResistanceCurve
        What was unknown may follow from another eps.

    Raises
    ------
    ValueError
        Not of the same images.
    RuntimeError
        Verdicts contradict each other.

    Examples
    --------
    What is robust at 0.2 is robust at 0.1 as well:

    >>> from bnnkit.assess import curve_of
    >>> from bnnkit.verification import Verdict, Verdicts
    >>> def said(status, eps):
    ...     return Verdicts([Verdict(status, 3, eps, clean=3, predicted=3, stage="solver")])
    >>> curve = curve_of({0.1: said("unknown", 0.1), 0.2: said("robust", 0.2)})
    >>> curve.answers.tolist(), curve.status.tolist()
    ([['unknown'], ['robust']], [['robust'], ['robust']])
    """
    ordered = {as_eps(eps): verdicts[eps] for eps in verdicts}
    radii = sorted(ordered)
    if not radii:
        raise ValueError("there are no verdicts, hence no curve")
    labels = [[verdict.label for verdict in ordered[radius]] for radius in radii]
    if any(each != labels[0] for each in labels):
        raise ValueError("the verdicts are not about the same images: their labels differ")
    answers = np.array([ordered[radius].status for radius in radii], dtype="U9")
    seconds = np.array([[verdict.seconds for verdict in ordered[radius]] for radius in radii])
    status = _closed(answers, np.full(len(labels[0]), len(radii)))
    labels = np.array(labels[0], dtype=np.int64)
    return ResistanceCurve(
        np.array(radii, float), status, answers, seconds, labels, dict(settings or {})
    )


def certified_matrix(curves):
    """The certified accuracy of several models for several eps: a Matrix.

    Parameters
    ----------
    curves : dict of str to ResistanceCurve
        For each model, such as ``{"trained with eps 0.1": curve, ...}``; of the same radii.

    Returns
    -------
    Matrix
        Rows are models, columns are radii.

    Examples
    --------
    >>> from bnnkit.assess import ResistanceCurve, certified_matrix
    >>> def curve(*status):  # of one image
    ...     status = np.array(status)[:, None]
    ...     return ResistanceCurve(
    ...         np.array([0.1, 0.2]), status, status, np.ones((2, 1)), np.array([3]), {}
    ...     )
    >>> print(certified_matrix({"plain": curve("robust", "falsified"),
    ...                         "hardened": curve("robust", "robust")}))
    model / eps of judging    0.1    0.2
    plain                   1.000  0.000
    hardened                1.000  1.000
    """
    radii = [curve.eps.tolist() for curve in curves.values()]
    if not radii or any(each != radii[0] for each in radii):
        raise ValueError("curves must be of the same radii, at least one curve")
    counts = np.array([curve.counts["robust"] for curve in curves.values()])
    n = np.broadcast_to([[curve.n] for curve in curves.values()], counts.shape).copy()
    names = ("model", "eps of judging", list(curves), [eps_text(eps) for eps in radii[0]])
    return Matrix("Certified accuracy", *names, counts / n, n, *wilson(counts, n))


def _radii(eps):
    radii = sorted({as_eps(each) for each in np.atleast_1d(np.asarray(eps, dtype=object))})
    if not radii:
        raise ValueError("eps must hold at least one radius, got none")
    return radii


def _halving(n):
    """0 .. n - 1, the middle first, then the middles of both halves, and so on."""
    parts = [(0, n)]
    for start, end in parts:
        if start < end:
            middle = (start + end) // 2
            yield middle
            parts += [(start, middle), (middle + 1, end)]


def _closed(answers, reached):
    """Answers and what follows from them; "" where nothing does."""
    place = np.arange(len(answers))[:, None]
    falsified = np.where(answers == "falsified", place, len(answers)).min(axis=0)
    falsified = np.minimum(falsified, reached)
    robust = np.where(answers == "robust", place, -1).max(axis=0)
    if (robust >= falsified).any():
        wrong = np.flatnonzero(robust >= falsified).tolist()
        raise RuntimeError(
            f"images {wrong} are proved robust for an eps at which they are falsified; "
            "this is an error in bnnkit or in the solver, please report it"
        )
    follows = np.where(place <= robust, "robust", answers)
    return np.where(place >= falsified, "falsified", follows).astype("U9")


def _is_within(networks, image, adversarial, radius):
    """Whether `verify` would take an image that was found as a witness for another radius.

    It does if the ball of that radius reaches the levels of the image. Where each of several
    networks' levels is reached, they are reached at once: cells that share a point, and meet
    the same interval, share a point of the interval.
    """
    if adversarial.dtype == np.uint8:
        distance = np.abs(adversarial.astype(int) - image.astype(int)).max()
        return Fraction(int(distance), 255) <= radius
    for quantiser in {network.quantiser for network in networks}:
        low, high = quantiser.ball(image, radius)
        levels = quantiser.levels(adversarial.astype(np.float64))
        if not ((low <= levels) & (levels <= high)).all():
            return False
    return True


def _place(radii, eps):
    near = np.flatnonzero(radii == float(as_eps(eps)))
    if not len(near):
        raise ValueError(f"eps must be one of {radii.tolist()}, got {eps}")
    return near[0]
