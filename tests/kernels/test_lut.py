"""The kernel for AVX2 against the portable one."""

import numpy as np
import pytest

from bnnkit.kernels import bit_planes, lut, pack_ternary, positives, xnor
from bnnkit.kernels.ternary import bit_rows, bounds_room

pytestmark = pytest.mark.skipif(
    not lut.AVAILABLE, reason="numba compiles for a processor without AVX2"
)


@pytest.mark.parametrize("width", [1, 8, 17, 64, 240, 249, 256, 257, 264, 784])
@pytest.mark.parametrize("outputs", [1, 10, 32, 33, 100])
@pytest.mark.parametrize(("rows", "n_planes"), [(1, 1), (4, 1), (7, 2), (9, 4), (0, 1)])
def test_bits_equal_those_of_the_portable_kernel(width, outputs, rows, n_planes):
    rng = np.random.default_rng(width + outputs + rows)
    planes = bit_planes(rng.integers(0, 2**n_planes, (rows, width)).astype(np.uint8), n_planes)
    packed = pack_ternary(rng.choice([-1, 1], (outputs, 1, width)).astype(np.int8))
    largest = 2**n_planes - 1
    limit = (largest * positives(packed) + rng.integers(-5, 6, outputs)).astype(np.int32)
    limit[rng.integers(outputs)] = rng.choice([-(2**30), 2**30])
    sense = rng.choice([-1, 1], outputs).astype(np.int8)
    room = bounds_room(outputs)
    plain, fast = bit_rows(rows, outputs), bit_rows(rows, outputs)
    xnor.bits(planes, packed.sign, None, limit, sense, room, plain)
    places = np.empty((n_planes, 4, packed.n_octets), np.uint16)
    lut.bits(planes, packed.sign, lut.TABLES, places, limit, sense, room, fast)
    assert (fast == plain).all()


def test_a_count_that_fills_every_lane():
    """All bits differ, so that lanes of 8 bits come as close to an overflow as they can."""
    ones = pack_ternary(np.ones((64, 1, 4000), np.int8))
    planes = bit_planes(np.zeros((4, 4000), np.uint8), 1)
    room = bounds_room(64)
    places, out = np.empty((1, 4, 500), np.uint16), bit_rows(4, 64)
    for limit, expected in ((3999, 0), (4000, 255)):
        limits, sense = np.full(64, limit, np.int32), np.ones(64, np.int8)
        lut.bits(planes, ones.sign, lut.TABLES, places, limits, sense, room, out)
        assert (out == expected).all()
