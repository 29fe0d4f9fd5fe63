"""The quantisation study: the same recipe with several widths of an input level."""

import time
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bnnkit import verify_all
from bnnkit._checks import as_eps, as_images, as_labels, simplest_fraction, unit_floats
from bnnkit._options import check_count
from bnnkit._table import table
from bnnkit.assess._stored import Stored, check_shapes
from bnnkit.assess.changes import differences
from bnnkit.assess.measures import WhiteBox, accuracy, statuses_of
from bnnkit.assess.rates import Rate
from bnnkit.assess.strips import Strip, quantised
from bnnkit.attacks.models import exact_network
from bnnkit.quantiser import Quantiser
from bnnkit.verification.verdict import STATUSES

_ENDS = ("low", "high")  # of an interval


@dataclass(frozen=True, eq=False)
class QuantisationStudy(Stored):
    """What S steps made of a network, asked about N images.

    Attributes
    ----------
    steps : list of str
        As fractions: "1/10".
    eps : float
    right : ndarray of int64, shape (S,)
        Test images that the network of each step classifies correctly.
    n_test : int
    status : ndarray of str, shape (S, N)
    stage : ndarray of str, shape (S, N)
        "clean" where an image is wrong as it is, see `Verdict`.
    seconds : ndarray of float64, shape (S, N)
        Of each verdict.
    fit_seconds : ndarray of float64, shape (S,)
    adversarial : ndarray of float32, shape (S, N, C, H, W)
        The image that was found, or the original where none was.
    predicted : ndarray of int64, shape (S, N)
        The network's class for it.
    originals : ndarray of uint8 or float64, shape (N, C, H, W)
    labels : ndarray of int64, shape (N,)
    settings : dict
        Solver and timeout, as plain values.

    Examples
    --------
    >>> from bnnkit import BNNClassifier, assess, datasets
    >>> digits = datasets.load("digits", limit=200)
    >>> def make(step):
    ...     return BNNClassifier("16", quant_step=step, epochs=3, random_state=0)
    >>> study = assess.quantisation_study(make, [0.25, 0.5], digits, eps=0.05, n_images=3)
    >>> study.steps, study.status.shape  # a status for each step and image
    (['1/4', '1/2'], (2, 3))
    """

    steps: list[str]
    eps: float
    right: np.ndarray
    n_test: int
    status: np.ndarray
    stage: np.ndarray
    seconds: np.ndarray
    fit_seconds: np.ndarray
    adversarial: np.ndarray
    predicted: np.ndarray
    originals: np.ndarray
    labels: np.ndarray
    settings: dict

    def __post_init__(self):
        n_steps, both = len(self.steps), (len(self.steps), "N")
        check_shapes(
            self,
            **dict.fromkeys(("status", "stage", "seconds", "predicted"), both),
            **dict.fromkeys(("right", "fit_seconds"), (n_steps,)),
            adversarial=(*both, "C", "H", "W"),
            originals=("N", "C", "H", "W"),
            labels=("N",),
        )
        statuses_of(self.status)

    @property
    def accuracy(self):
        """The Rate of all test images for each step."""
        return [Rate(int(right), self.n_test) for right in self.right]

    @property
    def whitebox(self):
        """The `WhiteBox` counts for each step."""
        return [WhiteBox.of(status) for status in self.status]

    @property
    def found(self):
        """Where there is an adversarial image for an image that is right as it is: bool (S, N)."""
        return (self.status == "falsified") & (self.stage != "clean")

    def differences(self):
        """In how many pixels the adversarial images of two steps differ, and from the originals.

        Returns
        -------
        Matrix
            See `bnnkit.assess.differences`; each pair of steps is compared where both have an
            adversarial image.
        """
        steps = [f"step {step}" for step in self.steps]
        images = dict(zip(steps, self.adversarial, strict=True))
        found = dict(zip(steps, self.found, strict=True))
        return differences({"original": unit_floats(self.originals)} | images, found)

    def strip(self, index):
        """The adversarial images of all steps for one image: a `Strip`."""
        quantisers = [Quantiser(Fraction(step)) for step in self.steps]
        return Strip(
            axis="step",
            values=self.steps,
            original=self.originals[index],
            label=int(self.labels[index]),
            images=self.adversarial[:, index],
            predicted=self.predicted[:, index],
            status=self.status[:, index],
            seen=np.stack(
                [quantised(self.originals[index], quantiser) for quantiser in quantisers]
            ),
        )

    def rows(self):
        """Header and rows of a table with one row for each step; its intervals come last."""
        header = ("step", "levels", "accuracy", "n_test", "eps", "n", *STATUSES)
        header += ("mean_seconds", "most_seconds", "fit_seconds")
        header += tuple(f"{name}_{end}" for name in ("accuracy", *STATUSES) for end in _ENDS)
        rows = []
        for s, step in enumerate(self.steps):
            counts = [int((self.status[s] == status).sum()) for status in STATUSES]
            seconds = (self.seconds[s].mean(), self.seconds[s].max(), self.fit_seconds[s])
            clean = (Quantiser(Fraction(step)).n_levels, self.accuracy[s].share, self.n_test)
            rates = [self.accuracy[s], *(Rate(count, len(self.labels)) for count in counts)]
            ends = [end for rate in rates for end in rate.interval]
            row = (step, *clean, self.eps, len(self.labels), *counts, *map(float, seconds), *ends)
            rows.append(row)
        return header, rows

    def __str__(self):
        header, rows = self.rows()
        shown = len(header) - len(_ENDS) * (1 + len(STATUSES))
        return table(header[:shown], [[_short(cell) for cell in row[:shown]] for row in rows])


def quantisation_study(
    make_model,
    steps,
    data,
    eps,
    n_images=100,
    solver="native",
    timeout=60.0,
    n_jobs=1,
    **options,
):
    """Fit a network for each step, and verify the same images with each of them.

    Parameters
    ----------
    make_model : callable
        ``make_model(step)`` returns a new model with ``fit(images, labels)`` that keeps an
        exact network of this step as ``network_``.
    steps : sequence of float or Fraction
        Widths of an input level on the [0, 1] scale.
    data : Dataset
    eps : float
        Radius on the [0, 1] scale.
    n_images : int
        The first so many test images are verified, all are classified.
    solver, timeout, n_jobs, **options
        As for `verify_all`.

    Returns
    -------
    QuantisationStudy

    Raises
    ------
    TypeError, ValueError
        For arguments that make no sense, and for a model whose network has another step.

    Examples
    --------
    >>> from bnnkit import BNNClassifier, assess, datasets
    >>> study = assess.quantisation_study(
    ...     lambda step: BNNClassifier("16", quant_step=step, epochs=3, random_state=0),
    ...     [0.1, 0.25, 0.5],
    ...     datasets.load("digits", limit=200),
    ...     eps=0.05,
    ...     n_images=3,
    ... )
    >>> [row[:2] for row in study.rows()[1]]  # steps, and the levels that they leave
    [('1/10', 11), ('1/4', 5), ('1/2', 3)]
    """
    steps = [simplest_fraction(step, "step") for step in steps]
    if not steps or len(set(steps)) < len(steps):
        raise ValueError(f"steps must be different widths, one at least, got {steps}")
    check_count("n_images", n_images)
    radius, results = as_eps(eps), []
    test = as_images(data.test.images)
    labels = as_labels(data.test.labels, len(test))
    images, asked = test[:n_images], labels[:n_images]
    for step in steps:
        started = time.perf_counter()
        model = make_model(step)
        model.fit(data.train.images, data.train.labels)
        fit_seconds = time.perf_counter() - started
        network = exact_network(model)
        if network.quantiser.step != step:
            raise ValueError(
                f"make_model({step}) gave a network of step {network.quantiser.step}; "
                "pass the step on to it as quant_step"
            )
        right = accuracy(network.predict(test), labels).count
        verdicts = verify_all(network, images, asked, radius, solver, timeout, n_jobs, **options)
        results.append((right, fit_seconds, verdicts, _adversarial(verdicts, images)))
    right, fit_seconds, tables, adversarial = zip(*results, strict=True)
    return QuantisationStudy(
        steps=[str(step) for step in steps],
        eps=float(radius),
        right=np.array(right),
        n_test=len(test),
        status=np.array([verdicts.status for verdicts in tables]),
        stage=np.array([[verdict.stage for verdict in verdicts] for verdicts in tables]),
        seconds=np.array([[verdict.seconds for verdict in verdicts] for verdicts in tables]),
        fit_seconds=np.array(fit_seconds),
        adversarial=np.array(adversarial),
        predicted=np.array([[verdict.predicted for verdict in verdicts] for verdicts in tables]),
        originals=images,
        labels=asked,
        settings={"solver": solver, "timeout": timeout},
    )


def _adversarial(verdicts, images):
    """float32 (N, C, H, W): what was found, else the image."""
    adversarial = unit_floats(images)
    for i, verdict in enumerate(verdicts):
        if verdict.adversarial is not None:
            adversarial[i] = unit_floats(verdict.adversarial).reshape(adversarial[i].shape)
    return adversarial


def _short(cell):
    return f"{cell:.4g}" if isinstance(cell, float) else cell
