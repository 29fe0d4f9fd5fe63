import numpy as np
import pytest

from bnnkit.kernels.codes import (
    MEMBERS,
    code_bits,
    code_inputs,
    code_outputs,
    n_groups,
    n_words,
)


@pytest.fixture
def rng():
    return np.random.default_rng(2)


def plain(rows, base):
    """Codes, one a group, of digits (rows, ...): group g has the rows g, g + G, g + 2 * G ..."""
    groups = n_groups.py_func(len(rows), base)
    digits = np.zeros((groups * MEMBERS[base], *rows.shape[1:]), int)
    digits[: len(rows)] = rows
    return sum(base**i * digits[i * groups : (i + 1) * groups] for i in range(MEMBERS[base]))


def digits(weights, base):
    return (weights + 1) // 2 if base == 2 else weights + 1


def weights_of(rng, base, *shape):
    return rng.choice([-1, 1] if base == 2 else [-1, 0, 1], shape).astype(np.int8)


@pytest.mark.parametrize(("base", "n_rows"), [(2, 1), (2, 12), (2, 13), (3, 9), (3, 10), (3, 97)])
def test_groups_hold_all_rows_and_are_few_or_a_multiple_of_four(base, n_rows):
    groups = n_groups.py_func(n_rows, base)
    assert groups * MEMBERS[base] >= n_rows
    assert groups < 4 or groups % 4 == 0
    assert groups < n_rows / MEMBERS[base] + 4
    assert 8 * n_words(n_rows, base) >= groups


@pytest.mark.parametrize("channels", [1, 3, 16, 33, 70, 130])
@pytest.mark.parametrize("base", [2, 3])
def test_output_codes_group_the_inputs_of_a_tap(base, channels, rng):
    weights = weights_of(rng, base, 5, 4, channels)
    codes = np.full((5, 4, 8 * n_words(channels, base)), 99, np.uint8)
    code_outputs(weights, base, codes)
    expected = plain(digits(weights, base).transpose(2, 0, 1), base).transpose(1, 2, 0)
    np.testing.assert_array_equal(codes[:, :, : expected.shape[2]], expected)
    assert not codes[:, :, expected.shape[2] :].any()


@pytest.mark.parametrize("outputs", [1, 3, 16, 33, 70, 130])
@pytest.mark.parametrize("base", [2, 3])
def test_input_codes_group_the_outputs(base, outputs, rng):
    weights = weights_of(rng, base, outputs, 11)
    words = np.full((n_words(outputs, base), 11), 99, np.uint64)
    code_inputs(weights, base, words)
    expected = plain(digits(weights, base), base)
    codes = words.T.copy().view(np.uint8).reshape(11, -1).T
    np.testing.assert_array_equal(codes[: len(expected)], expected)
    assert not codes[len(expected) :].any()


def test_bit_codes_group_the_images_16_apart(rng):
    bits = rng.integers(0, 2, (9, 64)).astype(np.int8)
    codes = np.empty((9, 16), np.uint8)
    code_bits(bits, codes)
    np.testing.assert_array_equal(codes, plain(bits.T, 2).T)
