"""Products of one-bit or ternary numbers with float32, by looking up sums (four Russians).

In y = sum w_k * x_k let the w_k be -1 or +1 and the x_k numbers. Take the terms four at a time:
four weights make one of 16 patterns, so four terms have one of 16 sums. If many rows of weights
meet the same x, it pays to add up the 16 sums once, in a table. Each row then takes the sum that
its four weights ask for: one look-up and one addition in place of four multiplications and four
additions. Nothing is rounded but additions, so integers stay exact. (Arlazarov, Dinic, Kronrod &
Faradzev, 1970, did so for Boolean matrices.) With weights in {-1, 0, +1} there are 27 patterns
of three.

All x here are *lanes*: arrays (slabs, sites, rows, L) that hold image L * s + l in lane l of
slab s, a row for each channel and a site for each pixel. L is what a register holds: 16 float32,
32 int16 or 64 int8. A sum of rows is then a sum of registers, and a table is 16 or 27 registers
for each group of rows. 16 groups fill 16 or 27 KiB, which just stays in the first cache. Sums of
so few rows cannot overflow where x are 8-bit levels in int16 or bits in int8, and so the forward
pass takes the short numbers, and adds up longer ones: twice or four times as many in a register.

The weights come as *codes*, the numbers of their patterns: `bnnkit.kernels.codes`.

A convolution needs no patches: its *links* (`bnnkit.kernels.links`) say which output sites a
pixel contributes to, and by which tap of the kernel. The table of a pixel is used for all of
them. A dense layer has one site, one tap and one link.

`weights_by_lanes` computes z from x and the weights, and dx from dz and the weights; for dw see
`bnnkit.kernels.gradients`.
"""

import numpy as np

from bnnkit.kernels._compile import entry, inner
from bnnkit.kernels._lanes import REGISTER, add_to, aligned, load, zeros
from bnnkit.kernels._vector import store
from bnnkit.kernels.codes import n_groups

TABLE_2, TABLE_3 = np.uint64(16 * REGISTER), np.uint64(27 * REGISTER)  # bytes of a group's table
_GROUPS = np.uint64(16)  # in one table
_SUM = np.uint64(31 * REGISTER)  # the bits of a place in a table
_REGISTER = np.uint64(REGISTER)
_FOUR = np.uint64(4)


def workspace(dtype):
    """Memory for one table of numbers of `dtype`."""
    return aligned(int(_GROUPS * TABLE_3), np.uint8).view(dtype)


@inner
def _row(x, place, row, n_rows):
    """The register of `row`, the first of which is at `place`; of zeros beyond the last."""
    return load(x, place + row * _REGISTER) if row < n_rows else zeros(x)


@inner
def store_sums(table, place, start, a, b, c, d):
    """`start` plus the sum of each subset of a, b, c, d; pattern bit 0 is a."""
    for _ in range(2):
        row = start
        for _ in range(2):
            store(table, place, row)
            store(table, place + _REGISTER, row + a)
            store(table, place + np.uint64(2) * _REGISTER, row + b)
            store(table, place + np.uint64(3) * _REGISTER, row + b + a)
            place += _FOUR * _REGISTER
            row = row + c
        start = start + d


@inner
def _store_ternary_sums(table, place, a, b, c):
    """The sums w0*a + w1*b + w2*c; the pattern has the digits w0 + 1, w1 + 1, w2 + 1."""
    step = np.uint64(9) * _REGISTER
    _store_nine_sums(table, place, zeros(table) - c, a, b)
    _store_nine_sums(table, place + step, zeros(table), a, b)
    _store_nine_sums(table, place + step + step, c, a, b)


@inner
def _store_nine_sums(table, place, row, a, b):
    """`row` plus -1, 0 or 1 times a and b; a term of 0 leaves no rounding error behind."""
    step = np.uint64(3) * _REGISTER
    _store_three_sums(table, place, row - b, a)
    _store_three_sums(table, place + step, row, a)
    _store_three_sums(table, place + step + step, row + b, a)


@inner
def _store_three_sums(table, place, row, a):
    store(table, place, row - a)
    store(table, place + _REGISTER, row)
    store(table, place + _REGISTER + _REGISTER, row + a)


@inner
def _fill(table, x, place, n_rows, first, groups, base):
    """The table of at most 16 of `groups` groups from group `first` on."""
    to = np.uint64(0)
    for g in range(first, min(first + _GROUPS, groups)):
        a = _row(x, place, g, n_rows)
        b = _row(x, place, g + groups, n_rows)
        c = _row(x, place, g + np.uint64(2) * groups, n_rows)
        if base == 3:
            _store_ternary_sums(table, to, a, b, c)
            to += TABLE_3
        else:
            d = _row(x, place, g + np.uint64(3) * groups, n_rows)
            start = zeros(x) - a - b - c - d
            store_sums(table, to, start, a + a, b + b, c + c, d + d)
            to += TABLE_2


@inner
def _look_up(table, size, codes, word, step, fours):
    """Sum of 4 * fours look-ups, with tables of `size` bytes and words `step` apart."""
    part, even, odd, code = np.uint64(0), zeros(table), zeros(table), np.uint64(0)
    for four in range(fours):
        if four % 2 == 0:
            code = codes[word]
            word += step
        even = even + load(table, part + (code << np.uint64(6) & _SUM))
        odd = odd + load(table, part + size + (code >> np.uint64(2) & _SUM))
        part += size + size
        even = even + load(table, part + (code >> np.uint64(10) & _SUM))
        odd = odd + load(table, part + size + (code >> np.uint64(18) & _SUM))
        part += size + size
        code >>= np.uint64(32)
    return even + odd


@inner
def add_rows(y, place, row_bytes, n_rows, table, size, codes, word, row_step, step, fours):
    """Add to each of `n_rows` rows of `y` what its codes ask for."""
    for _ in range(n_rows):
        add_to(y, place, _look_up(table, size, codes, word, step, fours))
        place += row_bytes
        word += row_step


@inner
def _add_few(y, place, row_bytes, n_rows, table, size, codes, word, row_step, groups):
    """The same for fewer than four groups."""
    for _ in range(n_rows):
        code, part, total = codes[word], np.uint64(0), zeros(table)
        for _ in range(groups):
            total = total + load(table, part + (code << np.uint64(6) & _SUM))
            part += size
            code >>= np.uint64(8)
        add_to(y, place, total)
        place += row_bytes
        word += row_step


@inner
def _add(y, place, row_bytes, n_rows, table, size, codes, word, row_step, step, groups):
    """The same for any number of groups; known lengths of loops make them fast."""
    # fmt: off
    if groups == 16:
        add_rows(y, place, row_bytes, n_rows, table, size, codes, word, row_step, step, 4)
    elif groups == 12:
        add_rows(y, place, row_bytes, n_rows, table, size, codes, word, row_step, step, 3)
    elif groups == 8:
        add_rows(y, place, row_bytes, n_rows, table, size, codes, word, row_step, step, 2)
    elif groups == 4:
        add_rows(y, place, row_bytes, n_rows, table, size, codes, word, row_step, step, 1)
    elif groups == 1:
        _add_few(y, place, row_bytes, n_rows, table, size, codes, word, row_step, 1)
    else:
        _add_few(y, place, row_bytes, n_rows, table, size, codes, word, row_step, groups)
    # fmt: on


@entry
def weights_by_lanes(x, codes, steps, base, links, n_images, table, y):
    """Products of coded weights with `x`.

    Parameters
    ----------
    x : ndarray of float32, int16 or int8, shape (slabs, sites, R, 16, 32 or 64)
        int16 must be in 0 .. 255, int8 in 0 .. 1: the sum of 64 rows must not overflow.
    codes : ndarray of uint64, one-dimensional
        From `code_outputs` or `code_inputs`.
    steps : tuple of int
        Words of `codes` from one tap, one row of `y` and one four of groups to the next.
    base : 2 or 3
        Of how many values the weights are.
    links : Links
        From sites of x to sites of y.
    n_images : int
    table : ndarray
        `workspace` of the type of x.
    y : ndarray, shape (slabs, sites, T, 16, 32 or 64)
        Is written; float32 for float32; int16, or int32 if a sum can be beyond that, for others.
    """
    n_slabs, n_sites, n_rows, lanes = x.shape
    row_bytes = np.uint64(lanes * y.itemsize)
    n_targets = np.uint64(y.shape[2])
    site_bytes = n_targets * row_bytes
    tap_step, row_step, step = np.uint64(steps[0]), np.uint64(steps[1]), np.uint64(steps[2])
    size, groups = TABLE_3 if base == 3 else TABLE_2, np.uint64(n_groups(n_rows, base))
    x_place, y_slab = np.uint64(0), np.uint64(0)
    for s in range(n_slabs):
        y[s] = 0
        if s * lanes >= n_images:
            continue
        for site in range(n_sites):
            for first in range(np.uint64(0), groups, _GROUPS):
                _fill(table, x, x_place, np.uint64(n_rows), first, groups, base)
                for link in range(links.start[site], links.start[site + 1]):
                    place = y_slab + np.uint64(links.site[link]) * site_bytes
                    word = np.uint64(links.tap[link]) * tap_step + first // np.uint64(8) * step
                    _add(
                        y, place, row_bytes, n_targets, table, size,
                        codes, word, row_step, step, min(_GROUPS, groups - first),
                    )  # fmt: skip
            x_place += np.uint64(n_rows) * _REGISTER
        y_slab += np.uint64(y.shape[1]) * site_bytes
