import itertools

import numpy as np
import pytest

from bnnkit.kernels.links import links

CASES = [
    ((5, 6), (3, 3), 1, 1),
    ((7, 7), (4, 4), 2, 1),
    ((6, 5), (2, 2), 3, 0),  # pixels that no window reaches
    ((4, 3), (4, 3), 1, 0),
    ((1, 1), (1, 1), 1, 0),
]


def plain(size, kernel, stride, padding):
    """Every (pixel, output, tap), by walking over outputs and taps."""
    rows, columns = ((s + 2 * padding - k) // stride + 1 for s, k in zip(size, kernel, strict=True))
    for oy, ox, i, j in itertools.product(range(rows), range(columns), *map(range, kernel)):
        y, x = oy * stride + i - padding, ox * stride + j - padding
        if 0 <= y < size[0] and 0 <= x < size[1]:
            yield y * size[1] + x, oy * columns + ox, i * kernel[1] + j


def listed(made):
    """(source, site, tap) of every link."""
    counts = np.diff(made.start)
    return list(zip(np.repeat(np.arange(len(counts)), counts), made.site, made.tap, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_links_are_those_of_the_windows(case):
    forward, backward = links(*case)
    expected = list(plain(*case))
    assert sorted(listed(forward)) == sorted(expected)
    assert sorted((pixel, out, tap) for out, pixel, tap in listed(backward)) == sorted(expected)
    assert len(forward.start) == case[0][0] * case[0][1] + 1
