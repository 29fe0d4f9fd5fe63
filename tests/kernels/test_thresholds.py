import numpy as np
import pytest

from bnnkit.kernels import threshold_bits, unpack_bits


@pytest.mark.parametrize("outputs", [1, 7, 8, 9, 64, 65])
@pytest.mark.parametrize("positions", [1, 3])
def test_bits_equal_comparisons(outputs, positions):
    rng = np.random.default_rng(outputs)
    sums = rng.integers(-3, 4, (6, outputs)).astype(np.int32)
    threshold = rng.integers(-3, 4, (positions, outputs)).astype(np.int32)
    sense = rng.choice([-1, 1], outputs).astype(np.int8)
    octets = threshold_bits(sums, threshold, sense)
    each = np.tile(threshold, (6 // positions, 1))
    expected = np.where(sense > 0, sums >= each, sums <= each)
    assert octets.shape == (6, -(-outputs // 8))
    assert (unpack_bits(octets, 1, outputs)[:, 0] == expected).all()
