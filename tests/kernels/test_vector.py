"""Each operation on registers against NumPy, on random bytes."""

import numba
import numpy as np
import pytest
from numba import uint16, uint64

from bnnkit.kernels import _vector as v

jit = numba.njit(error_model="numpy")


@jit
def add(x, y):
    return x + y


@jit
def subtract(x, y):
    return x - y


@jit
def mix(x, y):
    return (x & ~y) | (x ^ y)


@jit
def shift(x, y):
    return (x << 3) ^ (y >> 2)


@jit
def ones(x, y):
    return v.popcount(x) + v.popcount(y)


@jit
def smaller(x, y):
    return v.less(x, y)


@jit
def merge(x, y):
    return v.merge_low(x, y) - v.merge_high(x, y)


def merged(x, y):
    both = np.stack([x, y], axis=1).ravel()
    return both[:16] - both[16:]


BYTES = {
    add: lambda x, y: x + y,
    subtract: lambda x, y: x - y,
    mix: lambda x, y: (x & ~y) | (x ^ y),
    shift: lambda x, y: (x << 3) ^ (y >> 2),
    ones: lambda x, y: np.bitwise_count(x) + np.bitwise_count(y),
    smaller: lambda x, y: (x < y) * x.dtype.type(2 ** (8 * x.itemsize) - 1),
}


@pytest.mark.parametrize("operation", BYTES)
def test_lanes_of_8_bits(operation):
    @jit
    def run(x, y, out):
        v.store(out, uint64(5), operation(v.load(x, uint64(3)), v.load(y, uint64(0))))

    x, y = np.random.default_rng(0).integers(0, 256, (2, 40)).astype(np.uint8)
    out = np.zeros(40, np.uint8)
    run(x, y, out)
    assert (out[5:37] == BYTES[operation](x[3:35], y[:32])).all()
    assert not out[:5].any()
    assert not out[37:].any()


@pytest.mark.parametrize("operation", [*BYTES, merge])
def test_lanes_of_16_bits(operation):
    @jit
    def run(x, y, out):
        a, b = v.as_halves(v.load(x, uint64(0))), v.as_halves(v.load(y, uint64(0)))
        v.store(out, uint64(0), v.as_bytes(operation(a, b)))

    x, y = np.random.default_rng(0).integers(0, 2**16, (2, 16)).astype(np.uint16)
    out = np.zeros(16, np.uint16)
    run(x, y, out)
    definition = merged if operation is merge else BYTES[operation]
    assert (out == definition(x, y)).all()


def test_numbers_in_all_lanes_and_bits_out_of_them():
    @jit
    def run(x, out):
        register = v.load(x, uint64(0))
        v.store(out, uint64(0), v.splat(x[2]))
        v.store(out, uint64(32), v.splat16(uint16(1027)))
        return v.top_bits(register)

    x = np.random.default_rng(0).integers(0, 256, 32).astype(np.uint8)
    out = np.zeros(64, np.uint8)
    collected = run(x, out)
    assert (out[:32] == x[2]).all()
    assert (out[32:].view(np.uint16) == 1027).all()
    assert collected == sum(1 << i for i in range(32) if x[i] >= 128)


def test_bytes_become_halves():
    @jit
    def run(x, out):
        register = v.load(x, uint64(0))
        v.store(out, uint64(0), v.widen_low(register))
        v.store(out, uint64(32), v.widen_high(register))

    x = np.random.default_rng(0).integers(0, 256, 32).astype(np.uint8)
    out = np.zeros(32, np.uint16)
    run(x, out)
    assert (out == x).all()


def test_arrays_of_words_are_read_by_the_byte():
    @jit
    def run(words, out):
        v.store(out, uint64(0), v.load(words, uint64(8)))

    words, out = np.arange(5, dtype=np.uint64), np.zeros(4, np.uint64)
    run(words, out)
    assert out.tolist() == [1, 2, 3, 4]
