"""What an ensemble makes of the classes that its members choose.

Both questions about an ensemble have one form. Let v[j] be the number of members that choose class
j. The ensemble *falls* to a class j, which is not the label, if

    v[j] - weight * v[label] >= least[j].

Joint: all k members choose j, so the weight is 0 and the least number k. Vote: j has more votes
than the label, or as many and a lower number; the weight is 1, least[j] is 1 for j > label, else 0.
"""

from typing import NamedTuple

import numpy as np


class Rule(NamedTuple):
    """When an ensemble falls; c classes.

    Attributes
    ----------
    label, weight : int
    least : ndarray of int64, shape (c,)
    majority : ndarray of int64, shape (c,)
        So many members for class j are enough, even if all the others are for the label.
    """

    label: int
    weight: int
    least: np.ndarray
    majority: np.ndarray

    def outcome(self, choices):
        """The class that the members' choices come to: the label, where the ensemble stands.

        >>> rule("vote", 3, 0, 4).outcome([0, 2, 1])
        0
        >>> rule("vote", 3, 2, 4).outcome([0, 2, 1])
        0
        >>> rule("joint", 2, 0, 4).outcome([3, 3])
        3
        """
        counts = np.bincount(choices, minlength=len(self.least))
        falls = counts - self.weight * counts[self.label] >= self.least
        falls[self.label] = False
        return int(np.where(falls, counts, -1).argmax()) if falls.any() else self.label

    def open_classes(self, possible):
        """Classes to which the ensemble may fall, if member n may choose j where possible[n, j].

        Parameters
        ----------
        possible : ndarray of bool, shape (k, c)

        Returns
        -------
        ndarray of int64
        """
        stands = possible.sum(axis=1) == possible[:, self.label]  # nothing but the label
        most = possible.sum(axis=0) - self.weight * stands.sum()
        # if it falls to a class without a vote, it falls to one that has some as well
        falls = (most >= self.least) & possible.any(axis=0)
        falls[self.label] = False
        return np.flatnonzero(falls)


def rule(name, k, label, n_classes):
    """The rule of the question "joint" or "vote" for k members."""
    if name == "joint":
        weight, least = 0, np.full(n_classes, k)
    else:
        weight, least = 1, (np.arange(n_classes) > label).astype(np.int64)
    return Rule(label, weight, least, -(-(least + weight * k) // (1 + weight)))
