"""`Matrix`: a number for each pair of two lists of names."""

from dataclasses import dataclass

import numpy as np

from bnnkit._table import table
from bnnkit.assess._stored import Stored, check_shapes


@dataclass(frozen=True, eq=False)
class Matrix(Stored):
    """Values for pairs of names, such as target and source of a transferred attack.

    Attributes
    ----------
    title : str
    row_name, column_name : str
        What the rows and the columns are.
    row_names, column_names : list of str, R and C of them
    values : ndarray of float64, shape (R, C)
        Shares in [0, 1], NaN where there was nothing to measure.
    n : ndarray of int64, shape (R, C)
        Images behind each value.
    low, high : ndarray of float64, shape (R, C)
        The interval of each value, NaN where there is none.

    Examples
    --------
    >>> from bnnkit.assess import Matrix
    >>> matrix = Matrix("Fooled", "target", "source", ["A", "B"], ["C"],
    ...                 values=np.array([[0.5], [np.nan]]), n=np.array([[20], [0]]),
    ...                 low=np.array([[0.3], [np.nan]]), high=np.array([[0.7], [np.nan]]))
    >>> print(matrix)
    target / source      C
    A                0.500
    B                    -
    """

    title: str
    row_name: str
    column_name: str
    row_names: list[str]
    column_names: list[str]
    values: np.ndarray
    n: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def __post_init__(self):
        shape = (len(self.row_names), len(self.column_names))
        check_shapes(self, values=shape, n=shape, low=shape, high=shape)

    def rows(self):
        """Header and rows of a table with one row for each pair."""
        header = (self.row_name, self.column_name, "share", "n", "low", "high")
        places = np.ndindex(self.values.shape)
        arrays = (self.values, self.n, self.low, self.high)
        return header, [
            (self.row_names[r], self.column_names[c], *(array[r, c].item() for array in arrays))
            for r, c in places
        ]

    def __str__(self):
        cells = [
            (name, *("-" if np.isnan(value) else f"{value:.3f}" for value in row))
            for name, row in zip(self.row_names, self.values, strict=True)
        ]
        return table((f"{self.row_name} / {self.column_name}", *self.column_names), cells)
