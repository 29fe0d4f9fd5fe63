import numpy as np
import pytest
from helpers import plain_conv

from bnnkit.kernels import can_convolve, level_bits, pack_ternary, positives, stairs, unpack_bits

SHAPES = [  # (H, W, C), kernel, stride, padding
    ((5, 5, 1), (3, 3), 1, 1),
    ((8, 9, 1), (4, 4), 2, 1),
    ((6, 4, 3), (2, 3), 1, 0),
    ((7, 7, 3), (5, 5), 2, 2),
    ((9, 9, 3), (9, 7), 1, 0),
    ((3, 10, 2), (1, 1), 1, 0),
]


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 100])
@pytest.mark.parametrize("places", [[], [128], [0, 1, 200, 255], list(range(1, 256))])
def test_stairs_count_the_places_reached(size, places):
    values = np.random.default_rng(0).integers(0, 256, size).astype(np.uint8)
    places = np.array(places, np.uint8)
    levels = stairs(values, places)
    assert levels.dtype == np.uint8
    assert (levels == (values[:, None] >= places).sum(axis=1)).all()


def test_stairs_of_any_part_of_an_array():
    values = np.random.default_rng(0).integers(0, 256, (4, 50, 3)).astype(np.uint8)
    part, places = values[::2, 5:, :2], np.array([7, 99], np.uint8)
    assert (stairs(part, places) == (part[..., None] >= places).sum(axis=-1)).all()


def problem(shape, kernel, outputs, zeros, largest):
    rng = np.random.default_rng(outputs + largest)
    levels = rng.integers(0, largest + 1, (3, *shape)).astype(np.uint8)
    values = [-1, 0, 1] if zeros else [-1, 1]
    weights = rng.choice(values, (outputs, shape[2], *kernel)).astype(np.int8)
    weights[0] = 1
    weights[-1] = -1
    threshold = rng.integers(-2 * largest, 2 * largest + 1, outputs)
    threshold[rng.integers(outputs)] = rng.choice([-(2**30), 2**30])
    return levels, weights, threshold, rng.choice([-1, 1], outputs).astype(np.int8)


@pytest.mark.parametrize(("shape", "kernel", "stride", "padding"), SHAPES)
@pytest.mark.parametrize("outputs", [1, 8, 31, 33, 64])
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("largest", [1, 10, 255])
def test_bits_equal_the_definition(shape, kernel, stride, padding, outputs, zeros, largest):
    levels, weights, threshold, sense = problem(shape, kernel, outputs, zeros, largest)
    packed = pack_ternary(weights.transpose(0, 2, 3, 1).reshape(outputs, 1, -1))
    limit = (positives(packed) - threshold).astype(np.int32)
    octets = level_bits(levels, largest.bit_length(), kernel, stride, padding, packed, limit, sense)
    sums = [plain_conv(x.transpose(2, 0, 1), weights, stride, padding) for x in levels]
    z = np.stack(sums).transpose(0, 2, 3, 1).reshape(-1, outputs)
    expected = np.where(sense > 0, z >= threshold, z <= threshold)
    assert (unpack_bits(octets, 1, outputs)[:, 0] == expected).all()


def test_counts_that_fill_every_lane():
    """All values differ from the weights, in more terms than a lane of 8 bits holds."""
    size = 11 * 12 * 3
    packed = pack_ternary(np.full((33, 1, size), -1, np.int8))
    levels, sense = np.full((1, 12, 13, 3), 7, np.uint8), np.ones(33, np.int8)
    for threshold, fires in ((-7 * size, True), (-7 * size + 1, False)):
        limit = np.full(33, -threshold, np.int32)
        octets = level_bits(levels, 3, (11, 12), 1, 0, packed, limit, sense)
        assert (unpack_bits(octets, 1, 33) == fires).all()


def test_counts_must_fit_16_bits():
    assert can_convolve(8, 256)
    assert not can_convolve(8, 257)
