"""`by_class`: outcomes counted class by class."""

from dataclasses import dataclass

import numpy as np

from bnnkit._checks import as_labels
from bnnkit._table import table
from bnnkit.assess._stored import Stored, check_shapes
from bnnkit.assess.measures import statuses_of
from bnnkit.assess.rates import Rate, wilson
from bnnkit.verification.verdict import STATUSES


@dataclass(frozen=True, eq=False)
class ByClass(Stored):
    """How many images of each class had which outcome.

    Attributes
    ----------
    names : list of str
        Of the classes.
    outcomes : list of str
        "right" and "wrong", or "robust", "falsified" and "unknown".
    counts : ndarray of int64, shape (classes, outcomes)

    Examples
    --------
    >>> from bnnkit.assess import by_class
    >>> table = by_class(["robust", "falsified", "robust"], labels=[0, 0, 1], names=["cat", "dog"])
    >>> print(table)
    class  images  robust  falsified  unknown          % robust (95 %)
    cat         2       1          1        0     50.0 % (9.5 to 90.5)
    dog         1       1          0        0  100.0 % (20.7 to 100.0)
    >>> [rate.share for rate in table.rates("robust")]
    [0.5, 1.0]
    """

    names: list[str]
    outcomes: list[str]
    counts: np.ndarray

    def __post_init__(self):
        check_shapes(self, counts=(len(self.names), len(self.outcomes)))

    @property
    def n(self):
        """Images of each class: int64 (classes,)."""
        return self.counts.sum(axis=1)

    def rates(self, outcome):
        """The Rate of an outcome for each class."""
        counts = self.counts[:, self.outcomes.index(outcome)]
        return [Rate(int(count), int(n)) for count, n in zip(counts, self.n, strict=True)]

    def rows(self):
        """Header and rows of a table, with the interval of the first outcome's share."""
        header = ("class", "n", *self.outcomes, "low", "high")
        low, high = wilson(self.counts[:, 0], self.n)
        columns = (self.names, self.n.tolist(), *self.counts.T.tolist(), low, high)
        return header, list(zip(*columns, strict=True))

    def __str__(self):
        first = self.outcomes[0]
        rows = zip(self.names, self.n, *self.counts.T, self.rates(first), strict=True)
        return table(("class", "images", *self.outcomes, f"% {first} (95 %)"), rows)


def by_class(outcomes, labels, names=None):
    """Count outcomes for each class.

    Parameters
    ----------
    outcomes : Verdicts, or array_like of str or bool, shape (N,)
        Verdicts or their statuses; or whether each image is right, such as
        ``model.predict(images) == labels``, or ``~result.success`` of an attack.
    labels : array_like of int, shape (N,)
    names : sequence of str, optional
        Of all classes; their numbers unless given.

    Returns
    -------
    ByClass

    Examples
    --------
    >>> from bnnkit.assess import by_class
    >>> table = by_class([True, False, True], labels=[0, 1, 1], names=["cat", "dog"])
    >>> table.counts.tolist()
    [[1, 0], [1, 1]]
    """
    found = np.asarray(getattr(outcomes, "status", outcomes))
    if np.issubdtype(found.dtype, np.bool_):
        columns, found = ("right", "wrong"), np.where(found, "right", "wrong")
    else:
        columns, found = STATUSES, statuses_of(found)
    labels = as_labels(labels, len(found), None if names is None else len(names))
    names = range(labels.max() + 1) if names is None else names
    counts = [
        [int(((labels == c) & (found == o)).sum()) for o in columns] for c in range(len(names))
    ]
    return ByClass([str(name) for name in names], list(columns), np.array(counts, dtype=np.int64))
