import copy
import itertools
import pickle

import numpy as np
import pytest
from products import from_lanes, to_lanes

from bnnkit.nn.architectures import Conv, Dense, plan
from bnnkit.nn.layers import WEIGHTS, ScalarHead, TernaryLayer

CASES = {
    "dense": (Dense(5), (1, 3, 7)),
    "dense-on-maps": (Dense(3), (65, 2, 3)),
    "conv": (Conv(4, 3), (2, 6, 5)),
    "conv-stride-padding": (Conv(3, 4, 2, 1), (64, 7, 6)),
    "conv-window-out-of-reach": (Conv(2, 2, 3, 1), (63, 6, 6)),
}


def make(case, rng, **options):
    layer, (channels, height, width) = CASES[case]
    (geometry,) = plan([layer], (channels, height, width))
    settings = {"weights": "binmask", "mask_scale": 1.0, "mask_decay": 0.0, "max_input": 1}
    settings |= options
    made = TernaryLayer(geometry, rng, **settings)
    if settings["weights"] == "binmask":
        made.mask.value[:] = rng.normal(size=made.mask.value.shape)
        made.refresh()
    high = settings["max_input"] + 1
    return made, rng.integers(0, high, (9, height, width, channels), dtype=np.uint8)


def taps(layer):
    """Every (output row, output column, kernel row, kernel column, row, column) inside."""
    geometry = layer.geometry
    rows, columns, _ = geometry.output_shape
    for oy, ox, i, j in itertools.product(
        range(rows), range(columns), *map(range, geometry.kernel)
    ):
        y = oy * geometry.stride + i - geometry.padding
        x = ox * geometry.stride + j - geometry.padding
        if 0 <= y < geometry.input_shape[0] and 0 <= x < geometry.input_shape[1]:
            yield oy, ox, i, j, y, x


def plain(layer, x):
    z = np.zeros((len(x), *layer.geometry.output_shape))
    for oy, ox, i, j, row, column in taps(layer):
        z[:, oy, ox] += x[:, row, column].astype(float) @ layer.weights[:, i, j].T
    return z


def product(layer, x):
    return from_lanes(layer.product(layer.lanes(x), len(x)), len(x))


def random_gradient(layer, n_images, rng):
    """Gradient of z: float64 (N, OH, OW, O), and as lanes."""
    dz = rng.normal(size=(n_images, *layer.geometry.output_shape))
    return dz, to_lanes(dz.reshape(n_images, -1, dz.shape[3]), np.float32)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("max_input", [1, 10, 255])
@pytest.mark.parametrize("case", CASES)
def test_product_is_the_plain_convolution(case, max_input, weights, rng):
    layer, x = make(case, rng, max_input=max_input, weights=weights)
    z = product(layer, x)
    np.testing.assert_array_equal(z.reshape(len(x), *layer.geometry.output_shape), plain(layer, x))


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("max_input", [1, 10])
@pytest.mark.parametrize("case", CASES)
def test_gradients_are_those_of_the_plain_convolution(case, max_input, weights, rng):
    layer, x = make(case, rng, max_input=max_input, weights=weights)
    dz, lanes = random_gradient(layer, len(x), rng)
    d_weights, dx = np.zeros(layer.weights.shape), np.zeros(x.shape)
    for oy, ox, i, j, row, column in taps(layer):
        d_weights[:, i, j] += dz[:, oy, ox].T @ x[:, row, column]
        dx[:, row, column] += dz[:, oy, ox] @ layer.weights[:, i, j]
    layer.weight_gradient(layer.lanes(x), lanes)
    scale = 1e-5 * np.abs(d_weights).max()
    kept = layer.mask.value >= 0 if weights == "binmask" else 1
    np.testing.assert_allclose(layer.latent.gradient, d_weights * kept, atol=scale)
    if weights == "binmask":
        sign = np.where(layer.latent.value >= 0, 1, -1)
        np.testing.assert_allclose(layer.mask.gradient, d_weights * sign, atol=scale)
    scale = 1e-5 * np.abs(dx).max()
    made = from_lanes(layer.input_gradient(lanes, len(x)), len(x))
    np.testing.assert_allclose(made.reshape(dx.shape), dx, atol=scale)


@pytest.mark.parametrize("max_input", [1, 10])
@pytest.mark.parametrize("size", [Dense(80), Conv(24, 3, 1, 1)])
def test_products_stay_the_same_while_weights_become_zeros(size, max_input, rng):
    (geometry,) = plan([size], (24, 6, 5))
    layer = TernaryLayer(geometry, rng, "binmask", 1.0, 0.0, max_input=max_input)
    layer.latent.value[:] = rng.normal(size=layer.latent.value.shape)
    x = rng.integers(0, max_input + 1, (9, 6, 5, 24), dtype=np.uint8)
    dz, lanes = random_gradient(layer, len(x), rng)
    for kept in (1, 0.6, 0.1, 0.01, 0, 0.03, 0.8):  # by look-up, from lists, and back
        layer.mask.value[:] = np.where(rng.random(layer.mask.value.shape) < kept, 1, -1)
        layer.refresh()
        z, dx = product(layer, x), np.zeros(x.shape)
        np.testing.assert_array_equal(z.reshape(dz.shape), plain(layer, x))
        for oy, ox, i, j, row, column in taps(layer):
            dx[:, row, column] += dz[:, oy, ox] @ layer.weights[:, i, j]
        made = from_lanes(layer.input_gradient(lanes, len(x)), len(x))
        np.testing.assert_allclose(made.reshape(dx.shape), dx, atol=1e-4)


def test_sums_beyond_int16_stay_exact(rng):
    (geometry,) = plan([Dense(2)], (8, 64, 65))
    layer = TernaryLayer(geometry, rng, weights="binary", mask_scale=1.0, mask_decay=0.0)
    layer.latent.value[0] = 1
    layer.refresh()
    z = product(layer, np.ones((3, 64, 65, 8), np.uint8))
    assert (z[:, 0, 0] == 64 * 65 * 8).all()


def test_the_next_batch_may_have_another_size(rng):
    layer, x = make("conv-stride-padding", rng)
    for part in (x, x[:4], np.concatenate([x] * 9), x[:4]):
        shape = (len(part), *layer.geometry.output_shape)
        np.testing.assert_array_equal(product(layer, part).reshape(shape), plain(layer, part))


def test_a_copy_computes_the_same(rng):
    layer, x = make("conv", rng)
    expected = product(layer, x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        other.refresh()
        np.testing.assert_array_equal(product(other, x), expected)
        other.latent.value *= -1
        other.refresh()
        np.testing.assert_array_equal(product(other, x), -expected)
        np.testing.assert_array_equal(product(layer, x), expected)


def test_sign_of_zero_is_plus_one_and_a_mask_of_zero_keeps(rng):
    layer, _ = make("dense", rng)
    layer.latent.value[:] = -0.5
    layer.latent.value[0, 0, 0] = 0
    layer.mask.value[:] = 0
    layer.mask.value[1] = -1e-9
    layer.refresh()
    assert layer.weights[0, 0, 0, 0] == 1
    assert (layer.weights[1] == 0).all()
    assert (layer.weights[2:] == -1).all()


def test_binary_weights_have_no_zeros_and_learn_no_mask(rng):
    (geometry,) = plan([Dense(5)], (1, 3, 7))
    layer = TernaryLayer(geometry, rng, weights="binary", mask_scale=1.0, mask_decay=0.0)
    assert set(np.unique(layer.weights)) == {-1, 1}
    assert layer.sparsity == 0
    assert layer.parameters() == [layer.latent]


def test_plain_ternary_weights_are_zero_where_the_latent_is_small(rng):
    layer, _ = make("dense", rng, weights="ternary")
    latent = layer.latent.value
    latent[:] = -0.1
    latent.flat[:4] = [0.0051, 0.0049, -0.0049, 0]
    layer.refresh()
    np.testing.assert_array_equal(layer.weights.flat[:4], [1, 0, 0, 0])
    assert (layer.weights.flat[4:] == -1).all()
    assert layer.parameters() == [layer.latent]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_sparsity_is_the_share_of_zeros(weights, rng):
    layer, _ = make("conv-stride-padding", rng, weights=weights)
    assert layer.sparsity == pytest.approx(np.mean(layer.weights == 0))
    layer.latent.value[0] = layer.latent.value[0] + 1
    if weights == "binmask":
        layer.mask.value[1:] = -1
    layer.refresh()
    assert layer.sparsity == pytest.approx(np.mean(layer.weights == 0))


@pytest.mark.parametrize("scale", [0.01, 0.5])
def test_every_mask_starts_open_and_as_wide_as_asked(scale, rng):
    (geometry,) = plan([Dense(50)], (1, 10, 10))
    layer = TernaryLayer(geometry, rng, weights="binmask", mask_scale=scale, mask_decay=0.0)
    assert set(np.unique(layer.weights)) == {-1, 1}
    deviation = np.sqrt(np.mean(np.square(layer.mask.value)))
    assert deviation == pytest.approx(scale, rel=0.05)
    assert np.std(layer.mask.value) < 0.7 * deviation  # all on one side of zero


def test_mask_decay_pulls_at_the_masks_in_use_alone(rng):
    layer, x = make("dense", rng, mask_decay=0.25)
    layer.weight_gradient(layer.lanes(x), np.zeros((4, 1, 5, 16), np.float32))
    np.testing.assert_array_equal(layer.mask.gradient, 0.25 * (layer.mask.value >= 0))
    assert not layer.latent.gradient.any()


def test_decay_without_a_mask_pulls_at_the_weights_in_use(rng):
    layer, x = make("dense", rng, weights="ternary", mask_decay=0.25)
    layer.weight_gradient(layer.lanes(x), np.zeros((4, 1, 5, 16), np.float32))
    np.testing.assert_array_equal(layer.latent.gradient, 0.25 * layer.weights)
    assert 0 < layer.sparsity < 1


def test_sums_beyond_exact_float32_are_refused(rng):
    (geometry,) = plan([Dense(2)], (3, 200, 200))
    with pytest.raises(ValueError, match="stops being exact"):
        TernaryLayer(geometry, rng, "binmask", mask_scale=1.0, mask_decay=0.0, max_input=255)


def test_head_gradients_are_the_slopes_of_its_logits(rng):
    layer, x = make("dense", rng)
    head = ScalarHead(layer)
    head.bias.value[:] = rng.normal(size=5)
    z, d_logits = head.sums(layer.lanes(x), len(x)), rng.normal(size=(len(x), 5))
    np.testing.assert_array_equal(z, product(layer, x)[:, 0])
    dz = from_lanes(head.backward(z, d_logits), len(x))
    assert head.scale.gradient[0] == pytest.approx(np.sum(d_logits * z), rel=1e-5)
    np.testing.assert_allclose(head.bias.gradient, d_logits.sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(dz[:, 0], d_logits * head.scale.value[0], rtol=1e-5)
    logits = head.scale.value[0] * z + head.bias.value
    np.testing.assert_allclose(head.logits(z), logits, rtol=1e-5)
