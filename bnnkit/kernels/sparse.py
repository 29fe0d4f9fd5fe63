"""Products of weights that are mostly 0 with lanes, from lists of the others.

Looking sums up (`bnnkit.kernels.russians`) costs the same however many weights are 0. Where few
are left, it is faster to list them, row by row, and to add up the inputs that they name: one
addition in a register for each. The arrays are the same *lanes*, and so are the sums.

Of a convolution, a list says where an input lies as seen from the site of the output. Sites at
the border see less of the image than those inside, and with a stride neighbouring pixels
contribute through different taps. So sites are sorted into *kinds* that see inputs through the
same taps and at the same distances, and each kind has its own lists. A dense layer has one site.

`kinds` depends on the shape of a layer alone. After a change of its weights, `find` gathers
those in use, `list_terms` makes the lists of a direction, and `lists_by_lanes` multiplies.
"""

from typing import NamedTuple

import numpy as np
from numba.extending import intrinsic

from bnnkit.kernels._compile import entry, inner
from bnnkit.kernels._lanes import REGISTER, Lanes, load, zeros
from bnnkit.kernels._vector import store

_REGISTER = np.uint64(REGISTER)
_RUN = np.uint64(127)  # of so many bits int8 holds the sum, of so many 8-bit levels int16


class Kinds(NamedTuple):
    """The sites of y, sorted by what they see of x.

    Attributes
    ----------
    start : ndarray of int32, shape (kinds + 1,)
        The sites of kind k are numbers start[k] .. start[k + 1] - 1 of the two arrays below.
    site, origin : ndarray of int32, shape (sites,)
        A site of y, and the first site of x that it sees.
    shift : ndarray of int32, shape (kinds, taps)
        From the origin to the site of x behind each tap; -1 where there is none.
    """

    start: np.ndarray
    site: np.ndarray
    origin: np.ndarray
    shift: np.ndarray


class Terms(NamedTuple):
    """The weights in use, listed for each kind of site and each row of y.

    Attributes
    ----------
    place : ndarray of int32, shape (kinds, weights in use)
        Rows of x, counted from the first one of the origin.
    start : ndarray of int32, shape (rows + 1,)
        Row r has the places from start[r] to start[r + 1].
    gap : ndarray of int32, shape (kinds, rows, 2)
        From the first to the second of these there is nothing, since some sites see less than
        others. Weights of +1 come before, those of -1 behind.
    """

    place: np.ndarray
    start: np.ndarray
    gap: np.ndarray


def kinds(links, taps):
    """Sort sites by what they see.

    Parameters
    ----------
    links : Links
        From sites of y to sites of x, through `taps` taps.
    taps : int

    Returns
    -------
    Kinds

    Examples
    --------
    >>> from bnnkit.kernels.links import links
    >>> pixels_to_outputs, _ = links((1, 3), (1, 2), stride=1, padding=0)
    >>> found = kinds(pixels_to_outputs, 2)
    >>> found.shift.tolist()  # the last pixel, the first one, and the one between
    [[-1, 0], [0, -1], [1, 0]]
    >>> found.site.tolist(), found.origin.tolist()
    ([2, 0, 1], [1, 0, 0])
    """
    counts = np.diff(links.start)
    seeing = counts > 0
    origin = np.zeros(len(counts), np.int32)
    origin[seeing] = links.site[links.start[:-1][seeing]]
    seen = np.full((len(counts), taps), -1, np.int32)
    source = np.repeat(np.arange(len(counts)), counts)
    seen[source, links.tap] = links.site - origin[source]
    shift, kind = np.unique(seen, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    site = np.argsort(kind, kind="stable")
    start = np.searchsorted(kind[site], np.arange(len(shift) + 1))
    return Kinds(*(np.ascontiguousarray(a, np.int32) for a in (start, site, origin[site], shift)))


@entry
def find(weights, found):
    """Gather the weights that are not 0.

    Parameters
    ----------
    weights : ndarray of int8, shape (O, taps, C)
    found : ndarray of int32, shape (4, weights in use + 1)
        Is written: output, tap, channel and sign of each; the last column is waste.
    """
    flat, index, n = weights.reshape(-1), found[3], 0
    words = flat[: flat.size // 8 * 8].view(np.uint64)  # most are 0
    for w in range(words.size):
        if words[w]:
            for i in range(8 * w, 8 * w + 8):
                index[n] = i
                n += flat[i] != 0
    for i in range(8 * words.size, flat.size):
        index[n] = i
        n += flat[i] != 0
    _locate(weights, flat, found, n)


@inner
def _locate(weights, flat, found, n):
    """Turn places in `flat`, the last row of `found`, into the four rows; division is slow."""
    output, tap, end = 0, 0, weights.shape[2]
    for j in range(n):
        i = found[3, j]
        while i >= end:
            end += weights.shape[2]
            tap += 1
            if tap == weights.shape[1]:
                output, tap = output + 1, 0
        found[0, j], found[1, j] = output, tap
        found[2, j] = i - (end - weights.shape[2])
        found[3, j] = flat[i]


@entry
def list_terms(row, tap, column, sign, shift, width, terms):
    """List the weights in use.

    Parameters
    ----------
    row, tap, column, sign : ndarray of int32, one-dimensional
        From `find`; row and column are the output and the channel, or the other way round.
    shift : ndarray
        Of the `Kinds`.
    width : int
        Rows of a site of x.
    terms : Terms
        Is written.
    """
    start = terms.start
    start[:] = 0
    for i in range(row.size):
        start[row[i] + 1] += 1
    for r in range(1, start.size):
        start[r] += start[r - 1]
    for kind in range(shift.shape[0]):
        _list_kind(row, tap, column, sign, shift[kind], width, start, terms, kind)


@inner
def _list_kind(row, tap, column, sign, shift, width, start, terms, kind):
    """The lists of one kind of site; signs are as good as random, so no branch asks for them."""
    place, gap = terms.place[kind], terms.gap[kind]
    for r in range(start.size - 1):
        gap[r, 0], gap[r, 1] = start[r], start[r + 1]
    for i in range(row.size):
        r, seen = row[i], np.int32(shift[tap[i]] >= 0)
        up = np.int32(sign[i] > 0)
        first, last = gap[r, 0], gap[r, 1] - np.int32(1)
        place[first if up else last] = shift[tap[i]] * width + column[i]
        gap[r, 0] += seen & up
        gap[r, 1] -= seen & (up ^ np.int32(1))


@intrinsic
def _widen(typing, array, x):
    """A register of numbers as the type of those of `array`, which may be wider."""
    lanes = Lanes(array.dtype, x.count)

    def code(context, builder, signature, arguments):
        if lanes == x:
            return arguments[1]
        return builder.sext(arguments[1], context.get_value_type(lanes))

    return lanes(array, x), code


@inner
def _sums(x, y, place, first, stop, p, q, r, s):
    """Sums of the rows of x named by places from `first` to `stop`, as seen from four origins."""
    a = b = c = d = _widen(y, zeros(x))
    for start in range(first, stop, _RUN):
        e = f = g = h = zeros(x)
        for i in range(start, min(start + _RUN, stop)):
            at = np.uint64(place[i]) * _REGISTER
            e, f = e + load(x, p + at), f + load(x, q + at)
            g, h = g + load(x, r + at), h + load(x, s + at)
        a, b, c, d = a + _widen(y, e), b + _widen(y, f), c + _widen(y, g), d + _widen(y, h)
    return a, b, c, d


@inner
def _add_up(x, y, listed, place, gap, row, p, q, r, s):
    """The numbers of `row` of y, at the four sites that see x from the origins p, q, r and s."""
    first, last = np.uint64(listed[row]), np.uint64(listed[row + np.uint64(1)])
    a, b, c, d = _sums(x, y, place, first, np.uint64(gap[row, 0]), p, q, r, s)
    e, f, g, h = _sums(x, y, place, np.uint64(gap[row, 1]), last, p, q, r, s)
    return a - e, b - f, c - g, d - h


@inner
def _at(array, slab, site):
    """Byte of `array` (slabs, sites, rows, lanes) at which a site begins."""
    site_bytes = np.uint64(array.shape[2] * array.shape[3] * array.itemsize)
    return (np.uint64(slab) * np.uint64(array.shape[1]) + np.uint64(site)) * site_bytes


@inner
def _places(x, y, number, origins, sites):
    """Bytes of x and y where site `number` of a kind begins, all slabs counted through."""
    slab, site = number // sites.size, number % sites.size
    return _at(x, slab, origins[site]), _at(y, slab, sites[site])


@entry
def lists_by_lanes(x, terms, kinds, n_images, y):
    """Products of listed weights with `x`.

    Parameters
    ----------
    x : ndarray of float32, int16 or int8, shape (slabs, sites, R, 16, 32 or 64)
        int16 must be in 0 .. 255, int8 in 0 .. 1.
    terms : Terms
    kinds : Kinds
        From sites of y to sites of x.
    n_images : int
    y : ndarray, shape (slabs, sites, T, 16, 32 or 64)
        Is written; float32 for float32; int16, or int32 if a sum can be beyond that, for others.
    """
    used = (n_images + x.shape[3] - 1) // x.shape[3]
    y[used:] = 0
    row_bytes = np.uint64(y.shape[3] * y.itemsize)
    for kind in range(kinds.shift.shape[0]):
        place, gap = terms.place[kind], terms.gap[kind]
        sites = kinds.site[kinds.start[kind] : kinds.start[kind + 1]]
        origins = kinds.origin[kinds.start[kind] : kinds.start[kind + 1]]
        last = used * sites.size - 1
        for i in range(0, last + 1, 4):  # the last of four may be the same, and written twice
            j, k, m = min(i + 1, last), min(i + 2, last), min(i + 3, last)
            p, to_p = _places(x, y, i, origins, sites)
            q, to_q = _places(x, y, j, origins, sites)
            r, to_r = _places(x, y, k, origins, sites)
            s, to_s = _places(x, y, m, origins, sites)
            for row in range(np.uint64(y.shape[2])):
                a, b, c, d = _add_up(x, y, terms.start, place, gap, row, p, q, r, s)
                to = row * row_bytes
                store(y, to_p + to, a)
                store(y, to_q + to, b)
                store(y, to_r + to, c)
                store(y, to_s + to, d)
