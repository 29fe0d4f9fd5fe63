import numpy as np
import pytest

from bnnkit.kernels import bit_planes, pack_bits, unpack_bits

WIDTHS = [1, 7, 8, 63, 64, 65, 127, 128, 200]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("groups", [1, 3])
def test_unpack_undoes_pack(width, groups):
    bits = np.random.default_rng(width).integers(0, 2, (5, groups, width)).astype(np.uint8)
    words = pack_bits(bits)
    assert words.dtype == np.uint64
    assert words.shape == (5, groups * -(-width // 64))
    assert (unpack_bits(words, groups, width) == bits).all()


@pytest.mark.parametrize("width", WIDTHS)
def test_bit_i_stands_at_place_i(width):
    for i in {0, width // 2, width - 1}:
        bits = np.zeros((1, 1, width), np.uint8)
        bits[0, 0, i] = 1
        assert sum(int(word) << (64 * k) for k, word in enumerate(pack_bits(bits)[0])) == 1 << i


def test_booleans_are_bits():
    assert pack_bits(np.array([[[True, False, True]]])).tolist() == [[5]]


@pytest.mark.parametrize("largest", [0, 1, 2, 3, 10, 128, 255])
def test_planes_add_up_to_the_levels(largest):
    levels = np.random.default_rng(0).integers(0, largest + 1, (4, 70)).astype(np.uint8)
    levels[0, 0] = largest
    planes = [unpack_bits(plane, 1, 70)[:, 0] for plane in bit_planes(levels)]
    assert len(planes) == max(1, largest.bit_length())
    assert (sum(plane.astype(int) << p for p, plane in enumerate(planes)) == levels).all()
