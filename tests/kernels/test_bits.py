import numpy as np
import pytest

from bnnkit.kernels import bit_planes, pack_bits, unpack_bits

WIDTHS = [1, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128, 200]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("groups", [1, 3])
def test_unpack_undoes_pack(width, groups):
    bits = np.random.default_rng(width).integers(0, 2, (5, groups, width)).astype(np.uint8)
    octets = pack_bits(bits)
    assert octets.dtype == np.uint8
    assert octets.shape == (5, groups * -(-width // 8))
    assert (octets == np.packbits(bits, axis=-1, bitorder="little").reshape(5, -1)).all()
    assert (unpack_bits(octets, groups, width) == bits).all()


@pytest.mark.parametrize("width", WIDTHS)
def test_bit_i_stands_at_place_i(width):
    for i in {0, width // 2, width - 1}:
        bits = np.zeros((1, 1, width), np.uint8)
        bits[0, 0, i] = 1
        assert int.from_bytes(pack_bits(bits)[0].tobytes(), "little") == 1 << i


def test_booleans_are_bits():
    assert pack_bits(np.array([[[True, False, True]]])).tolist() == [[5]]


@pytest.mark.parametrize("largest", [0, 1, 2, 3, 10, 128, 255])
@pytest.mark.parametrize("width", [1, 9, 16, 33, 70, 72])
def test_planes_add_up_to_the_levels(largest, width):
    levels = np.random.default_rng(0).integers(0, largest + 1, (4, width)).astype(np.uint8)
    levels[0, 0] = largest
    n_planes = max(1, largest.bit_length())
    planes = bit_planes(levels, n_planes)
    assert planes.shape == (n_planes, 4, -(-width // 8))
    bits = [unpack_bits(plane, 1, width)[:, 0].astype(int) for plane in planes]
    assert (sum(plane << p for p, plane in enumerate(bits)) == levels).all()


def test_a_part_of_an_array_is_packed_as_its_copy():
    levels = np.random.default_rng(0).integers(0, 2, (6, 90)).astype(np.uint8)
    part = levels[::2, 10:83]
    assert (bit_planes(part, 1) == bit_planes(part.copy(), 1)).all()
