import numpy as np
import pytest
from helpers import plain_conv, plain_pool

from bnnkit.kernels import pack_bits, unpack_bits
from bnnkit.network import Conv2d, Head, Pool2d

SHAPES = [
    ((1, 5, 5), (3, 1, 5, 5), 1, 0),
    ((70, 1, 1), (65, 70, 1, 1), 1, 0),
    ((3, 6, 5), (4, 3, 2, 3), 2, 1),
    ((66, 3, 3), (2, 66, 3, 3), 1, 1),
]


def as_octets(bits):
    n, c, h, w = bits.shape
    return pack_bits(bits.transpose(0, 2, 3, 1).reshape(-1, 1, c)).reshape(n, h, w, -1)


def as_bits(octets, channels):
    n, h, w, _ = octets.shape
    bits = unpack_bits(octets.reshape(n * h * w, -1), 1, channels)
    return bits.reshape(n, h, w, channels).transpose(0, 3, 1, 2)


@pytest.mark.parametrize(("input_shape", "kernel_shape", "stride", "padding"), SHAPES)
def test_sums_equal_the_definition(input_shape, kernel_shape, stride, padding):
    rng = np.random.default_rng(0)
    weights = rng.integers(-1, 2, kernel_shape).astype(np.int8)
    layer = Conv2d(
        weights, np.zeros(len(weights), int), np.ones(len(weights), int), stride, padding
    )
    assert (layer.weights == weights).all()
    bits = rng.integers(0, 2, (2, *input_shape)).astype(np.uint8)
    levels = rng.integers(0, 256, (2, *input_shape)).astype(np.uint8)
    for x, z in [
        (bits, layer.sums(as_octets(bits))),
        (bits, layer.level_sums(bits.transpose(0, 2, 3, 1))),
        (levels, layer.level_sums(levels.transpose(0, 2, 3, 1))),
    ]:
        for image, result in zip(x, z, strict=True):
            plain = plain_conv(image, weights, stride, padding)
            assert plain.shape == layer.output_shape(input_shape)
            assert (result.transpose(2, 0, 1) == plain).all()


@pytest.mark.parametrize(("input_shape", "kernel_shape", "stride", "padding"), SHAPES)
@pytest.mark.parametrize("by_position", [False, True])
def test_thresholds_in_both_directions_and_ties(
    input_shape, kernel_shape, stride, padding, by_position
):
    rng = np.random.default_rng(0)
    weights = rng.integers(-1, 2, kernel_shape).astype(np.int8)
    weights[0], weights[-1] = 1, -1
    o = len(weights)
    out = Conv2d(weights, [0] * o, [1] * o, stride, padding).output_shape(input_shape)
    threshold = rng.integers(-3, 4, out if by_position else (o,))
    sense = rng.choice([-1, 1], o)
    layer = Conv2d(weights, threshold, sense, stride, padding)
    assert (layer.threshold == threshold).all()
    x = rng.integers(0, 2, (4, *input_shape)).astype(np.uint8)
    expected = [plain_conv(image, weights, stride, padding) for image in x]
    t, s = (v.reshape(*v.shape, 1, 1) if v.ndim == 1 else v for v in (threshold, sense))
    expected = [np.where(s > 0, z >= t, z <= t) for z in expected]
    assert (as_bits(layer.bits(as_octets(x)), o) == expected).all()
    assert (as_bits(layer.level_bits(x.transpose(0, 2, 3, 1)), o) == expected).all()


@pytest.mark.parametrize("threshold", [-(2**31), -(2**30), 2**30, 2**31 - 1])
def test_thresholds_out_of_reach_are_constants(threshold):
    layer = Conv2d(np.ones((2, 33, 1, 1)), [threshold] * 2, [1, -1])
    assert layer.threshold.tolist() == [threshold] * 2
    x = np.random.default_rng(0).integers(0, 256, (5, 33, 1, 1)).astype(np.uint8)
    for bits in (layer.bits(as_octets(x % 2)), layer.level_bits(x.transpose(0, 2, 3, 1))):
        assert (as_bits(bits, 2)[:, :, 0, 0] == [threshold < 0, threshold > 0]).all()


@pytest.mark.parametrize("kind", ["or", "and"])
def test_pool_layer(kind):
    bits = np.random.default_rng(0).integers(0, 2, (2, 5, 6, 6)).astype(np.uint8)
    pool = Pool2d(kind, 2)
    pooled = as_bits(pool.bits(as_octets(bits)), 5)
    assert pooled.shape[1:] == pool.output_shape((5, 6, 6))
    assert (pooled[1] == plain_pool(bits[1], kind, 2, 2)).all()


def test_head_scores_are_integers():
    head = Head(np.ones((2, 3, 1, 1)), -3, [5, -(10**12)])
    x = np.array([[[[0, 2, 0]]]], np.uint8)
    scores = head.level_scores(x)
    assert scores.dtype == np.int64
    assert scores.tolist() == [[-1, -6 - 10**12]]
    assert (head.scores(as_octets((x > 0).transpose(0, 3, 1, 2))) == head.level_scores(x > 0)).all()


def test_sparsity_and_size():
    weights = np.zeros((2, 64, 1, 1), np.int8)
    weights[0, :16] = 1
    head = Head(weights, 1, [0, 0])
    assert head.sparsity == 1 - 16 / 128
    assert head.nbytes == 2 * (2 * 8 + 32) + 2 * 8  # sign and mask, and an int64 a row


def test_one_bit_a_weight_where_none_is_0():
    weights = np.random.default_rng(0).choice([-1, 1], (512, 784, 1, 1))
    layer = Conv2d(weights, np.zeros(512, int), np.ones(512, int))
    assert layer.nbytes < 4 * weights.size / 30
    weights[0, 0] = 0
    layer = Conv2d(weights, np.zeros(512, int), np.ones(512, int))
    assert layer.nbytes < 4 * weights.size / 15


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Conv2d(np.full((1, 1, 1, 1), 2), [0], [1]), "-1, 0 and"),
        (lambda: Conv2d(np.ones((1, 1, 1)), [0], [1]), "-1, 0 and"),
        (lambda: Conv2d(np.ones((2, 1, 1, 1)), [0], [1, 1]), "threshold"),
        (lambda: Conv2d(np.ones((2, 1, 1, 1)), [0, 0], [1, 0]), "sense"),
        (lambda: Conv2d(np.ones((1, 1, 1, 1)), np.array([2**32]), [1]), "threshold must fit int32"),
        (lambda: Head(np.ones((2, 1, 1, 1)), 2**61, [0, 0]), "beyond the limit"),
        (lambda: Head(np.ones((2, 1, 1, 1)), 1, [0, -(2**60)]), "beyond the limit"),
        (lambda: Conv2d(np.ones((1, 1, 1, 1)), [0], [1], stride=0), "stride"),
        (lambda: Conv2d(np.ones((1, 2, 1, 1)), [0], [1]).output_shape((1, 3, 3)), "do not fit"),
        (lambda: Conv2d(np.ones((1, 1, 4, 4)), [0], [1]).output_shape((1, 3, 3)), "do not fit"),
        (lambda: Pool2d("max", 2), "'or' or 'and'"),
        (lambda: Pool2d("or", 4).output_shape((1, 3, 3)), "does not fit"),
        (lambda: Head(np.ones((2, 1, 1, 1)), 0, [0, 0]), "scale"),
        (lambda: Head(np.ones((2, 1, 1, 1)), 1, [0]), "one value a class"),
    ],
)
def test_layers_that_make_no_sense(build, says):
    with pytest.raises(ValueError, match=says):
        build()


@pytest.mark.parametrize(
    "build",
    [
        lambda: Conv2d(np.ones((1, 1, 1, 1)), [1.5], [1]),
        lambda: Conv2d(np.ones((1, 1, 1, 1)), [1], [1.0]),
        lambda: Conv2d(np.ones((1, 1, 1, 1)), [1], [1], stride=1.5),
        lambda: Pool2d("or", 1.5),
        lambda: Head(np.ones((1, 1, 1, 1)), 1.9, [0]),
        lambda: Head(np.ones((1, 1, 1, 1)), 1, [0.5]),
    ],
)
def test_no_number_is_rounded_in_silence(build):
    with pytest.raises(TypeError):
        build()


def test_a_network_cannot_be_changed_behind_the_back_of_its_proofs():
    layer = Conv2d(np.ones((1, 1, 1, 1)), np.array([2]), np.array([1]))
    for array in (layer.threshold, layer.sense, Head(np.ones((1, 1, 1, 1)), 1, [0]).bias):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
