"""What a run of the robust training loop leaves behind."""

import csv
import io
import json
from dataclasses import asdict, dataclass, field

import numpy as np

from bnnkit._files import write_text


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
        Fooled, but known for adversarial by a model that has a class for that (`Relabelled`).
        For an attack no proof: it may have stopped at an image that is detected where another
        is not.
    per_class : dict of str to list of int
        Each of the four counts for the classes 0, 1, ... of the labels.
    """

    robust: int
    falsified: int
    unknown: int
    complete: bool
    seconds: float
    detected: int = 0
    per_class: dict[str, list[int]] = field(default_factory=dict)

    @property
    def n(self):
        """Number of judged images."""
        return self.robust + self.falsified + self.unknown + self.detected

    @property
    def share(self):
        """(robust + detected) / n: what neither fooled the model nor is undecided."""
        return (self.robust + self.detected) / self.n

    @classmethod
    def of(cls, labels, fooled, undecided, detected, *, complete, seconds):
        """Count boolean answers, shape (n,) each; `detected` is a part of `fooled`."""
        answers = {
            "robust": ~(fooled | undecided),
            "falsified": fooled & ~detected,
            "unknown": undecided,
            "detected": detected,
        }
        n_classes = int(labels.max()) + 1
        per_class = {
            name: np.bincount(labels[answer], minlength=n_classes).tolist()
            for name, answer in answers.items()
        }
        totals = {name: sum(counts) for name, counts in per_class.items()}
        return cls(**totals, complete=complete, seconds=seconds, per_class=per_class)


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
        answers = ("robust", "falsified", "unknown", "detected")
        row |= {f"{name} {answer}": getattr(counts, answer) for answer in answers}
    return row
