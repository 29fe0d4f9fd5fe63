from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from interop import eev_networks, torch_files
from interop.eev_networks import plain_class, random_layers, write
from interop.mutations import check_reader
from reference import load_set

from bnnkit import datasets
from bnnkit.interop import eev, read_network

CHECKPOINTS = Path(__file__).parents[3] / "shared" / "checkpoints"
FORMS = ("zipped", "legacy", "zipped module", "legacy module", "plain module")


@pytest.fixture
def saved(tmp_path):
    """A function that writes a network in one of the forms and returns its path."""

    def save(layers, form="zipped", **options):
        path = tmp_path / "network.pth"
        path.write_bytes(write(layers, form, **options))
        return path

    return save


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize("seed", range(3))
def test_the_network_means_what_the_checkpoint_does(saved, form, kind, seed):
    rng = np.random.default_rng(seed)
    layers = random_layers(rng, kind)
    network = eev.load(saved(layers, form), input_shape=(1, 8, 8))
    assert network.quantiser.step == Fraction(1, 10)
    levels = rng.integers(0, 11, (40, 1, 8, 8)).astype(np.uint8)
    expected = [plain_class(layers, image, Fraction(1, 10)) for image in levels]
    clear = np.array([lead > 2e-6 for _, lead in expected])  # above the rounding of biases
    classes = np.array([best for best, _ in expected])
    found = network.scores_of_levels(levels).argmax(axis=1)
    assert clear.sum() > 30
    assert len(set(classes)) > 1, "the network should not be constant"
    np.testing.assert_array_equal(found[clear], classes[clear])


def test_layers_that_are_not_positive(saved):
    rng = np.random.default_rng(0)
    layers = random_layers(rng, "dense", positive=False)
    network = eev.load(saved(layers, "plain module"), input_shape=(1, 8, 8))
    levels = rng.integers(0, 11, (40, 1, 8, 8)).astype(np.uint8)
    expected = [plain_class(layers, image, Fraction(1, 10))[0] for image in levels]
    assert network.scores_of_levels(levels).argmax(axis=1).tolist() == expected


def test_the_step_is_that_of_the_file_or_as_said(saved):
    layers = random_layers(np.random.default_rng(0), "dense")
    assert eev.load(saved(layers)).quantiser.step == Fraction(1, 10)
    assert eev.load(saved(layers), quant_step=0.61).quantiser.step == Fraction(61, 100)
    stored = saved(layers, "zipped module", step=0.61)
    assert eev.load(stored).quantiser.step == Fraction(61, 100)
    assert eev.load(stored, Fraction(61, 100)).quantiser.step == Fraction(61, 100)
    with pytest.raises(ValueError, match=r"network\.pth .* trained with the step 0\.61, not 0\.1"):
        eev.load(stored, quant_step=0.1)


def test_input_shapes(saved):
    rng = np.random.default_rng(0)
    layers = random_layers(rng, "dense")
    assert eev.load(saved(layers)).input_shape == (1, 1, 64)
    assert read_network(saved(layers), input_shape=(4, 4, 4)).input_shape == (4, 4, 4)
    with pytest.raises(ValueError, match="takes 64 inputs, but gets"):
        eev.load(saved(layers), input_shape=(1, 8, 9))
    with pytest.raises(ValueError, match="takes 64 inputs, but gets"):
        eev.load(saved(random_layers(rng, "conv")))  # taken for MNIST's 28 x 28


def broken(change, kind="dense", form="zipped"):
    """The bytes of a network with one array or attribute changed."""
    layers = random_layers(np.random.default_rng(0), kind)
    change(layers)
    return write(layers, form)


def set_(name, value):
    return lambda layers: setattr(layers[0], name, value)


def nan_in(name):
    return lambda layers: getattr(layers[0], name).fill(np.nan)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (lambda: broken(nan_in("weight")), "features.2.weight has values that are not finite"),
        (lambda: broken(nan_in("mean")), "features.3.running_mean has values that are not finite"),
        (lambda: broken(set_("mask", np.ones((7, 63)))), r"masks \(7, 63\)"),
        (lambda: broken(set_("beta", np.ones(6))), r"features.3.bias has shape \(6,\), not \(7,\)"),
        (lambda: broken(set_("var", np.full(7, -1.0))), "variance of features.3 is not above 0"),
        (lambda: broken(lambda layers: layers.pop(0) and layers.pop(0)), "it has 1 layers"),
        (
            lambda: broken(lambda x: (set_("gamma", [1.0])(x), set_("var", [1.0])(x))),
            "features.2 has one scale for all",
        ),
        (
            lambda: broken(
                lambda x: (set_("gamma", np.ones(4))(x[2:]), set_("var", np.ones(4))(x[2:]))
            ),
            "a scale for each class",
        ),
        (
            lambda: broken(lambda x: set_("window", (2, 0))(x), "conv", "zipped module"),
            "takes 64 inputs, but gets",
        ),
    ],
)
def test_what_is_no_network_of_eev(tmp_path, content, says):
    path = tmp_path / "odd.pth"
    path.write_bytes(content())
    with pytest.raises(ValueError, match=says) as caught:
        eev.load(path, input_shape=(1, 8, 8))
    assert "odd.pth" in str(caught.value)


def attribute(module_name, **changes):
    """Change attributes of the first module of some class."""

    def change(root):
        for module in root._modules["features"]._modules.values():
            if type(module).__name__ == module_name:
                module.__dict__.update(changes)
                return

    return change


def without(module_name):
    """Take out the first module of some class."""

    def change(root):
        modules = root._modules["features"]._modules
        name = next(n for n, module in modules.items() if type(module).__name__ == module_name)
        del modules[name]

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (attribute("BinConv2dPos", stride=(2, 1)), "a window that is not supported"),
        (attribute("BinConv2dPos", groups=3), "a window that is not supported"),
        (attribute("BinConv2dPos", padding="same"), "a window that is not supported"),
        (attribute("BinConv2dPos", padding_mode="circular"), "a window that is not supported"),
        (attribute("BinLinearPos", weight_binarizer=None), "not made ternary by a mask"),
        (attribute("BinConv2dPos", rounding=True), "rounds its sums"),
        (attribute("BatchNormStatsCallbak", eps="1e-5"), "not above 0"),
        (attribute("InputQuantizer", step=7), "no step"),
        (attribute("InputQuantizer", step=float("inf")), "finite"),
        (
            lambda root: root._modules["features"]._modules.pop("2"),
            "no layer with weights|batch-norm",
        ),
        (lambda root: root._modules.clear(), "no features"),
        (
            lambda root: root._modules["features"]._modules.update(
                last=root._modules["features"]._modules["3"]
            ),
            "an activation must follow each layer but the last",
        ),
        (without("Binarize01Act"), "an activation must follow each layer but the last"),
        (without("BatchNormStatsCallbak"), r"activation features\.3 follows no batch-norm"),
        (without("InputQuantizer"), "does not quantise its input"),
    ],
)
def test_modules_that_compute_something_else(tmp_path, change, says):
    path = tmp_path / "odd.pickle"
    layers = random_layers(np.random.default_rng(0), "conv")
    with torch_files.stand_ins() as modules:
        root = eev_networks.whole_module(modules, layers, 0.1)
        change(root)
        path.write_bytes(torch_files.plain(root))
    with pytest.raises(ValueError, match=says):
        eev.load(path, input_shape=(1, 8, 8))


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"layer1.0.weight": 1}, "'layer1.0.weight', which no network of EEV has"),
        ({"features.02.weight": 1}, "'features.02.weight', which no network of EEV has"),
        ({"features.٣.weight": 1}, "which no network of EEV has"),
        ({"features.2.num_batches": 1}, "which no layer of EEV has"),
        ({"features.2.running_var": 1}, "follows no layer with weights"),
        ({"features.2.weight_mask": 1}, "no weight as a network"),
        ({"features.4.grad_scale": 1}, "follows no batch-norm"),
        ({}, "it has 0 layers"),
    ],
)
def test_parameters_of_something_else(tmp_path, state, says):
    path = tmp_path / "odd.pth"
    path.write_bytes(torch_files.plain(state))
    with pytest.raises(ValueError, match=says):
        eev.load(path)


@pytest.mark.parametrize("form", FORMS)
def test_damaged_checkpoints(tmp_path, form):
    layers = random_layers(np.random.default_rng(0), "dense")
    check_reader(eev.load, tmp_path / "damaged.pth", write(layers, form), count=150)


@pytest.mark.parametrize(
    ("name", "accuracy"),
    [
        ("model2_MNIST.pth", 0.9046),
        ("model3_MNIST.pth", 0.9363),
        ("model3_mnist_epoch25.pickle", 0.9436),
    ],
)
def test_accuracy_of_the_seed_study(name, accuracy, data_home):
    if not (CHECKPOINTS / name).is_file():
        pytest.skip(f"no {name} beside the repository")
    test = datasets.load("mnist", data_home=data_home).test
    network = read_network(CHECKPOINTS / name)
    assert (network.predict(test.images) == test.labels).sum() == round(10_000 * accuracy)


@pytest.mark.parametrize(
    ("name", "folder"),
    [("model2_MNIST.pth", "seed-mlp2-mnist"), ("model3_MNIST.pth", "seed-mlp3-mnist")],
)
def test_layers_are_those_that_the_published_system_folds(name, folder):
    bench = CHECKPOINTS.parent / "bench" / folder
    if not (CHECKPOINTS / name).is_file() or not bench.is_dir():
        pytest.skip(f"no {name} or no {folder} beside the repository")
    reference = load_set(bench)
    network = eev.load(CHECKPOINTS / name)
    for ours, theirs in zip(network.layers, reference.network.layers, strict=True):
        np.testing.assert_array_equal(ours.weights, theirs.weights)
        np.testing.assert_array_equal(ours.threshold, theirs.threshold)
        np.testing.assert_array_equal(ours.sense, theirs.sense)
    np.testing.assert_array_equal(network.head.weights, reference.network.head.weights)
    expected = reference.network.predict(reference.images)
    np.testing.assert_array_equal(network.predict(reference.images), expected)
