"""The definitions against NumPy, and the kernels that are used against the definitions."""

import numpy as np
import pytest

from bnnkit.kernels import (
    pack_bits,
    pack_ternary,
    plain,
    pool_octets,
    positives,
    ternary_bits,
    ternary_product,
    unpack_bits,
)
from bnnkit.network import Conv2d


@pytest.mark.parametrize("width", [1, 8, 13, 64, 257])
@pytest.mark.parametrize("values", [(-1, 1), (-1, 0, 1)])
def test_product_and_threshold(width, values):
    rng = np.random.default_rng(width)
    bits = rng.integers(0, 2, (5, width), dtype=np.uint8)
    weights = rng.choice(values, (35, width)).astype(np.int8)
    x, sign, mask = (pack_bits(b[:, None]) for b in (bits, weights > 0, weights != 0))
    z, bit = np.empty((5, 35), np.int32), np.empty((5, 35), np.uint8)
    plain.product(x, sign, mask, z)
    assert np.array_equal(z, bits.astype(int) @ weights.T)
    packed = pack_ternary(weights[:, None])
    assert np.array_equal(z, ternary_product(x, packed))

    threshold = rng.integers(-3, 4, 35).astype(np.int32)
    sense = rng.choice([-1, 1], 35).astype(np.int8)
    plain.fires(z, threshold, sense, bit)
    assert np.array_equal(bit, np.where(sense > 0, z >= threshold, z <= threshold))
    fused = ternary_bits(x, packed, positives(packed) - threshold, sense)
    assert np.array_equal(bit, unpack_bits(fused, 1, 35)[:, 0])


@pytest.mark.parametrize("channels", [1, 3, 8, 65])
@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 1), (2, 1), (3, 2)])
def test_convolution(channels, stride, padding):
    rng = np.random.default_rng(channels)
    x = rng.integers(0, 2, (2, 7, 6, channels), dtype=np.uint8)
    weights = rng.integers(-1, 2, (4, channels, 3, 3))
    layer = Conv2d(weights, np.zeros(4, int), np.ones(4, int), stride, padding)
    _, rows, columns = layer.output_shape((channels, 7, 6))
    z = np.empty((2, rows, columns, 4), np.int32)
    by_channel_last = np.ascontiguousarray(weights.transpose(0, 2, 3, 1), np.int8)
    plain.convolution(x, by_channel_last, stride, padding, z)

    padded = np.pad(x.astype(int), ((0, 0), (padding,) * 2, (padding,) * 2, (0, 0)))
    for row in range(rows):
        for column in range(columns):
            window = padded[:, row * stride :, column * stride :][:, :3, :3]
            expected = np.tensordot(window, weights, ([1, 2, 3], [2, 3, 1]))
            assert np.array_equal(z[:, row, column], expected)
    octets = pack_bits(x.reshape(-1, 1, channels)).reshape(2, 7, 6, -1)
    assert np.array_equal(z, layer.sums(octets))


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 1), (2, 3)])
def test_pool(size, stride):
    rng = np.random.default_rng(size)
    x = rng.integers(0, 2, (2, 7, 6, 11), dtype=np.uint8)
    rows, columns = (7 - size) // stride + 1, (6 - size) // stride + 1
    octets = pack_bits(x.reshape(-1, 1, 11)).reshape(2, 7, 6, -1)
    for kind, flip in (("or", 0), ("and", 1)):
        pooled = np.empty((2, rows, columns, 11), np.uint8)
        plain.pool(x ^ flip, size, stride, pooled)
        packed = pool_octets(octets, kind, size, stride).reshape(-1, 2)
        unpacked = unpack_bits(np.ascontiguousarray(packed), 1, 11)
        assert np.array_equal(pooled ^ flip, unpacked.reshape(pooled.shape))
