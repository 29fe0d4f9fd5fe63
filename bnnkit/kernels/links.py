"""Which sites of the input of a convolution meet which of its output, and by which tap."""

from typing import NamedTuple

import numpy as np

from bnnkit.kernels.windows import output_size


class Links(NamedTuple):
    """The links of every site, one site after the other.

    Attributes
    ----------
    start : ndarray of int32, shape (sites + 1,)
        The links of site i are start[i] .. start[i + 1] - 1.
    site, tap : ndarray of int32, shape (links,)
        The site at the other end, and the place in the kernel; both row-major.
    """

    start: np.ndarray
    site: np.ndarray
    tap: np.ndarray


def links(size, kernel, stride, padding):
    """Links from pixels to outputs, and from outputs to pixels.

    Parameters
    ----------
    size, kernel : tuple of int
        Height and width.
    stride, padding : int

    Returns
    -------
    forward, backward : Links

    Examples
    --------
    >>> forward, backward = links((1, 3), (1, 2), stride=1, padding=0)
    >>> backward.site.tolist(), backward.tap.tolist()
    ([0, 1, 1, 2], [0, 1, 0, 1])
    >>> forward.start.tolist(), forward.site.tolist(), forward.tap.tolist()
    ([0, 1, 3, 4], [0, 0, 1, 1], [0, 1, 0, 1])
    """
    rows, columns = (output_size(s, k, stride, padding) for s, k in zip(size, kernel, strict=True))
    place = np.ogrid[:rows, :columns, : kernel[0], : kernel[1]]
    y = place[0] * stride + place[2] - padding
    x = place[1] * stride + place[3] - padding
    inside = (y >= 0) & (y < size[0]) & (x >= 0) & (x < size[1])
    output = np.broadcast_to(place[0] * columns + place[1], inside.shape)[inside]
    tap = np.broadcast_to(place[2] * kernel[1] + place[3], inside.shape)[inside]
    pixel = (y * size[1] + x)[inside]
    return (
        _sorted_links(pixel, output, tap, size[0] * size[1]),
        _sorted_links(output, pixel, tap, rows * columns),
    )


def _sorted_links(source, site, tap, n_sources):
    order = np.argsort(source, kind="stable")
    start = np.searchsorted(source[order], np.arange(n_sources + 1))
    return Links(*(np.ascontiguousarray(a, np.int32) for a in (start, site[order], tap[order])))
