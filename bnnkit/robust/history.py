"""What a run of the robust training loop leaves behind."""

import json
from dataclasses import asdict, dataclass, field

import numpy as np

from bnnkit._files import write_text


@dataclass(frozen=True)
class Counts:
    """Three-valued verdict of one judge over n images: n = robust + falsified + unknown.

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
    """

    robust: int
    falsified: int
    unknown: int
    complete: bool
    seconds: float

    @property
    def n(self):
        """Number of judged images."""
        return self.robust + self.falsified + self.unknown

    @classmethod
    def of(cls, attack, result):
        """Count the AttackResult of `attack`."""
        return cls(
            robust=int(result.withstood.sum()),
            falsified=int(result.success.sum()),
            unknown=int(result.undecided.sum()),
            complete=attack.complete,
            seconds=result.seconds,
        )


@dataclass(frozen=True)
class Round:
    """One round: images added, model fitted, model judged.

    Attributes
    ----------
    index : int
        Round 0 is the model before any adversarial image.
    n_attacked, n_added, n_undecided : int
        Training images that were attacked before this round's fit, with the model of the
        round before; adversarial images that this gave; and images without an answer.
    n_train : int
        Images that the model was fitted on.
    clean_accuracy : float
        On all test images.
    judged : dict of str to Counts
        By the name of the judge.
    seconds : dict of str to float
        For "attack", "fit" and "judge".
    """

    index: int
    n_attacked: int
    n_added: int
    n_undecided: int
    n_train: int
    clean_accuracy: float
    judged: dict[str, Counts]
    seconds: dict[str, float]


@dataclass(eq=False)
class History:
    """Rounds, models and adversarial images of a run.

    Attributes
    ----------
    settings : dict
        What `train` was called with, as plain values.
    rounds : list of Round
    models : list
        The model of each round. With ``recreate=False`` they are all the same object.
    added : list of Drawn
        The images that each round added, with their true labels; the first round has none.
    """

    settings: dict
    rounds: list[Round] = field(default_factory=list)
    models: list = field(default_factory=list)
    added: list = field(default_factory=list)

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

    def to_dict(self):
        """Settings and rounds as plain dicts, lists and numbers."""
        return {"settings": self.settings, "rounds": [asdict(each) for each in self.rounds]}

    def to_json(self, path):
        """Write `to_dict` to `path`, atomically."""
        write_text(path, json.dumps(self.to_dict(), indent=2) + "\n")

    def __repr__(self):
        return f"History({len(self.rounds)} rounds, {sum(r.n_added for r in self.rounds)} added)"
