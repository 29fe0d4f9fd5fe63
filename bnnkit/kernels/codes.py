"""Weights and bits as numbers of patterns, for products by look-up; see `russians`.

The rows of a product are taken in groups of four binary or three ternary ones. A group is not
made of neighbours: of G groups, group g has the rows g, g + G, g + 2 * G (and g + 3 * G), so
that the codes of many groups are computed at once. The code of a group is the number of its
pattern: the digits are the weights of the group (or the bits), the first one lowest. Eight
codes make a word, so that one read serves eight look-ups. Rows beyond the last count as zeros
in a product, so that their digits do not matter.
"""

import numpy as np

from bnnkit.kernels._compile import entry, inner

MEMBERS = {2: 4, 3: 3}  # rows in a group, by the number of values of a weight


@inner
def n_groups(n_rows, base):
    """Groups of `n_rows` rows: fewer than four, or a multiple of four."""
    members = 3 if base == 3 else 4
    groups = (n_rows + members - 1) // members
    return groups if groups < 4 else (groups + 3) // 4 * 4


def n_words(n_rows, base):
    """Words for the codes of `n_rows` rows."""
    return -(-n_rows // (8 * MEMBERS[base]))


@entry
def code_outputs(weights, base, codes):
    """Code weights for y = W x: groups of the inputs of a tap.

    `weights` is int8 (O, taps, C) in {-1, 0, +1}, `codes` uint8 (O, taps, 8 * n_words(C, base)).
    """
    groups, half = n_groups(weights.shape[2], base), np.uint8(1 if base == 2 else 0)
    third = np.uint8(255 if base == 3 else 0)
    codes[:] = 0
    for o in range(weights.shape[0]):
        for tap in range(weights.shape[1]):
            code = codes[o, tap]
            for first in range((weights.shape[2] - 1) // groups * groups, -1, -groups):
                row = weights[o, tap, first : first + groups]
                for g in range(row.size):  # base * code + digit, in bytes
                    shifted = code[g] + code[g] + (code[g] & third)
                    code[g] = shifted + (np.uint8(row[g] + 1) >> half)


@entry
def code_inputs(weights, base, codes):
    """Code weights for dx = W^T dz: groups of the outputs.

    `weights` is int8 (O, K) in {-1, 0, +1}, `codes` uint64 (n_words(O, base), K).
    """
    groups, half = n_groups(weights.shape[0], base), np.uint64(1 if base == 2 else 0)
    codes[:] = 0
    for o in range(weights.shape[0]):
        group, row, unit = o % groups, weights[o], np.uint64(1)
        for _ in range(o // groups):
            unit *= np.uint64(base)
        unit <<= np.uint64(8 * (group % 8))
        code = codes[group // 8]
        for k in range(row.size):
            code[k] += unit * (np.uint64(row[k] + 1) >> half)


@entry
def code_bits(bits, codes):
    """Code `bits`, int8 (rows, 64), for `lanes_by_bits`: uint8 (rows, 16)."""
    for r in range(bits.shape[0]):
        row, code = bits[r], codes[r]
        for i in range(16):
            code[i] = row[i] + 2 * row[i + 16] + 4 * row[i + 32] + 8 * row[i + 48]
