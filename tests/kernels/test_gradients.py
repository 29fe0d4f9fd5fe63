import numpy as np
import pytest
from products import CASES, Case, to_lanes

from bnnkit.kernels._lanes import aligned
from bnnkit.kernels.codes import code_bits
from bnnkit.kernels.gradients import lanes_by_bits, lanes_by_lanes
from bnnkit.kernels.russians import workspace


@pytest.fixture
def rng():
    return np.random.default_rng(6)


def scratch(case):
    width = case.taps * case.weights.shape[2]
    return aligned((64, 16), np.float32), aligned((-(-width // 16) * 16, 16), np.float32)


def assert_equal(dw, expected):
    scale = 2e-6 * np.abs(expected).max()
    np.testing.assert_allclose(dw.reshape(expected.shape), expected, rtol=0, atol=scale)


@pytest.mark.parametrize("name", CASES)
def test_products_with_bits(name, rng):
    case = Case(name, 2, rng)
    bits = to_lanes(case.bits, np.int8)
    codes = aligned((*bits.shape[:3], 16), np.uint8)
    code_bits(bits.reshape(-1, 64), codes.reshape(-1, 16))
    dz, codes = to_lanes(case.dz, np.float32), codes.view(np.uint64)
    dw = np.full((len(case.weights), case.weights[0].size), 77, np.float32)
    lanes_by_bits(dz, codes, case.backward, workspace(np.float32), *scratch(case), dw)
    assert_equal(dw, case.weight_gradient(case.bits))


@pytest.mark.parametrize("name", CASES)
def test_products_with_reals(name, rng):
    case = Case(name, 2, rng)
    dz, x = to_lanes(case.dz, np.float32), to_lanes(case.x, np.float32)
    dw = np.full((len(case.weights), case.weights[0].size), 77, np.float32)
    lanes_by_lanes(dz, x, case.backward, *scratch(case), dw)
    assert_equal(dw, case.weight_gradient(case.x))
