import gzip
from fractions import Fraction

import numpy as np
import pytest
from helpers import random_network, random_real_network

from bnnkit import datasets, zoo
from bnnkit.interop import onnx
from bnnkit.network import BinaryNetwork, Conv2d, Head, Pool2d, RealConv2d, RealNetwork
from bnnkit.quantiser import Quantiser

STRUCTURES = [(), ("dense", "dense"), ("conv", "pool", "conv", "dense"), ("conv", "pool")]


def session(path):
    runtime = pytest.importorskip("onnxruntime")
    content = path.read_bytes()
    return runtime.InferenceSession(gzip.decompress(content) if path.suffix == ".gz" else content)


def outputs(path, images):
    made, runtime = session(path), {}
    runtime[made.get_inputs()[0].name] = images.astype(np.float32)
    return made.run(None, runtime)[0]


def shortened(network):
    """A network with one threshold for each channel, where all positions have the same one."""
    if isinstance(network, RealNetwork):
        front, tail = shortened_layer(network.front, (network.front.strict,)), network.tail
        return RealNetwork(front, shortened(tail), network.input_shape, *network.input_range)
    layers = [v if isinstance(v, Pool2d) else shortened_layer(v) for v in network.layers]
    return BinaryNetwork(network.quantiser, layers, network.head, network.input_shape)


def shortened_layer(layer, strict=()):
    threshold = layer.threshold
    if threshold.ndim == 3 and (threshold == threshold[:, :1, :1]).all():
        threshold = threshold[:, 0, 0]
    return type(layer)(layer.weights, threshold, layer.sense, *strict, layer.stride, layer.padding)


@pytest.mark.parametrize("layers", STRUCTURES)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("step", [0.3, 0.1, Fraction(2, 255), Fraction(13421773, 2**27)])
def test_a_runtime_computes_the_same_scores(tmp_path, layers, seed, step):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (2, 6, 5), layers, step)
    onnx.save(network, tmp_path / "net.onnx")
    k = rng.integers(0, network.quantiser.n_levels, (40, 2, 6, 5)) + 0.5
    at_stairs = np.clip(k * float(step), 0, 1).astype(np.float32)  # next to where levels change
    images = without_grey(np.concatenate([rng.random((40, 2, 6, 5), np.float32), at_stairs]))
    scores = network.scores(images)
    assert (outputs(tmp_path / "net.onnx", images) == scores).all()
    assert onnx.load(tmp_path / "net.onnx") == shortened(network)


def without_grey(values):
    """Floats, with those that stand for 8-bit values made a little smaller."""
    grey = np.isin(values, np.arange(256, dtype=np.uint8) / np.float32(255))
    return np.where(grey, abs(np.nextafter(values, np.float32(-1))), values)


STEPS = [0.61, 0.3, 0.1, 0.064, Fraction(2, 255), Fraction(1, 255), Fraction(1, 3), 1.5]


def levels_by_the_runtime(path, step, values):
    """A network whose only score is the level of its only pixel."""
    head = Head(np.ones((1, 1, 1, 1)), 1, [0])
    onnx.save(BinaryNetwork(Quantiser(step), [], head, (1, 1, 1)), path)
    return outputs(path, values.reshape(-1, 1, 1, 1)).ravel()


@pytest.mark.parametrize("step", STEPS)
def test_all_grey_values_get_their_levels(tmp_path, step):
    grey = np.arange(256, dtype=np.uint8)
    levels = levels_by_the_runtime(tmp_path / "net.onnx", step, grey / np.float32(255))
    assert (levels == Quantiser(step).levels(grey)).all()


@pytest.mark.parametrize("step", STEPS)
def test_floats_around_every_stair_get_their_levels(tmp_path, step):
    quantiser = Quantiser(step)
    stairs = [float(quantiser.cell(k)[1]) for k in range(quantiser.n_levels - 1)]
    around = np.array(stairs, np.float32)
    values = [around, np.nextafter(around, np.float32(0)), np.nextafter(around, np.float32(2))]
    values = without_grey(np.concatenate(values))
    values = values[values <= 1]
    levels = levels_by_the_runtime(tmp_path / "net.onnx", step, values)
    assert (levels == quantiser.levels(values.astype(np.float64))).all()


@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_real_networks_tie_as_they_do_here(tmp_path, seed, pool):
    rng = np.random.default_rng(seed)
    network = random_real_network(rng, padding=1, by_position=bool(seed % 2), pool=pool)
    onnx.save(network, tmp_path / "net.onnx.gz")
    images = (rng.integers(-12, 13, (60, 2, 4, 5)) / 4).astype(np.float32)
    scores = network.scores(images)
    assert (outputs(tmp_path / "net.onnx.gz", images) == scores).all()
    again = onnx.load(tmp_path / "net.onnx.gz")
    assert again.input_range == network.input_range
    assert (again.scores(images) == scores).all()
    if all(t.denominator in (1, 2, 4) for t in network.front.threshold.ravel()):
        assert again == shortened(network)


def test_thresholds_between_floats_decide_alike_for_all_floats(tmp_path):
    third = Fraction(1, 3)
    front = RealConv2d(
        np.ones((4, 1, 1, 1)), [third] * 4, [1, 1, -1, -1], [False, True, False, True]
    )
    head = Head(np.eye(4).reshape(4, 4, 1, 1), 1, [0] * 4)
    network = RealNetwork(front, BinaryNetwork(Quantiser(1), [], head, (4, 1, 1)), (1, 1, 1))
    onnx.save(network, tmp_path / "net.onnx")
    below = float(third)  # the float64 next to 1/3 is below it
    x = np.array([below, np.nextafter(below, 1), 0.25]).reshape(3, 1, 1, 1)
    again = onnx.load(tmp_path / "net.onnx")
    assert again != network
    assert (again.scores(x) == network.scores(x)).all()


def test_the_model_is_valid(tmp_path):
    checker = pytest.importorskip("onnx.checker")
    for i, network in enumerate(
        [
            random_network(np.random.default_rng(0), (2, 6, 5), ("conv", "pool", "dense")),
            random_real_network(np.random.default_rng(0)),
        ]
    ):
        onnx.save(network, tmp_path / f"{i}.onnx")
        checker.check_model(str(tmp_path / f"{i}.onnx"), full_check=True)


def test_the_same_network_makes_the_same_bytes(tmp_path):
    network = random_network(np.random.default_rng(0))
    for name in ("a", "b"):
        onnx.save(network, tmp_path / f"{name}.onnx.gz")
    assert (tmp_path / "a.onnx.gz").read_bytes() == (tmp_path / "b.onnx.gz").read_bytes()


def test_neurons_that_never_or_always_fire(tmp_path):
    layer = Conv2d(np.ones((4, 1, 1, 2)), [2**30, -(2**30), 2**30, -(2**30)], [1, 1, -1, -1])
    network = BinaryNetwork(
        Quantiser(1), [layer], Head(np.eye(4).reshape(4, 4, 1, 1), 1, [0] * 4), (1, 1, 2)
    )
    onnx.save(network, tmp_path / "net.onnx")
    assert outputs(tmp_path / "net.onnx", np.zeros((1, 1, 1, 2))).tolist() == [[0, 1, 1, 0]]
    assert onnx.load(tmp_path / "net.onnx") == network


@pytest.mark.parametrize(
    ("network", "says"),
    [
        (lambda: network_of(scale=2**55), r"scores may reach 2\*\*53"),
        (lambda: network_of(size=2**22), "float32 is exact up to"),
        (lambda: front_of(Fraction(10) ** 400), "beyond all floats"),
    ],
)
def test_what_floats_cannot_hold_is_refused(tmp_path, network, says):
    with pytest.raises(ValueError, match=says):
        onnx.save(network(), tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def network_of(scale=1, size=1):
    head = Head(np.ones((2, 1, 1, size)), scale, [0, 0])
    return BinaryNetwork(Quantiser(1), [], head, (1, 1, size))


def front_of(threshold):
    front = RealConv2d(np.ones((1, 1, 1, 1)), [threshold], [1])
    head = Head(np.ones((2, 1, 1, 1)), 1, [0, 0])
    return RealNetwork(front, BinaryNetwork(Quantiser(1), [], head, (1, 1, 1)), (1, 1, 1))


@pytest.mark.parametrize("name", zoo.names())
def test_networks_of_the_zoo_on_all_test_images(tmp_path, data_home, name):
    network = zoo.load(name)
    images = datasets.load(name.split("-")[0], data_home=data_home).test.images
    onnx.save(network, tmp_path / "net.onnx")
    assert onnx.load(tmp_path / "net.onnx") == network
    parts = [
        outputs(tmp_path / "net.onnx", images[i : i + 500] / np.float32(255))
        for i in range(0, len(images), 500)
    ]
    assert (np.concatenate(parts) == network.scores(images)).all()
