import numpy as np
import pytest

from bnnkit.kernels import (
    bit_planes,
    pack_bits,
    pack_ternary,
    positives,
    ternary_bits,
    ternary_product,
    unpack_bits,
    unpack_ternary,
)

WIDTHS = [1, 9, 63, 64, 65, 248, 257, 784]
OUTPUTS = [1, 8, 31, 32, 33, 70]


def problem(width, outputs, rows, n_planes, zeros):
    """Levels (rows, width), weights (outputs, width), and their products by definition."""
    rng = np.random.default_rng(width + outputs)
    levels = rng.integers(0, 2**n_planes, (rows, width)).astype(np.uint8)
    weights = rng.choice([-1, 0, 1] if zeros else [-1, 1], (outputs, width)).astype(np.int8)
    weights[rng.integers(outputs)] = rng.choice([-1, 1])
    if zeros:
        weights[rng.integers(outputs)] = 0
    return levels, weights, levels.astype(int) @ weights.T.astype(int)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("outputs", OUTPUTS)
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize(("rows", "n_planes"), [(1, 1), (3, 2), (4, 1), (6, 3), (0, 1)])
def test_products_and_their_thresholds(width, outputs, zeros, rows, n_planes):
    levels, weights, expected = problem(width, outputs, rows, n_planes, zeros)
    packed, planes = pack_ternary(weights[:, None]), bit_planes(levels, n_planes)
    product = ternary_product(planes, packed)
    assert product.dtype == np.int32
    assert (product == expected).all()

    rng = np.random.default_rng(0)
    threshold = rng.integers(-4, 5, outputs)
    threshold[rng.integers(outputs)] = rng.choice([-(2**30), 2**30])
    sense = rng.choice([-1, 1], outputs).astype(np.int8)
    limit = (positives(packed) - threshold).astype(np.int32)
    octets = ternary_bits(planes, packed, limit, sense)
    fires = np.where(sense > 0, expected >= threshold, expected <= threshold)
    assert (unpack_bits(octets, 1, outputs)[:, 0] == fires).all()
    assert (octets == pack_bits(fires[:, None])).all()  # unused bits are 0


@pytest.mark.parametrize(("width", "n_planes"), [(70_000, 1), (300, 8)])
def test_counts_that_16_bits_do_not_hold(width, n_planes):
    levels, weights, expected = problem(width, 35, 5, n_planes, zeros=True)
    levels[0], weights[0] = 2**n_planes - 1, -1
    expected = levels.astype(int) @ weights.T.astype(int)
    packed, planes = pack_ternary(weights[:, None]), bit_planes(levels, n_planes)
    assert (ternary_product(planes, packed) == expected).all()
    sense = np.array([1, -1] * 18, np.int8)[:35]
    for threshold in (0, expected.min(), expected.max()):
        limit = (positives(packed) - threshold).astype(np.int32)
        bits = unpack_bits(ternary_bits(planes, packed, limit, sense), 1, 35)[:, 0]
        assert (bits == np.where(sense > 0, expected >= threshold, expected <= threshold)).all()


@pytest.mark.parametrize("bit", [0, 1])
def test_constant_inputs(bit):
    weights = np.array([[[1] * 70], [[-1] * 70], [[0] * 70]], dtype=np.int8)
    bits = np.full((1, 1, 70), bit, np.uint8)
    product = ternary_product(pack_bits(bits), pack_ternary(weights))
    assert product.tolist() == [[70 * bit, -70 * bit, 0]]


@pytest.mark.parametrize(("groups", "width"), [(1, 1), (1, 65), (4, 63), (3, 64)])
@pytest.mark.parametrize("outputs", OUTPUTS)
@pytest.mark.parametrize("values", [[-1, 1], [-1, 0, 1]])
def test_unpack_undoes_pack(groups, width, outputs, values):
    rng = np.random.default_rng(width)
    weights = rng.choice(values, (outputs, groups, width)).astype(np.int8)
    packed = pack_ternary(weights)
    unpacked = unpack_ternary(packed, groups, width)
    assert unpacked.dtype == np.int8
    assert (unpacked == weights).all()
    assert unpacked.flags.c_contiguous
    assert (positives(packed) == (weights > 0).sum(axis=(1, 2))).all()


def test_rows_that_are_not_side_by_side_in_memory():
    levels, weights, expected = problem(300, 40, 12, 1, zeros=False)
    packed, octets = pack_ternary(weights[:, None]), pack_bits(levels[:, None])
    part = np.repeat(octets, 2, axis=0)[::2]
    assert (ternary_product(part, packed) == expected).all()
    sense = np.ones(40, np.int8)
    bits = unpack_bits(ternary_bits(part, packed, positives(packed), sense), 1, 40)[:, 0]
    assert (bits == (expected >= 0)).all()


@pytest.mark.parametrize("product", [ternary_product, lambda x, w: ternary_bits(x, w, None, None)])
def test_inputs_that_do_not_fit_the_weights(product):
    with pytest.raises(ValueError, match="rows of 2 octets do not fit weights of 3 octets"):
        product(np.zeros((4, 2), np.uint8), pack_ternary(np.ones((5, 1, 20), np.int8)))


def test_weights_without_a_zero_need_no_mask():
    weights = np.ones((3, 1, 20), np.int8)
    assert pack_ternary(weights).mask is None
    weights[1, 0, 3] = 0
    assert pack_ternary(weights).mask is not None
