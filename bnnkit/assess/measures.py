"""What a model does to given images, as numbers: accuracy, verdicts, softmax scores."""

from dataclasses import dataclass

import numpy as np

from bnnkit._checks import as_array, as_labels
from bnnkit.assess.rates import CONFIDENCE, Between, Rate
from bnnkit.attacks.models import exact_network
from bnnkit.ensemble import Vote
from bnnkit.verification.verdict import STATUSES

# The distance from 1 to the next float32 below: what is closer to 1 is 1 in single precision.
FLOOR = 2.0**-24
_RESAMPLES = 2000  # of the bootstrap


def accuracy(predicted, labels):
    """How many images are given their label.

    Of clean test images this is the clean accuracy; of a fixed pool of adversarial images that
    were made for other models, the transfer accuracy. It says nothing of images that an attack
    would find for this model: for these see `WhiteBox`.

    Parameters
    ----------
    predicted, labels : array_like of int, shape (N,)

    Returns
    -------
    Rate
        0 of 0 where both are empty, as of a pool without images.

    Raises
    ------
    TypeError, ValueError
        Not integers, or not one for each image in both.

    Examples
    --------
    >>> from bnnkit.assess import accuracy
    >>> accuracy([3, 1, 4], [3, 1, 5])
    Rate(count=2, n=3)
    """
    predicted = as_array("predicted", predicted)
    if predicted.ndim != 1:
        raise ValueError(f"predicted must be one class an image, got shape {predicted.shape}")
    if not len(predicted) and not len(labels):
        return Rate(0, 0)
    labels = as_labels(labels, len(predicted))
    if not np.issubdtype(predicted.dtype, np.integer):
        raise TypeError(f"predicted must be integers, got dtype {predicted.dtype}")
    return Rate(int((predicted == labels).sum()), len(labels))


@dataclass(frozen=True)
class WhiteBox:
    """Verdicts about n images, counted.

    The vulnerable images, those with a misclassified one within eps, are not all known:
    falsified <= vulnerable <= falsified + unknown.

    Attributes
    ----------
    robust, falsified, unknown : int
        Proved; refuted by an image that was checked; out of time.

    Examples
    --------
    >>> from bnnkit.assess import WhiteBox
    >>> found = WhiteBox(robust=80, falsified=15, unknown=5)
    >>> found.certified_accuracy.share, found.vulnerable.share
    (0.8, (0.15, 0.2))
    """

    robust: int
    falsified: int
    unknown: int

    @classmethod
    def of(cls, verdicts):
        """Count `Verdicts`, or an array of their statuses."""
        return cls(**{name: int((statuses_of(verdicts) == name).sum()) for name in STATUSES})

    @property
    def n(self):
        """Number of images."""
        return self.robust + self.falsified + self.unknown

    @property
    def certified_accuracy(self):
        """The Rate of images that are proved robust; unknown ones are not among them."""
        return Rate(self.robust, self.n)

    @property
    def vulnerable(self):
        """The images with a misclassified one within eps: between which counts they are."""
        return Between(self.falsified, self.falsified + self.unknown, self.n)


def statuses_of(verdicts):
    """The statuses of `Verdicts`, or an array of statuses, checked: ndarray of str."""
    statuses = np.asarray(getattr(verdicts, "status", verdicts), dtype=str)
    strange = set(statuses.ravel().tolist()) - set(STATUSES)
    if strange:
        raise ValueError(f"a status is one of {', '.join(STATUSES)}, got {min(strange)!r}")
    return statuses


def exact_networks(model):
    """The exact networks of a model, or of several in a list or a `Vote`: a list; or TypeError."""
    members = model.members if isinstance(model, Vote) else model
    several = isinstance(members, (list, tuple))
    return [exact_network(each) for each in (members if several else [members])]


def logits(model, images):
    """The real-valued scores whose softmax is a model's confidence.

    Parameters
    ----------
    model : object
        With ``decision_function(images)``, or with an exact network.
    images : array_like
        As the model takes them.

    Returns
    -------
    ndarray of float64, shape (N, classes)
        Of an exact network the integer scores, in units of one weight of the head. Folding
        drops the positive factor that turns these into logits, which a `BNNClassifier` still
        has: of that, the integer scores times the factor. So the softmax of a network alone
        is at another temperature than that of its classifier; the order of classes is the same.

    Raises
    ------
    TypeError
        The model has no scores, as a vote has none.

    Examples
    --------
    >>> from bnnkit import zoo
    >>> from bnnkit.assess import logits
    >>> network = zoo.load("mnist-mlp-eps0.1")
    >>> images = np.zeros((2, 1, 28, 28), np.uint8)
    >>> scores = logits(network, images)
    >>> scores.shape, (scores.argmax(axis=1) == network.predict(images)).all()
    ((2, 10), np.True_)
    """
    if not hasattr(model, "network_") and callable(getattr(model, "decision_function", None)):
        return np.asarray(model.decision_function(images), dtype=np.float64)
    network = exact_network(model)
    latent = getattr(model, "model_", None)
    factor = 1.0 if latent is None else abs(float(latent.head.scale.value[0]))
    return network.scores(images) * (factor / abs(network.head.scale))


@dataclass(frozen=True)
class SoftmaxRobustness:
    """Means over n images of three figures of p = softmax(logits), y the label.

    Their intervals are 95 % percentile intervals of the bootstrap: n images are drawn from the n
    with replacement, 2,000 times, and the middle 95 % of these means lie between low and high
    (B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993). They are too narrow
    for few images and for skewed figures, and say nothing of images that the sample has none of:
    where all images have the same figure, both ends are that figure.

    Attributes
    ----------
    absolute : float
        1 - (max p - p_y): in [0, 1], 1 wherever the label wins.
    ratio : float
        max p / (1 - p_y): grows with the confidence, also in a wrong class.
    inverse_ratio : float
        p_y / (1 - max p): the same where the label wins, less where it does not.
    n : int
    n_guarded : int
        Images for which 1 - p_y or 1 - max p was below 2**-24 and counted as that: in single
        precision it would be 0. So neither ratio is above 2**24 = 16,777,216, and where many
        images are guarded, the means say how many, and little else.
    intervals : dict of str to tuple of float
        For "absolute", "ratio" and "inverse_ratio" (low, high).

    Examples
    --------
    The confidences are 3/4 and 1/4, and the label is the second class:

    >>> from bnnkit.assess import softmax_robustness
    >>> found = softmax_robustness([[np.log(3.0), 0.0]], [1])
    >>> round(found.absolute, 3), round(found.ratio, 3), round(found.inverse_ratio, 3)
    (0.5, 1.0, 1.0)
    """

    absolute: float
    ratio: float
    inverse_ratio: float
    n: int
    n_guarded: int
    intervals: dict[str, tuple[float, float]]


def softmax_robustness(scores, labels):
    """Absolute robustness, ratio and inverse ratio of given logits.

    Parameters
    ----------
    scores : array_like of float, shape (N, classes), at least two classes
        Logits, see `logits`.
    labels : array_like of int, shape (N,)

    Returns
    -------
    SoftmaxRobustness

    Notes
    -----
    1 - p_y is the sum of the other classes' p, and is computed as one, relative to the largest
    score, in float64: nothing cancels, and neither overflows.

    Examples
    --------
    >>> from bnnkit.assess import softmax_robustness
    >>> softmax_robustness([[np.log(3.0), 0.0]], [0]).ratio  # (3/4) / (1/4)
    3.0
    >>> found = softmax_robustness([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0]], [0, 0, 0])
    >>> low, high = found.intervals["absolute"]
    >>> low < found.absolute < high
    True
    """
    scores = as_array("scores", scores).astype(np.float64)
    if scores.ndim != 2 or scores.shape[1] < 2 or not len(scores):
        raise ValueError(f"scores must have shape (N, classes >= 2), got {scores.shape}")
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    labels = as_labels(labels, len(scores), scores.shape[1])
    of_label = np.zeros(scores.shape, dtype=bool)
    of_label[np.arange(len(scores)), labels] = True
    winners = np.zeros(scores.shape, dtype=bool)
    winners[np.arange(len(scores)), scores.argmax(axis=1)] = True
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p_label, p_most = p[of_label], p[winners]
    rest_label, rest_most = (np.where(mask, 0, p).sum(axis=1) for mask in (of_label, winners))
    guarded = np.minimum(rest_label, rest_most) < FLOOR
    figures = {
        "absolute": 1 - (p_most - p_label),
        "ratio": p_most / np.maximum(rest_label, FLOOR),
        "inverse_ratio": p_label / np.maximum(rest_most, FLOOR),
    }
    intervals = _bootstrap(np.array(list(figures.values())))
    return SoftmaxRobustness(
        **{name: float(values.mean()) for name, values in figures.items()},
        n=len(scores),
        n_guarded=int(guarded.sum()),
        intervals=dict(zip(figures, intervals, strict=True)),
    )


def _bootstrap(figures):
    """95 % percentile intervals of the means of (K, n) figures: a list of K (low, high)."""
    rng = np.random.default_rng(0)
    n = figures.shape[1]
    means = [figures[:, rng.integers(0, n, n)].mean(axis=1) for _ in range(_RESAMPLES)]
    tail = (1 - CONFIDENCE) / 2
    return [tuple(ends) for ends in np.quantile(means, [tail, 1 - tail], axis=0).T.tolist()]
