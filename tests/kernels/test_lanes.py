"""The registers, each operation against NumPy on one line."""

import numpy as np
import pytest

from bnnkit.kernels import _lanes as lanes
from bnnkit.kernels._compile import entry
from bnnkit.kernels._lanes import (
    add_to,
    aligned,
    floats,
    fused,
    keep,
    load,
    not_negative,
    splat,
    total,
    transpose,
    wide,
    within,
    zeros,
)
from bnnkit.kernels._vector import store

ZERO = np.uint64(0)


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def made(rng, count, dtype=np.float32):
    array = aligned(count, dtype)
    array[:] = rng.integers(-50, 50, count) if dtype == np.int8 else rng.normal(size=count)
    return array


@pytest.mark.parametrize("shape", [(3,), (5, 7), (1, 1)])
@pytest.mark.parametrize("dtype", [np.int8, np.float32, np.float64])
def test_aligned_arrays_are_zeros_at_a_multiple_of_64_bytes(shape, dtype):
    array = aligned(shape, dtype)
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.ctypes.data % lanes.REGISTER == 0
    assert not array.any()
    assert array.flags.writeable


@entry
def _arithmetic(x, y, out):
    a, b, place = load(x, ZERO), load(y, ZERO), ZERO
    step = np.uint64(lanes.REGISTER)
    store(out, place, a + b)
    store(out, place + step, a - b)
    store(out, place + step + step, zeros(x) - a)


@pytest.mark.parametrize(("dtype", "count"), [(np.float32, 16), (np.int8, 64)])
def test_sums_and_differences(dtype, count, rng):
    x, y, out = made(rng, count, dtype), made(rng, count, dtype), aligned(3 * count, dtype)
    _arithmetic(x, y, out)
    np.testing.assert_array_equal(out.reshape(3, -1), [x + y, x - y, -x])


@entry
def _reals(x, y, out):
    a, b, step = load(x, ZERO), load(y, ZERO), np.uint64(lanes.REGISTER)
    store(out, ZERO, a * b)
    store(out, step, a / b)
    store(out, step + step, fused(a, b, splat(np.float32(3))))
    store(out, step + step + step, within(a))


def test_reals(rng):
    x, y, out = made(rng, 16), made(rng, 16), aligned(64, np.float32)
    x[:3] = -1, 1, np.nextafter(np.float32(1), np.float32(2))
    _reals(x, y, out)
    product, quotient, sums, inside = out.reshape(4, 16)
    np.testing.assert_array_equal(product, x * y)
    np.testing.assert_array_equal(quotient, x / y)
    np.testing.assert_allclose(sums, x.astype(float) * y + 3, rtol=1e-6)
    np.testing.assert_array_equal(inside, np.abs(x) <= 1)


@entry
def _conversions(x, place, real, double, bits):
    value = floats(x, place)
    store(real, ZERO, value)
    store(double, ZERO, wide(value) * splat(0.1))
    store(bits, ZERO, not_negative(value))


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.float32])
def test_sixteen_numbers_of_any_type_as_floats(dtype, rng):
    x = aligned(32, dtype)
    x[:] = rng.integers(-100, 100, 32)
    x[16] = 0
    real, double, bits = aligned(16, np.float32), aligned(16, np.float64), aligned(16, np.int8)
    _conversions(x, np.uint64(16 * x.itemsize), real, double, bits)
    np.testing.assert_array_equal(real, x[16:])
    np.testing.assert_array_equal(double, x[16:].astype(float) * 0.1)
    np.testing.assert_array_equal(bits, x[16:] >= 0)


@entry
def _keep(x, count):
    store(x, ZERO, keep(load(x, ZERO), count))


@pytest.mark.parametrize("count", [0, 1, 15, 16])
def test_the_first_lanes_are_kept(count, rng):
    x = made(rng, 16)
    x[-1] = np.nan
    expected = np.where(np.arange(16) < count, x, 0)
    _keep(x, np.uint64(count))
    np.testing.assert_array_equal(x, expected)


@entry
def _total(x, place):
    return total(x, place)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_total(dtype, rng):
    x = made(rng, 18, dtype)
    expected = x[1:-1].astype(float).sum()
    assert _total(x, np.uint64(x.itemsize)) == pytest.approx(expected, rel=1e-14)


@entry
def _accumulate(x, total):
    add_to(total, np.uint64(total.itemsize), load(x, ZERO))


@pytest.mark.parametrize(
    ("dtype", "total"),
    [(np.float32, np.float32), (np.float32, np.float64), (np.int8, np.int16), (np.int8, np.int32)],
)
def test_totals_may_be_wider(dtype, total, rng):
    count = lanes.REGISTER // np.dtype(dtype).itemsize
    x, sums = made(rng, count, dtype), aligned(count + 2, total)
    sums[:] = 1000
    _accumulate(x, sums)
    np.testing.assert_array_equal(sums[1:-1], (x + np.full(count, 1000, total)).astype(total))
    assert sums[0] == sums[-1] == 1000


@entry
def _turn(a, step, b, to_step):
    transpose(a, ZERO, step, b, ZERO, to_step)


@pytest.mark.parametrize(
    ("dtype", "to_dtype"),
    [(np.float32, np.float32), (np.uint8, np.float32), (np.uint8, np.int8)],
)
@pytest.mark.parametrize(("width", "to_width"), [(16, 16), (20, 16), (16, 33)])
def test_transpose(width, to_width, dtype, to_dtype, rng):
    a, b = aligned((16, width), dtype), aligned((16, to_width), to_dtype)
    a[:] = rng.integers(0, 256 if to_dtype == np.float32 else 128, a.shape)
    _turn(a, np.uint64(a.strides[0]), b, np.uint64(b.strides[0]))
    np.testing.assert_array_equal(b[:, :16], a[:, :16].T)
    assert not b[:, 16:].any()
