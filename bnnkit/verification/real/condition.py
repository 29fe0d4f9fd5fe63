"""What would be a counterexample, said about the scores of the classes."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Condition:
    """A counterexample is an input for which some case holds; a case, if all its comparisons do.

    Parameters
    ----------
    cases : sequence of sequence of (int, int)
        The comparison (a, b) holds if score[a] >= score[b]: a tie is enough.

    Examples
    --------
    >>> from bnnkit.verification.real import Condition
    >>> condition = Condition.not_class(1, 3)
    >>> condition.cases
    (((0, 1),), ((2, 1),))
    >>> bool(condition.holds([4, 4, 0])), bool(condition.holds([3, 4, 0]))
    (True, False)
    """

    cases: tuple

    def __post_init__(self):
        cases = tuple(tuple((_class(a), _class(b)) for a, b in case) for case in self.cases)
        if not cases or not all(cases):
            raise ValueError("a condition needs a case, and each case a comparison")
        object.__setattr__(self, "cases", cases)

    @classmethod
    def not_class(cls, label, n_classes):
        """Some other class has at least the score of `label`."""
        if not 0 <= operator.index(label) < n_classes:
            raise ValueError(f"label must be from 0 to {n_classes - 1}, got {label}")
        return cls([[(j, label)] for j in range(n_classes) if j != label])

    def check(self, n_classes):
        """Raise ValueError if a comparison is about a class that there is not."""
        most = max(max(pair) for case in self.cases for pair in case)
        if most >= n_classes:
            raise ValueError(f"the condition is about class {most} of 0 to {n_classes - 1}")

    def leads(self, scores):
        """By how much each case holds, if this is not negative.

        Parameters
        ----------
        scores : array_like of int, shape (classes, ...)

        Returns
        -------
        ndarray of int64, shape (cases, ...)
            The smallest score[a] - score[b] of the case's comparisons.
        """
        scores = np.asarray(scores)
        return np.stack(
            [np.min([scores[a] - scores[b] for a, b in case], axis=0) for case in self.cases]
        )

    def holds(self, scores):
        """Whether scores (classes, ...) are those of a counterexample."""
        return self.leads(scores).max(axis=0) >= 0


def _class(value):
    value = operator.index(value)
    if value < 0:
        raise ValueError(f"a class is a number from 0 on, got {value}")
    return value
