import numpy as np
import pytest
from helpers import plain_pool

from bnnkit.kernels import pack_bits, pool_octets, unpack_bits


@pytest.mark.parametrize("kind", ["or", "and"])
@pytest.mark.parametrize(("size", "stride"), [(1, 1), (2, 2), (2, 1), (3, 2), (2, 3)])
@pytest.mark.parametrize("channels", [3, 17, 64, 300])
def test_pooled_octets_equal_pooled_bits(kind, size, stride, channels):
    rng = np.random.default_rng(size)
    bits = (rng.random((2, 7, 6, channels)) < (0.2 if kind == "or" else 0.8)).astype(np.uint8)
    octets = pack_bits(bits.reshape(-1, 1, channels)).reshape(2, 7, 6, -1)
    pooled = pool_octets(octets, kind, size, stride)
    for image, result in zip(bits, pooled, strict=True):
        plain = plain_pool(image.transpose(2, 0, 1), kind, size, stride)
        got = unpack_bits(result.reshape(-1, result.shape[-1]), 1, channels)
        assert (got.reshape(*result.shape[:2], channels).transpose(2, 0, 1) == plain).all()
