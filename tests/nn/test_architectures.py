import numpy as np
import pytest

from bnnkit.nn.architectures import ARCHITECTURES, Conv, Dense, parse_architecture, plan


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("mlp-large", [(1, 1, 512), (1, 1, 512), (1, 1, 100)]),
        ("mlp-medium", [(1, 1, 50), (1, 1, 200), (1, 1, 400)]),
        ("mlp-small", [(1, 1, 50), (1, 1, 50)]),
        ("cnn", [(14, 14, 32), (7, 7, 64), (1, 1, 512), (1, 1, 256)]),
        ("conv-small", [(14, 14, 16), (7, 7, 32), (1, 1, 100)]),
        (
            "conv-large",
            [(28, 28, 32), (14, 14, 32), (14, 14, 64), (7, 7, 64), (1, 1, 512), (1, 1, 512)],
        ),
    ],
)
def test_named_architectures_have_their_published_shapes(name, outputs):
    geometries = plan(parse_architecture(name), (1, 28, 28))
    assert [geometry.output_shape for geometry in geometries] == outputs


def test_the_table_holds_nothing_else():
    assert len(ARCHITECTURES) == 6


@pytest.mark.parametrize(
    ("architecture", "layers"),
    [
        ("7", (Dense(7),)),
        ("conv3k5-8", (Conv(3, 5, 1, 0), Dense(8))),
        ("conv3k5p2", (Conv(3, 5, 1, 2),)),
        ("conv3k5s2", (Conv(3, 5, 2, 0),)),
        ([Conv(3, 5, stride=2), 9], (Conv(3, 5, 2, 0), Dense(9))),
        ((4, Dense(5)), (Dense(4), Dense(5))),
        ([np.int64(4)], (Dense(4),)),
    ],
)
def test_free_specifications(architecture, layers):
    assert parse_architecture(architecture) == layers


def test_inputs_chain_and_a_dense_kernel_is_the_whole_input():
    first, second = plan(parse_architecture("conv6k3s2-10"), (3, 9, 7))
    assert first.input_shape == (9, 7, 3)
    assert second.input_shape == first.output_shape == (4, 3, 6)
    assert second.kernel == (4, 3)


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ("mlp-larg", "did you mean 'mlp-large'"),
        ("512--100", "'' is not a layer"),
        ("512-conv3", "'conv3' is not a layer"),
        ("", "'' is not a layer"),
        ([], "at least one hidden layer"),
        ("512-0", "units must be a whole number of at least 1"),
        ("conv0k3", "channels must be"),
        ("conv4k0", "kernel must be"),
        ("conv4k3s0", "stride must be"),
        ("conv4k3p3", r"padding must be in \[0, kernel - 1\]"),
        ("100-conv4k3", "a convolution cannot follow a dense layer"),
    ],
)
def test_bad_specifications_say_what_is_wrong(architecture, message):
    with pytest.raises(ValueError, match=message):
        parse_architecture(architecture)


@pytest.mark.parametrize("layer", ["x", 2.5, True, None])
def test_other_types_of_layers_are_refused(layer):
    with pytest.raises(TypeError, match=f"a layer must be .*, got {layer!r}"):
        parse_architecture([4, layer])


@pytest.mark.parametrize("architecture", [8, None, 2.5, b"50", {"units": 8}])
def test_other_types_of_architectures_are_refused(architecture):
    with pytest.raises(TypeError, match=f"an architecture must be .*, got {architecture!r}"):
        parse_architecture(architecture)


@pytest.mark.parametrize(
    ("architecture", "n_weights"),
    [
        ("1000000000", 4 * 10**9),
        ("8192-32767-1", 4 * 8192 + 8192 * 32767 + 32767),
        ("conv9000k2-30000", 4 * 9000 + 9000 * 30000),
    ],
)
def test_more_weights_than_memory_holds(architecture, n_weights):
    with pytest.raises(ValueError, match=f"would have {n_weights} weights, the limit is 268435456"):
        plan(parse_architecture(architecture), (1, 2, 2))
    plan(parse_architecture("8192-32763"), (1, 2, 2))  # 4096 below the limit


def test_kernel_larger_than_the_input():
    with pytest.raises(ValueError, match="larger than its padded input of 4 x 4"):
        plan(parse_architecture("conv8k3s2-conv8k6p0"), (1, 9, 9))
