"""Judging models after a round: on clean images, by attacks, and on fixed pools."""

import time
from dataclasses import dataclass

import numpy as np

from bnnkit._checks import as_eps
from bnnkit.attacks.models import predict, predict_clean
from bnnkit.ensemble import plurality
from bnnkit.robust.history import Counts
from bnnkit.robust.opponents import check_against, check_attack, is_attack, numbered, opponents
from bnnkit.robust.pool import Pool


@dataclass(frozen=True)
class Judge:
    """An attack on test images: white-box robustness.

    Parameters
    ----------
    attack : Attack
    eps : float, optional
        That of the training unless given.
    against : "each", "all" or "vote"
        Of k models each is judged by itself; or the attack gets the list of all; or their
        `Vote`.

    Examples
    --------
    >>> from bnnkit.attacks import FGSM
    >>> from bnnkit.robust import Judge
    >>> Judge(FGSM(), eps=0.3)
    Judge(attack=FGSM(), eps=0.3, against='each')
    """

    attack: object
    eps: float | None = None
    against: str = "each"

    def __post_init__(self):
        check_attack(self.attack)
        check_against(self.against)
        if self.eps is not None:
            as_eps(self.eps)


def as_judges(judge, default):
    """A dict of named Judges and Pools from the argument `judge` of `train`.

    Where it is None, `default` judges if it is an attack.
    """
    if judge is None:
        judge = default if is_attack(default) else {}
    if isinstance(judge, Judge):
        judge = {type(judge.attack).__name__: judge}
    elif is_attack(judge):
        judge = {type(judge).__name__: judge}
    judges = judge if isinstance(judge, dict) else None
    if judges is None or not all(map(_can_judge, judges.values())):
        raise TypeError(
            f"judge must be an Attack or a dict of named Attacks, Judges and Pools, got {judge!r}"
        )
    if not all(isinstance(name, str) and name != "clean" for name in judges):
        raise ValueError(f"judges are named by texts other than 'clean', got {list(judges)}")
    return {name: Judge(each) if is_attack(each) else each for name, each in judges.items()}


def _can_judge(candidate):
    return is_attack(candidate) or isinstance(candidate, (Judge, Pool))


class Examination:
    """The test images, and the judges that see the first of them.

    Parameters
    ----------
    images, labels : ndarray
        The test split, uint8 or float64.
    judges : dict of str to Judge or Pool
    n_judge : int
        Attacks get that many images.
    eps : float
        Of judges without their own.
    detector : int or None
        The class that stands for "adversarial".
    """

    def __init__(self, images, labels, judges, n_judge, eps, detector):
        self.images, self.labels, self.judges = images, labels, judges
        self._attacked = images[:n_judge], labels[:n_judge]
        self._eps, self._detector = eps, detector

    @property
    def last_class(self):
        """The largest label that an attack gets, which models must know; -1 without one."""
        attacks = any(isinstance(judge, Judge) for judge in self.judges.values())
        return int(self._attacked[1].max()) if attacks else -1

    def names(self, n_models):
        """What `of` names the verdicts on so many models."""
        named = [("clean", None), *self.judges.items()]
        return [name for pair in named for name in _names(*pair, n_models)]

    def of(self, models):
        """Counts on clean images, and those of the judges: two dicts by name."""
        clean = self._on_pool("clean", self.images, self.labels, models, None)
        judged = {}
        for name, judge in self.judges.items():
            if isinstance(judge, Pool):
                pool = judge.images, judge.labels
                judged |= self._on_pool(name, *pool, models, self._detector)
            else:
                judged |= self._by_attack(name, judge, models)
        return clean, judged

    def _on_pool(self, name, images, labels, models, detector):
        """Counts of each model, and of the vote of several."""
        counts, answers = {}, []
        for each in numbered(name, len(models)):
            started = time.perf_counter()
            answers.append(predict_clean(models[len(answers)], images))
            counts[each] = _of_classes(answers[-1], labels, detector, started)
        if len(models) > 1:
            vote = _of_classes(plurality(answers), labels, detector, started)
            counts = {name: vote} | counts
        return counts

    def _by_attack(self, name, judge, models):
        targets = opponents(models, judge.against)
        eps = self._eps if judge.eps is None else judge.eps
        counts = {}
        for target, each in zip(targets, _names(name, judge, len(models)), strict=True):
            result = judge.attack(target, *self._attacked, eps)
            caught = self._caught(target, result)
            counts[each] = Counts.of(
                self._attacked[1],
                falsified=result.success & ~caught,
                unknown=result.undecided | caught,
                complete=judge.attack.complete,
                seconds=result.seconds,
                eps=float(as_eps(eps)),
            )
        return counts

    def _caught(self, target, result):
        """Which successes the model knows for adversarial: whether others evade it is open.

        A clean image that it takes for adversarial is just wrong.
        """
        if self._detector is None:
            return np.zeros(len(result.success), dtype=bool)
        images, labels = self._attacked
        right = predict_clean(target, images) == labels
        return result.success & right & (predict(target, result.adversarial) == self._detector)


def _names(name, judge, n_models):
    if isinstance(judge, Judge):
        return numbered(name, n_models if judge.against == "each" else 1)
    return [name, *(numbered(name, n_models) if n_models > 1 else [])]


def _of_classes(classes, labels, detector, started):
    wrong = classes != labels
    detected = np.zeros(len(labels), dtype=bool) if detector is None else classes == detector
    return Counts.of(
        labels,
        falsified=wrong & ~detected,
        detected=detected,
        complete=False,
        seconds=time.perf_counter() - started,
    )
