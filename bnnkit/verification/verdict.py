"""`Verdict`: one of three answers, with its witness; `Verdicts`: a table of them."""

import csv
import io
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bnnkit._files import write_text

STATUSES = ("robust", "falsified", "unknown")
STAGES = ("clean", "bounds", "falsify", "encode", "solve")


@dataclass(frozen=True)
class Verdict:
    """The answer to "does the network give `label` everywhere in the ball?".

    Attributes
    ----------
    status : "robust", "falsified", "unknown"
        Proved; refuted by `adversarial`; or undecided, which is never counted as robust.
    label : int
        The class that was asked about.
    eps : float
        Radius of the ball, on the [0, 1] scale.
    clean : int
        The network's class for the image itself.
    predicted : int
        The network's class for `adversarial`, or for the image where there is none.
    stage : "clean", "bounds", "falsify", "solver", "lost", "wrong"
        What gave the answer; "clean": the image itself is misclassified. Of an "unknown" in a
        campaign, "lost": the process that should have answered has ended, or the solver has raised
        an error; "wrong": an answer failed its check (`bnnkit.solvers.WrongAnswer`).
    adversarial : ndarray or None
        Shape (C, H, W). float32 in [0, 1], or uint8 where that was asked for.
    timings : dict of str to float
        Seconds of each stage that ran: "clean", "bounds", "falsify", "encode" (building the
        formula, translating it for the solver), "solve", "certificate" (writing
        one); or "lost".
    reason : str
        Why an "unknown" is one.

    Examples
    --------
    A pixel that is class 0 up to 0.15:

    >>> import bnnkit
    >>> from bnnkit.network import BinaryNetwork, Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> network = BinaryNetwork(Quantiser(0.1), [Conv2d([[[[1]]]], [2], [1])], head, (1, 1, 1))
    >>> verdict = bnnkit.verify(network, [0.0], 0, eps=0.2)
    >>> verdict.status, verdict.clean, verdict.predicted
    ('falsified', 0, 1)
    >>> bool(verdict.adversarial.max() <= 0.2)
    True
    """

    status: str
    label: int
    eps: float
    clean: int
    predicted: int
    stage: str
    adversarial: np.ndarray | None = field(default=None, repr=False)
    timings: dict = field(default_factory=dict)
    reason: str = ""

    @property
    def seconds(self):
        """Total time of all stages."""
        return sum(self.timings.values())


class Verdicts(Sequence):
    """Verdicts of many images, in their order.

    Parameters
    ----------
    verdicts : iterable of Verdict

    Attributes
    ----------
    status : ndarray of str, shape (N,)
    counts : dict of str to int
        How many are "robust", "falsified", "unknown".
    misclassified : int
        Images that are misclassified as they are; they count as falsified, too.
    wrong : list of int
        Indices of images over which an answer failed its check.
    certified_accuracy : float
        Share of all images that are proved robust; ValueError where there are none.
    seconds : float
        Time of all verdicts together.

    Examples
    --------
    >>> from bnnkit.verification import Verdict, Verdicts
    >>> verdict = Verdict("robust", label=3, eps=0.1, clean=3, predicted=3, stage="bounds")
    >>> verdicts = Verdicts([verdict])
    >>> verdicts.counts
    {'robust': 1, 'falsified': 0, 'unknown': 0}
    >>> verdicts.certified_accuracy
    1.0
    """

    def __init__(self, verdicts):
        self._verdicts = list(verdicts)

    def __len__(self):
        return len(self._verdicts)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return Verdicts(self._verdicts[index])
        return self._verdicts[index]

    def __repr__(self):
        counts = ", ".join(f"{count} {status}" for status, count in self.counts.items())
        return f"Verdicts({len(self)}: {counts})"

    @property
    def status(self):
        """The status of each verdict, an array of str."""
        return np.array([verdict.status for verdict in self])

    @property
    def counts(self):
        """How many are robust, falsified, unknown."""
        found = Counter(verdict.status for verdict in self)
        return {status: found[status] for status in STATUSES}

    @property
    def misclassified(self):
        """How many images are misclassified as they are; they count as falsified too."""
        return sum(verdict.clean != verdict.label for verdict in self)

    @property
    def wrong(self):
        """Indices of the images over which an answer failed its check: a defect was found."""
        return [i for i, verdict in enumerate(self) if verdict.stage == "wrong"]

    @property
    def certified_accuracy(self):
        """Share of all images that are proved robust; ValueError where there are none."""
        if not self._verdicts:
            raise ValueError("there are no verdicts, hence no rate")
        return self.counts["robust"] / len(self)

    @property
    def seconds(self):
        """Time of all verdicts together."""
        return sum(verdict.seconds for verdict in self)

    def to_csv(self, path=None):
        """The table as CSV: written to `path`, atomically, or returned where there is none."""
        columns = ["index", "label", "clean", "eps", "status", "stage", "predicted", "reason"]
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(columns + [f"{stage}_s" for stage in STAGES])
        for i, v in enumerate(self):
            row = [i, v.label, v.clean, v.eps, v.status, v.stage, v.predicted, v.reason]
            table.writerow(row + [_seconds(v.timings.get(stage)) for stage in STAGES])
        if path is None:
            return text.getvalue()
        write_text(path, text.getvalue())
        return None


def combine(tables):
    """What several solvers together know of each image, and where they contradict each other.

    Parameters
    ----------
    tables : iterable of Verdicts
        Of the same images in the same order; a shorter one lacks the last images.

    Returns
    -------
    statuses : list of str
        "falsified" or "robust" if any solver says so, else "unknown".
    disagreements : list of int
        Indices of images that one solver proves robust and another falsifies.

    Examples
    --------
    >>> from bnnkit.verification import Verdict, Verdicts, combine
    >>> def said(*statuses):
    ...     return Verdicts([Verdict(s, label=3, eps=0.1, clean=3, predicted=3, stage="solver")
    ...                      for s in statuses])
    >>> combine([said("robust", "unknown", "robust"), said("unknown", "unknown", "falsified")])
    (['robust', 'unknown', 'falsified'], [2])
    """
    answers = [
        set(row) for row in itertools.zip_longest(*(table.status.tolist() for table in tables))
    ]
    statuses = [
        next((status for status in ("falsified", "robust") if status in found), "unknown")
        for found in answers
    ]
    wrong = [i for i, found in enumerate(answers) if contradictory(found)]
    return statuses, wrong


def contradictory(statuses):
    """Whether some answers to one question, None where there is none, contradict each other."""
    return len(set(statuses) - {"unknown", None}) > 1


def _seconds(value):
    return "" if value is None else f"{value:.6f}"
