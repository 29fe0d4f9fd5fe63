import itertools
from fractions import Fraction

import numpy as np
import pytest
from helpers import plain_conv, plain_pool, plain_scores, random_real_network

from bnnkit import BinaryNetwork, RealNetwork
from bnnkit.network import Conv2d, Head, Pool2d, RealConv2d
from bnnkit.quantiser import Quantiser
from bnnkit.verification.circuit import circuit


def plain_bits(layer, x):
    """Bits of one image of Fractions (C, H, W) by definition."""
    o, rows, columns = layer.output_shape(x.shape)
    p, s, (_, _, kh, kw) = layer.padding, layer.stride, layer.kernel_shape
    x = np.pad(x, ((0, 0), (p, p), (p, p)))
    bits = np.zeros((o, rows, columns), np.int64)
    for k, i, j in itertools.product(range(o), range(rows), range(columns)):
        window = x[:, i * s : i * s + kh, j * s : j * s + kw].ravel().tolist()
        z = sum(int(w) * v for w, v in zip(layer.weights[k].ravel(), window, strict=True))
        t = layer.threshold[k] if layer.threshold.ndim == 1 else layer.threshold[k, i, j]
        if layer.strict[k]:
            bits[k, i, j] = z > t if layer.sense[k] > 0 else z < t
        else:
            bits[k, i, j] = z >= t if layer.sense[k] > 0 else z <= t
    return bits


def exact_inputs(rng, kind):
    """Images that hit thresholds exactly, of several types, and their Fractions."""
    whole = rng.integers(-3, 4, (6, 2, 4, 5))
    x = {
        "int64": whole,
        "float32": (whole / 4).astype(np.float32),
        "float64": whole / 4 + rng.choice([0, 2.0**-60, -(2.0**-1000)], whole.shape),
        "Fraction": whole.astype(object) * Fraction(1, 3),
    }[kind]
    exact = np.array([Fraction(v) for v in x.ravel().tolist()], object).reshape(x.shape)
    return x, exact


@pytest.mark.parametrize("kind", ["int64", "float32", "float64", "Fraction"])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("by_position", [False, True])
def test_bits_and_scores_equal_the_definition(kind, padding, by_position):
    rng = np.random.default_rng(padding)
    for pool in (False, True):
        network = random_real_network(rng, padding, by_position, pool=pool)
        x, exact = exact_inputs(rng, kind)
        bits = np.array([plain_bits(network.front, image) for image in exact])
        assert (network.bits(x) == bits).all()
        assert (network.bits(x.reshape(6, -1)) == bits).all()
        scores = np.array([plain_scores(network.tail, image) for image in bits])
        assert (network.scores(x) == scores).all()
        assert (network.predict(x) == scores.argmax(axis=1)).all()


@pytest.mark.parametrize("input_range", [(0, 255), (0, 1), (-1, 1), (Fraction(-1, 3), 2)])
def test_grey_values_are_spread_over_the_range(input_range):
    rng = np.random.default_rng(0)
    network = random_real_network(rng, input_range=input_range)
    low, high = map(Fraction, input_range)
    scaled = network.front.threshold * (high - low) / 3
    front = RealConv2d(network.front.weights, scaled, network.front.sense, padding=1)
    network = RealNetwork(front, network.tail, (2, 4, 5), *input_range)
    x = rng.integers(0, 256, (5, 2, 4, 5)).astype(np.uint8)
    exact = low + x.astype(object) * (high - low) / 255
    assert (network.bits(x) == network.bits(exact)).all()
    assert (network.bits(x) == [plain_bits(front, image) for image in exact]).all()


def test_ties_depend_on_sense_and_strictness_only():
    layer = RealConv2d(
        np.ones((4, 1, 1, 1)), [Fraction(1, 3)] * 4, [1, 1, -1, -1], [False, True, False, True]
    )
    third, tiny = Fraction(1, 3), Fraction(1, 10**40)
    x = np.array([third - tiny, third, third + tiny], object).reshape(3, 1, 1, 1)
    expected = [[0, 0, 1, 1], [1, 0, 1, 0], [1, 1, 0, 0]]
    assert layer.bits(x)[:, :, 0, 0].tolist() == expected


def plain_margins(network, x):
    """Smallest distances by definition; constant neurons have none."""
    front = network.front
    z = plain_sums(x, front.weights, front.padding)
    t = front.threshold if front.threshold.ndim == 3 else front.threshold[:, None, None]
    used = [k for k in range(len(z)) if front.weights[k].any()]
    first = min(abs(v) for k in used for v in (z - t)[k].ravel())
    later, bits = [], plain_bits(front, x)
    for layer in network.tail.layers:
        if isinstance(layer, Pool2d):
            bits = plain_pool(bits, layer.kind, layer.size, layer.stride)
            continue
        z = plain_conv(bits, layer.weights, layer.stride, layer.padding)
        t = layer.threshold if layer.threshold.ndim == 3 else layer.threshold[:, None, None]
        for k in range(len(z)):
            if layer.weights[k].any():
                now = plain_fires(layer, k, z, t, 0)
                shifts = ((m, s) for m in range(99) for s in (-m, m))
                later.append(
                    next(m for m, s in shifts if (plain_fires(layer, k, z, t, s) != now).any())
                )
        bits = np.array([plain_fires(layer, k, z, t, 0) for k in range(len(z))]).astype(int)
    return first, min(later)


def plain_fires(layer, k, z, t, shift):
    return z[k] + shift >= t[k] if layer.sense[k] > 0 else z[k] + shift <= t[k]


def plain_sums(x, weights, padding):
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, weights.shape[2:], axis=(1, 2))
    return np.einsum("cijyx,ocyx->oij", windows, weights.astype(object))


@pytest.mark.parametrize("seed", range(6))
def test_margins_equal_the_definition(seed):
    rng = np.random.default_rng(seed)
    network = random_real_network(rng, by_position=bool(seed % 2))
    for kind in ("int64", "Fraction"):
        x, exact = exact_inputs(rng, kind)
        for image, values in zip(x, exact, strict=True):
            assert network.margins(image) == plain_margins(network, values)


def test_constant_neurons_have_no_margin():
    front = RealConv2d(np.zeros((2, 1, 1, 1)), [1, 1], [1, -1])
    tail = BinaryNetwork(Quantiser(1), [], Head(np.ones((2, 2, 1, 1)), 1, [0, 0]), (2, 1, 1))
    network = RealNetwork(front, tail, (1, 1, 1))
    assert network.margins(np.zeros((1, 1, 1))) == (None, None)


@pytest.mark.parametrize("by_position", [False, True])
def test_load_undoes_save(tmp_path, by_position):
    network = random_real_network(
        np.random.default_rng(7), by_position=by_position, input_range=(Fraction(-1, 3), 2.5)
    )
    network.save(tmp_path / "n.npz")
    again = RealNetwork.load(tmp_path / "n.npz")
    assert again == network
    assert again.input_range == (Fraction(-1, 3), Fraction(5, 2))
    assert (again.front.threshold == network.front.threshold).all()
    again.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "n.npz").read_bytes()


def test_each_part_of_the_content_is_in_the_digest():
    networks = [random_real_network(np.random.default_rng(3)) for _ in range(2)]
    assert networks[0] == networks[1]
    first = networks[0].front
    parts = {
        "weights": first.weights,
        "threshold": first.threshold,
        "sense": first.sense,
        "strict": first.strict,
        "padding": 1,
    }
    for name, value in [
        ("weights", -first.weights),
        ("threshold", first.threshold + Fraction(1, 10**30)),
        ("sense", -first.sense),
        ("strict", ~first.strict),
    ]:
        front = RealConv2d(**(parts | {name: value}))
        assert RealNetwork(front, networks[0].tail, (2, 4, 5), 0, 3) != networks[0]
    assert RealNetwork(first, networks[0].tail, (2, 4, 5), 0, 4) != networks[0]


def test_the_class_that_loads_must_fit_the_file(tmp_path):
    network = random_real_network(np.random.default_rng(7))
    network.save(tmp_path / "real.npz")
    network.tail.save(tmp_path / "binary.npz")
    with pytest.raises(ValueError, match=r"holds a RealNetwork, not a BinaryNetwork"):
        BinaryNetwork.load(tmp_path / "real.npz")
    with pytest.raises(ValueError, match=r"holds a BinaryNetwork, not a RealNetwork"):
        RealNetwork.load(tmp_path / "binary.npz")


def test_summary_names_every_layer():
    network = random_real_network(np.random.default_rng(1))
    text = network.summary()
    for part in ("input 2x4x5, reals from 0 to 3", "conv 2x3/1 pad 1", "-pool 2/", "head", "total"):
        assert part in text


def test_the_tail_is_a_circuit_that_may_begin_with_a_pool():
    network = random_real_network(np.random.default_rng(1), pool=True)
    assert circuit(network.tail).n_inputs == np.prod(network.tail.input_shape)


def test_shapes_of_images_that_mean_the_same():
    front = RealConv2d(np.ones((2, 1, 2, 3)), [3, 2], [1, -1])
    tail = BinaryNetwork(Quantiser(1), [], Head(np.ones((2, 2, 1, 1)), 1, [0, 1]), (2, 1, 1))
    network = RealNetwork(front, tail, (1, 2, 3))
    x = np.random.default_rng(0).integers(0, 2, (20, 1, 2, 3))
    for same in (x[:, 0], x.reshape(20, 6), x.tolist(), x.astype(object)):
        assert (network.scores(same) == network.scores(x)).all()
    assert network.scores(x[:0]).shape == (0, 2)


def test_what_was_passed_in_may_change():
    strict, threshold = np.array([True]), np.array([Fraction(1)], object)
    layer = RealConv2d(ONE, threshold, [1], strict)
    strict[0], threshold[0] = False, Fraction(0)
    assert layer.bits(np.ones((1, 1, 1, 1))).item() == 0
    for array in (layer.strict, layer.threshold, layer.sense):
        assert not array.flags.writeable


ONE = np.ones((1, 1, 1, 1))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RealConv2d(ONE, [0, 0], [1]), "threshold must have shape"),
        (lambda: RealConv2d(ONE, [0.5], [1]), r"exact for floats"),
        (lambda: RealConv2d(ONE, [0], [0]), r"sense must be 1 values"),
        (lambda: RealConv2d(ONE, [0], [1], 1), "strict must be a bool"),
        (lambda: RealConv2d(ONE, [[[0, 0]]], [1]).output_shape((1, 1, 1)), "for outputs"),
        (lambda: tiny(low=3, high=3), "low must be below high"),
        (lambda: tiny(step=0.5), "must read bits"),
        (lambda: tiny(input_shape=(1, 1, 2)), "does not match"),
        (lambda: tiny(front=Conv2d(ONE, [0], [1])), "must be a RealConv2d"),
        (lambda: tiny().scores(np.zeros((1, 2))), r"x must have shape \(N, 1, 1, 1\)"),
        (lambda: tiny().scores(np.full((1, 1), np.nan)), "NaN"),
        (lambda: tiny().scores([[0.5], [0.5, 1]]), "rows of different lengths"),
        (lambda: tiny().scores(np.ones((1, 1), bool)), "must hold integers"),
    ],
)
def test_mistakes_are_named(make, says):
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def tiny(front=None, step=1, input_shape=(1, 1, 1), low=0, high=1):
    front = front or RealConv2d(ONE, [0], [1])
    tail = BinaryNetwork(Quantiser(step), [], Head(np.ones((2, 1, 1, 1)), 1, [0, 0]), (1, 1, 1))
    return RealNetwork(front, tail, input_shape, low, high)
