"""Gradients of weights: products of the gradient of z with the input, summed over images.

The input is bits, and then sums are looked up as in `bnnkit.kernels.russians`, where the arrays
are explained, too; or it is real, and then there is nothing to look up. Rows that meet are
images here, 64 at a time, and the lanes are 16 output channels, so that the gradient of z is
transposed in tiles of 64 images by 16 channels. For the 16 channels the sums of all taps and
input channels, a *block*, stay in the second cache; when they are complete, the block is
transposed on its way out.
"""

import numpy as np

from bnnkit.kernels._compile import entry, inner
from bnnkit.kernels._lanes import REGISTER, add_to, fused, load, splat, transpose, zeros
from bnnkit.kernels.russians import TABLE_2, add_rows, store_sums

_REGISTER = np.uint64(REGISTER)
_ONE, _TWO, _FOUR, _SIXTEEN = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(16)


@inner
def _transpose_rows(dz, first, sites, n_rows, tile):
    """Bring at most 16 rows of 64 images into `tile` (64, 16).

    The rows of the first 16 images start at row `first` of dz, those of the next 16 images
    `sites` rows later.
    """
    flat = dz.reshape(-1)
    for part in range(np.uint64(0), np.uint64(4)):
        row, to = first + part * sites, part * _SIXTEEN
        if n_rows >= 16:
            transpose(dz, row * _REGISTER, _REGISTER, tile, to * _REGISTER, _REGISTER)
        else:
            for i in range(np.uint64(n_rows)):
                for lane in range(_SIXTEEN):
                    tile[to + lane, i] = flat[(row + i) * _SIXTEEN + lane]


@inner
def _fill_with_images(table, tile):
    """The table of the 64 rows of `tile`: sums of images l, l + 16, l + 32, l + 48."""
    quarter = _SIXTEEN * _REGISTER
    place, to = np.uint64(0), np.uint64(0)
    for _ in range(_SIXTEEN):
        a, b = load(tile, place), load(tile, place + quarter)
        c = load(tile, place + np.uint64(2) * quarter)
        d = load(tile, place + np.uint64(3) * quarter)
        store_sums(table, to, zeros(tile), a, b, c, d)
        place += _REGISTER
        to += TABLE_2


@inner
def _write_block(block, tile, first, dw):
    """Write 16 columns `block` (>= K, 16) to the rows of dw (O, K) from row `first` on."""
    n_outputs, width = dw.shape
    row_bytes = np.uint64(4 * width)
    used = min(16, n_outputs - first)
    for k in range(0, width, 16):
        place = np.uint64(k) * _REGISTER
        if used == 16 and k + 16 <= width:
            to = np.uint64(first) * row_bytes + np.uint64(4 * k)
            transpose(block, place, _REGISTER, dw, to, row_bytes)
        else:
            transpose(block, place, _REGISTER, tile, np.uint64(0), _REGISTER)
            for o in range(used):
                for i in range(min(16, width - k)):
                    dw[first + o, k + i] = tile[o, i]


@entry
def lanes_by_bits(dz, codes, links, table, tile, block, dw):
    """Products of `dz` with coded bits, summed over images and sites.

    Parameters
    ----------
    dz : ndarray of float32, shape (4 * S, sites, O, 16)
    codes : ndarray of uint64, shape (S, pixels, C, 2)
        From `code_bits`.
    links : Links
        From sites of dz to pixels.
    table, tile, block : ndarray of float32
        `workspace`, and shapes (64, 16) and (taps * C or a little more, 16): a multiple of 16
        rows.
    dw : ndarray of float32, shape (O, taps * C)
        Is written.
    """
    n_slabs, n_sites, n_outputs, _ = dz.shape
    channels, n_pixels, flat = np.uint64(codes.shape[2]), codes.shape[1], codes.reshape(-1)
    slab_rows = np.uint64(n_sites * n_outputs)
    for output in range(0, n_outputs, 16):
        block[:] = 0
        for s in range(n_slabs // 4):
            for site in range(n_sites):
                row = np.uint64((4 * s * n_sites + site) * n_outputs + output)
                _transpose_rows(dz, row, slab_rows, n_outputs - output, tile)
                _fill_with_images(table, tile)
                for link in range(links.start[site], links.start[site + 1]):
                    place = np.uint64(links.tap[link]) * channels * _REGISTER
                    word = np.uint64(s * n_pixels + links.site[link]) * channels * _TWO
                    add_rows(
                        block, place, _REGISTER, channels,
                        table, TABLE_2, flat, word, _TWO, _ONE, 4,
                    )  # fmt: skip
        _write_block(block, tile, output, dw)


@inner
def _add_products(dw, place, tile, x, row, slab_rows):
    """Add tile times x to three rows of dw: 64 images of three rows of x from `row` on.

    Even and odd images run side by side, since a sum waits four cycles for the one before.
    """
    a, b, c = zeros(tile), zeros(tile), zeros(tile)
    d, e, f = zeros(tile), zeros(tile), zeros(tile)
    for part in range(_FOUR):
        for lane in range(np.uint64(0), _SIXTEEN, _TWO):
            at = (part * _SIXTEEN + lane) * _REGISTER
            even, odd = load(tile, at), load(tile, at + _REGISTER)
            i = (row + part * slab_rows) * _SIXTEEN + lane
            j, k = i + _SIXTEEN, i + _SIXTEEN + _SIXTEEN
            a, d = fused(even, splat(x[i]), a), fused(odd, splat(x[i + _ONE]), d)
            b, e = fused(even, splat(x[j]), b), fused(odd, splat(x[j + _ONE]), e)
            c, f = fused(even, splat(x[k]), c), fused(odd, splat(x[k + _ONE]), f)
    add_to(dw, place, a + d)
    add_to(dw, place + _REGISTER, b + e)
    add_to(dw, place + _REGISTER + _REGISTER, c + f)


@inner
def _add_product(dw, place, tile, x, row, slab_rows):
    """The same for one row."""
    a, b = zeros(tile), zeros(tile)
    for part in range(_FOUR):
        first = (row + part * slab_rows) * _SIXTEEN
        for lane in range(np.uint64(0), _SIXTEEN, np.uint64(2)):
            at = (part * _SIXTEEN + lane) * _REGISTER
            a = fused(load(tile, at), splat(x[first + lane]), a)
            b = fused(load(tile, at + _REGISTER), splat(x[first + lane + _ONE]), b)
    add_to(dw, place, a + b)


@entry
def lanes_by_lanes(dz, x, links, tile, block, dw):
    """Products of `dz` with real `x`, by plain multiplication.

    As `lanes_by_bits`, with x of float32, shape (4 * S, pixels, C, 16), in place of codes.
    """
    n_slabs, n_sites, n_outputs, _ = dz.shape
    _, n_pixels, channels, _ = x.shape
    flat, slab_rows = x.reshape(-1), np.uint64(n_sites * n_outputs)
    x_rows, threes = np.uint64(n_pixels * channels), np.uint64(channels - channels % 3)
    for output in range(0, n_outputs, 16):
        block[:] = 0
        for s in range(n_slabs // 4):
            for site in range(n_sites):
                row = np.uint64((4 * s * n_sites + site) * n_outputs + output)
                _transpose_rows(dz, row, slab_rows, n_outputs - output, tile)
                for link in range(links.start[site], links.start[site + 1]):
                    to = np.uint64(links.tap[link] * channels)
                    row = np.uint64((4 * s * n_pixels + links.site[link]) * channels)
                    for c in range(np.uint64(0), threes, np.uint64(3)):
                        _add_products(block, (to + c) * _REGISTER, tile, flat, row + c, x_rows)
                    for c in range(threes, np.uint64(channels)):
                        _add_product(block, (to + c) * _REGISTER, tile, flat, row + c, x_rows)
        _write_block(block, tile, output, dw)
