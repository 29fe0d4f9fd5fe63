import numpy as np
import pytest
from products import CASES, Case, from_lanes, to_lanes

from bnnkit.kernels.links import links
from bnnkit.nn.lists import WeightLists, weights_in_use


def lists_of(case, transposed, base=3):
    near, far = case.backward, case.forward
    if transposed:
        near, far = far, near
    return WeightLists(case.weights.shape, near, len(far.start) - 1, transposed, base)


@pytest.mark.parametrize("name", CASES)
def test_both_directions_equal_the_plain_product(name, rng):
    case = Case(name, 3, rng)
    found = weights_in_use(case.weights, np.count_nonzero(case.weights))
    z = to_lanes(case.dz, np.int32, 64)
    lists_of(case, False).product(found, to_lanes(case.bits, np.int8), case.n, z)
    np.testing.assert_array_equal(from_lanes(z, case.n), case.product(case.bits))
    dx = to_lanes(case.x, np.float32)
    lists_of(case, True).product(found, to_lanes(case.dz, np.float32), case.n, dx)
    expected = case.input_gradient()
    np.testing.assert_allclose(from_lanes(dx, case.n), expected, atol=1e-5)


def test_other_weights_have_other_lists(rng):
    case = Case("conv", 3, rng)
    lists, x = lists_of(case, False), to_lanes(case.bits, np.int8)
    for _ in range(3):
        case.weights[:] = rng.integers(-1, 2, case.weights.shape)
        found = weights_in_use(case.weights, np.count_nonzero(case.weights))
        for _ in range(2):
            z = to_lanes(np.zeros(case.dz.shape), np.int16, 64)
            lists.product(found, x, case.n, z)
            np.testing.assert_array_equal(from_lanes(z, case.n), case.product(case.bits))


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("base", [2, 3])
def test_lists_are_for_layers_with_few_weights_in_use(base, transposed):
    """But a pixel of one channel has no groups, so that look-ups save little."""
    one, _ = links((1, 1), (1, 1), 1, 0)
    assert 0.1 < WeightLists((512, 1, 512), one, 1, transposed, base).most / 512**2 < 0.25
    pixels, outputs = links((28, 28), (4, 4), 2, 1)
    near, n_sites = (pixels, 14 * 14) if transposed else (outputs, 28 * 28)
    assert WeightLists((16, 16, 1), near, n_sites, transposed, base).most / 256 > 0.25
