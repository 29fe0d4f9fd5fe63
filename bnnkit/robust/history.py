"""What a run of the robust training loop leaves behind."""

import csv
import io
import json
from dataclasses import asdict, dataclass, field

import numpy as np

from bnnkit._files import write_text

ANSWERS = ("robust", "falsified", "unknown", "detected")


@dataclass(frozen=True)
class Counts:
    """Verdicts of one judge over n images: n = robust + falsified + unknown + detected.

    Attributes
    ----------
    robust : int
        Not fooled. Proved only if `complete`; otherwise this attack found nothing.
    falsified : int
        Fooled, images that are wrong without any change included.
    unknown : int
        Undecided for want of time; never counted as robust.
    complete : bool
        Whether the judge's "not fooled" is a proof.
    seconds : float
    detected : int
        Images of a pool that a model with a class for adversarial images put there
        (`Relabelled`). Where an attack ends at such an image, the verdict is unknown: another
        one may evade the model.
    per_class : dict of str to list of int
        Each of the four counts for the classes 0, 1, ... of the labels.
    eps : float or None
        The radius that the judge attacks with; None where it looks at fixed images.

    Examples
    --------
    >>> from bnnkit.robust import Counts
    >>> counts = Counts(robust=80, falsified=15, unknown=5, complete=True, seconds=2.0)
    >>> counts.n, counts.share
    (100, 0.8)
    """

    robust: int
    falsified: int
    unknown: int
    complete: bool
    seconds: float
    detected: int = 0
    per_class: dict[str, list[int]] = field(default_factory=dict)
    eps: float | None = None

    @property
    def n(self):
        """Number of judged images."""
        return self.robust + self.falsified + self.unknown + self.detected

    @property
    def share(self):
        """(robust + detected) / n."""
        return (self.robust + self.detected) / self.n

    @classmethod
    def of(cls, labels, *, complete, seconds, eps=None, **answers):
        """Count answers: which images of shape (n,) are `falsified`, `unknown`, `detected`.

        An image has one of these answers at most, and is robust where it has none.
        """
        nowhere = np.zeros(len(labels), dtype=bool)
        answers = {name: answers.get(name, nowhere) for name in ANSWERS[1:]}
        answers["robust"] = ~np.any(list(answers.values()), axis=0)
        n_classes = int(labels.max()) + 1
        per_class = {
            name: np.bincount(labels[answers[name]], minlength=n_classes).tolist()
            for name in ANSWERS
        }
        totals = {name: sum(counts) for name, counts in per_class.items()}
        return cls(**totals, complete=complete, seconds=seconds, per_class=per_class, eps=eps)


@dataclass(frozen=True)
class Round:
    """One round: images added, models fitted, models judged.

    Where there are k > 1 models, names such as "PGD[0]" are about one of them, and the plain
    name is about their vote, or about an attack on all of them.

    Attributes
    ----------
    index : int
        Round 0 is the model before any image is added.
    n_attacked, n_added, n_undecided : int
        Images that were attacked (or otherwise tried) before this round's fit, with the models
        of the round before; images that this gave; and images without an answer.
    n_train : int
        Images that the models were fitted on.
    clean_accuracy : float
        On all test images; of several models that of their vote.
    judged : dict of str to Counts
        By the name of the judge.
    seconds : dict of str to float
        For "attack", "fit" and "judge".
    clean : dict of str to Counts
        Right ("robust") and wrong ("falsified") test images: "clean", and of several models
        "clean[0]" and so on.

    Examples
    --------
    >>> from bnnkit.robust import Counts, Round
    >>> counts = Counts(robust=30, falsified=10, unknown=0, complete=True, seconds=2.0)
    >>> second = Round(
    ...     1, n_attacked=80, n_added=50, n_undecided=0, n_train=550, clean_accuracy=0.92,
    ...     judged={"exact": counts}, seconds={"attack": 1.0, "fit": 2.0, "judge": 2.0},
    ... )
    >>> second.n_train, second.judged["exact"].share
    (550, 0.75)
    """

    index: int
    n_attacked: int
    n_added: int
    n_undecided: int
    n_train: int
    clean_accuracy: float
    judged: dict[str, Counts]
    seconds: dict[str, float]
    clean: dict[str, Counts] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values):
        """The inverse of `dataclasses.asdict`."""
        counts = {
            part: {name: Counts(**each) for name, each in values[part].items()}
            for part in ("judged", "clean")
        }
        return cls(**values | counts)


@dataclass(eq=False)
class History:
    """Rounds, models and added images of a run.

    Attributes
    ----------
    settings : dict
        What `train` was called with, as plain values.
    rounds : list of Round
    models : list
        The model of each round, a `bnnkit.ensemble.Vote` of several. With ``recreate=False``
        they may all be the same object.
    added : list of Drawn
        The images that each round added; the first round has none.
    stopped : str or None
        Why the run ended: "rounds", "seconds", "target" or "images" (all are used up).

    Examples
    --------
    >>> from bnnkit import BNNClassifier, datasets, robust
    >>> history = robust.train(
    ...     lambda: BNNClassifier("16", quant_step=0.5, epochs=3, n_classes=10, random_state=0),
    ...     robust.Noise(),
    ...     datasets.load("digits", limit=300),
    ...     eps=0.3, rounds=2, images_per_round=20, start=200,
    ... )
    >>> [(each.index, each.n_train) for each in history.rounds], history.stopped
    ([(0, 200), (1, 220), (2, 240)], 'rounds')
    """

    settings: dict
    rounds: list[Round] = field(default_factory=list)
    models: list = field(default_factory=list)
    added: list = field(default_factory=list)
    stopped: str | None = None

    def append(self, finished, model, drawn):
        """Keep a finished Round, its model, and the images that it had added."""
        self.rounds.append(finished)
        self.models.append(model)
        self.added.append(drawn)

    @property
    def model(self):
        """The model of the last round."""
        return self.models[-1]

    @property
    def pool(self):
        """All added images and their labels: (float32 (M, ...), int64 (M,))."""
        images = np.concatenate([drawn.images for drawn in self.added])
        return images, np.concatenate([drawn.labels for drawn in self.added])

    @property
    def origin(self):
        """The training image that each of `pool` was made from, or -1: int64 (M,)."""
        return np.concatenate([drawn.origin for drawn in self.added])

    @property
    def seconds(self):
        """Of all rounds, whichever process worked on them."""
        return sum(sum(each.seconds.values()) for each in self.rounds)

    def to_dict(self):
        """Settings and rounds as plain dicts, lists and numbers."""
        rounds = [asdict(each) for each in self.rounds]
        return {"settings": self.settings, "rounds": rounds, "stopped": self.stopped}

    def to_json(self, path):
        """Write `to_dict` to `path`, atomically."""
        write_text(path, json.dumps(self.to_dict(), indent=2) + "\n")

    def to_csv(self, path=None):
        """A line a round, as CSV: written to `path`, atomically, or returned without one.

        Columns are the numbers of `Round`, "seconds attack" and so on, and for each judge
        "NAME robust", "NAME falsified", "NAME unknown" and "NAME detected". Counts per class
        are in `to_dict` alone.
        """
        text = io.StringIO()
        rows = [_row(each) for each in self.rounds]
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        if path is None:
            return text.getvalue()
        write_text(path, text.getvalue())
        return None

    def __repr__(self):
        return f"History({len(self.rounds)} rounds, {sum(r.n_added for r in self.rounds)} added)"


def _row(finished):
    names = ("index", "n_attacked", "n_added", "n_undecided", "n_train", "clean_accuracy")
    row = {name: getattr(finished, name) for name in names}
    row |= {f"seconds {part}": seconds for part, seconds in finished.seconds.items()}
    for name, counts in {**finished.clean, **finished.judged}.items():
        row |= {f"{name} {answer}": getattr(counts, answer) for answer in ANSWERS}
    return row
