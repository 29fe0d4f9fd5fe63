"""`Vote`: several models that decide together."""

import numpy as np


class Vote:
    """The class that most members choose; the lowest one of several with as many votes.

    Parameters
    ----------
    members : sequence of models
        Each with ``predict(images)`` that returns classes; at least one.

    Examples
    --------
    >>> from bnnkit.ensemble import Vote
    >>> class Always:
    ...     def __init__(self, label):
    ...         self.label = label
    ...
    ...     def predict(self, images):
    ...         return np.full(len(images), self.label)
    >>> Vote([Always(2), Always(1), Always(2)]).predict(np.zeros((1, 4))).tolist()
    [2]
    >>> Vote([Always(2), Always(1)]).predict(np.zeros((1, 4))).tolist()
    [1]
    """

    def __init__(self, members):
        self.members = tuple(members)
        if not self.members:
            raise ValueError("members is empty; a vote needs at least one model")

    def predict(self, images):
        """Classes of images: ndarray of int64, shape (N,)."""
        return plurality(np.stack([member.predict(images) for member in self.members]))


def plurality(votes):
    """The class with the most votes in each column, the lowest of those with as many.

    Parameters
    ----------
    votes : array_like of int, shape (members, N)

    Returns
    -------
    ndarray of int64, shape (N,)

    Examples
    --------
    >>> from bnnkit.ensemble import plurality
    >>> plurality([[1, 2], [1, 0], [0, 3]]).tolist()
    [1, 0]
    """
    votes = np.asarray(votes, dtype=np.int64)
    counts = (votes[:, :, None] == np.arange(votes.max(initial=0) + 1)).sum(axis=0)
    return counts.argmax(axis=1)
