import numpy as np
import pytest

from bnnkit.kernels import pack_bits, pack_ternary, ternary_product, unpack_ternary


@pytest.mark.parametrize("width", [1, 9, 63, 64, 65, 128, 784])
@pytest.mark.parametrize("groups", [1, 4])
def test_product_equals_integer_matmul(width, groups):
    rng = np.random.default_rng(width)
    bits = rng.integers(0, 2, (6, groups, width)).astype(np.uint8)
    weights = rng.integers(-1, 2, (5, groups, width)).astype(np.int8)
    weights[0] = 0
    weights[1] = 1
    weights[2] = -1
    expected = bits.reshape(6, -1).astype(int) @ weights.reshape(5, -1).astype(int).T
    product = ternary_product(pack_bits(bits), pack_ternary(weights))
    assert product.dtype == np.int32
    assert (product == expected).all()


@pytest.mark.parametrize("bit", [0, 1])
def test_constant_inputs(bit):
    weights = np.array([[[1] * 70], [[-1] * 70], [[0] * 70]], dtype=np.int8)
    bits = np.full((1, 1, 70), bit, np.uint8)
    product = ternary_product(pack_bits(bits), pack_ternary(weights))
    assert product.tolist() == [[70 * bit, -70 * bit, 0]]


@pytest.mark.parametrize(("groups", "width"), [(1, 1), (1, 65), (4, 63), (3, 64)])
def test_unpack_undoes_pack(groups, width):
    weights = np.random.default_rng(width).integers(-1, 2, (5, groups, width)).astype(np.int8)
    packed = pack_ternary(weights)
    unpacked = unpack_ternary(packed.sign, packed.mask, groups, width)
    assert unpacked.dtype == np.int8
    assert (unpacked == weights).all()
