import numpy as np
import pytest
from products import CASES, Case, from_lanes, to_lanes

from bnnkit.kernels.codes import code_inputs, code_outputs, n_words
from bnnkit.kernels.links import links
from bnnkit.kernels.russians import weights_by_lanes, workspace


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def forward(case, base, x, dtype):
    outputs, taps, channels = case.weights.shape
    words = n_words(channels, base)
    codes = np.empty((outputs, taps, 8 * words), np.uint8)
    code_outputs(case.weights, base, codes)
    steps, codes = (words, taps * words, 1), codes.view(np.uint64).reshape(-1)
    y = to_lanes(np.zeros(case.dz.shape), dtype, x.shape[3])
    y[:] = 77  # is overwritten
    weights_by_lanes(x, codes, steps, base, case.forward, case.n, workspace(x.dtype), y)
    return from_lanes(y, case.n)


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
@pytest.mark.parametrize("base", [2, 3])
@pytest.mark.parametrize("name", CASES)
def test_products_with_bits_are_exact(name, base, dtype, rng):
    case = Case(name, base, rng)
    z = forward(case, base, to_lanes(case.bits, np.int8), dtype)
    np.testing.assert_array_equal(z, case.product(case.bits))


@pytest.mark.parametrize("base", [2, 3])
@pytest.mark.parametrize("name", CASES)
def test_products_with_levels_are_exact(name, base, rng):
    case = Case(name, base, rng)
    levels = rng.choice([0, 254, 255], case.x.shape)  # as close to overflow as can be
    case.weights[0] = 1
    z = forward(case, base, to_lanes(levels, np.int16), np.int32)
    np.testing.assert_array_equal(z, case.product(levels))


@pytest.mark.parametrize("base", [2, 3])
@pytest.mark.parametrize("name", CASES)
def test_input_gradients_equal_the_transposed_product(name, base, rng):
    case = Case(name, base, rng)
    outputs, taps, channels = case.weights.shape
    codes = np.empty((n_words(outputs, base), taps * channels), np.uint64)
    code_inputs(case.weights.reshape(outputs, -1), base, codes)
    steps, dx = (channels, 1, taps * channels), to_lanes(case.x, np.float32)
    arguments = (steps, base, case.backward, case.n, workspace(np.float32), dx)
    weights_by_lanes(to_lanes(case.dz, np.float32), codes.reshape(-1), *arguments)
    expected = case.input_gradient()
    scale = 1e-6 * max(1, np.abs(expected).max())
    np.testing.assert_allclose(from_lanes(dx, case.n), expected, rtol=0, atol=scale)


@pytest.mark.parametrize("loud", [1e8, np.inf])
def test_a_weight_of_0_lets_nothing_through(loud):
    """Not even the rounding error of a large term beside it."""
    for place in range(3):
        weights, dz = np.ones((3, 1), np.int8), np.array([1.0, 2.0, 3.0])
        weights[place], dz[place] = 0, loud
        codes = np.empty((n_words(3, 3), 1), np.uint64)
        code_inputs(weights, 3, codes)
        one, _ = links((1, 1), (1, 1), 1, 0)
        dx = to_lanes(np.zeros((1, 1, 1)), np.float32)
        lanes = to_lanes(dz.reshape(1, 1, 3), np.float32)
        steps = 1, 1, 1
        weights_by_lanes(lanes, codes.reshape(-1), steps, 3, one, 1, workspace(np.float32), dx)
        assert from_lanes(dx, 1).item() == 6 - (place + 1)
