"""Products of a layer in one direction from lists of the weights in use."""

import numpy as np

from bnnkit.kernels.codes import MEMBERS
from bnnkit.kernels.sparse import Terms, find, kinds, list_terms, lists_by_lanes


def weights_in_use(weights, n_in_use):
    """Gather the weights that are not 0.

    Parameters
    ----------
    weights : ndarray of int8, shape (O, taps, C)
    n_in_use : int
        How many they are.

    Returns
    -------
    ndarray of int32, shape (4, n_in_use)
        Output, tap, channel and sign of each.
    """
    found = np.empty((4, n_in_use + 1), np.int32)
    find(weights, found)
    return found[:, :n_in_use]


class WeightLists:
    """Products y = W x, or y = W^T x, with few weights that are not 0.

    Looking sums up takes an addition for each group of three (base 2: four) columns in each row
    at each link, and 27 (16) sums for each group at each site of x. Lists take an addition for
    each weight in use at each link, of a number that lies farther away. They are used where
    they take at most half as many. That depends on shapes and weights alone, so that a seed
    gives the same network on every machine.

    Parameters
    ----------
    shape : tuple of int
        Of the weights, (O, taps, C).
    links : Links
        From sites of y to sites of x.
    n_sites : int
        Sites of x.
    transposed : bool
        y = W^T x.
    base : 2 or 3
        Of how many values the weights are.

    Attributes
    ----------
    most : int
        Weights in use up to which lists are used.
    """

    def __init__(self, shape, links, n_sites, transposed, base):
        outputs, taps, channels = shape
        self._rows, self._columns = (channels, outputs) if transposed else (outputs, channels)
        self._transposed, self._kinds = transposed, kinds(links, taps)
        groups, n_links = -(-self._columns // MEMBERS[base]), len(links.site)
        look_ups = groups * (self._rows * n_links + base ** MEMBERS[base] * n_sites)
        self.most = taps * look_ups // (2 * n_links)
        self._listed = None

    def product(self, found, x, n_images, y):
        """Write the product to `y`.

        Parameters
        ----------
        found : ndarray
            From `weights_in_use`; another array means that the weights have changed.
        x, y : ndarray
            Lanes, as `lists_by_lanes` takes them.
        n_images : int
        """
        listed = self._listed  # another thread may be about to replace it
        if listed is None or listed[0] is not found:
            listed = self._listed = found, self._list(found)
        lists_by_lanes(x, listed[1], self._kinds, n_images, y)

    def _list(self, found):
        output, tap, channel, sign = found
        row, column = (channel, output) if self._transposed else (output, channel)
        n_kinds = len(self._kinds.shift)
        shapes = (n_kinds, len(sign)), (self._rows + 1,), (n_kinds, self._rows, 2)
        terms = Terms(*(np.empty(shape, np.int32) for shape in shapes))
        list_terms(row, tap, column, sign, self._kinds.shift, self._columns, terms)
        return terms
