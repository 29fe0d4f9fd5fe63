import itertools

import numpy as np
import pytest

from bnnkit.nn.architectures import Conv, Dense, plan
from bnnkit.nn.layers import ScalarHead, TernaryLayer

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
    settings = {"ternary": True, "mask_scale": 1.0, "mask_decay": 0.0, "max_input": 1} | options
    made = TernaryLayer(geometry, rng, **settings)
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


def plain_product(layer, x):
    z = np.zeros((len(x), *layer.geometry.output_shape))
    for oy, ox, i, j, row, column in taps(layer):
        z[:, oy, ox] += x[:, row, column].astype(float) @ layer.weights[:, i, j].T
    return z


@pytest.mark.parametrize("max_input", [1, 10, 255])
@pytest.mark.parametrize("case", CASES)
def test_product_is_the_plain_convolution(case, max_input, rng):
    layer, x = make(case, rng, max_input=max_input)
    z = layer.product(x)
    assert z.dtype == np.int32
    np.testing.assert_array_equal(z, plain_product(layer, x))


@pytest.mark.parametrize("max_input", [1, 10])
@pytest.mark.parametrize("case", CASES)
def test_gradients_are_those_of_the_plain_convolution(case, max_input, rng):
    layer, x = make(case, rng, max_input=max_input)
    dz = rng.normal(size=(len(x), *layer.geometry.output_shape)).astype(np.float32)
    d_weights, dx = np.zeros(layer.weights.shape), np.zeros(x.shape)
    for oy, ox, i, j, row, column in taps(layer):
        d_weights[:, i, j] += dz[:, oy, ox].T.astype(float) @ x[:, row, column]
        dx[:, row, column] += dz[:, oy, ox].astype(float) @ layer.weights[:, i, j]
    layer.weight_gradient(x, dz)
    kept, sign = layer.mask.value >= 0, np.where(layer.latent.value >= 0, 1, -1)
    scale = 1e-5 * np.abs(d_weights).max()
    np.testing.assert_allclose(layer.latent.gradient, d_weights * kept, atol=scale)
    np.testing.assert_allclose(layer.mask.gradient, d_weights * sign, atol=scale)
    scale = 1e-5 * np.abs(dx).max()
    np.testing.assert_allclose(layer.input_gradient(dz), dx, atol=scale)


def test_a_batch_larger_than_a_chunk_gives_the_same(rng, monkeypatch):
    layer, x = make("conv-stride-padding", rng, max_input=10)
    dz = rng.normal(size=(len(x), *layer.geometry.output_shape)).astype(np.float32)
    whole = layer.product(x), layer.input_gradient(dz)
    monkeypatch.setattr("bnnkit.nn.layers._CHUNK", 2 * 3 * 3 * 1024)
    assert len(layer._chunks(len(x))) > 1
    np.testing.assert_array_equal(layer.product(x), whole[0])
    np.testing.assert_allclose(layer.input_gradient(dz), whole[1], rtol=1e-5, atol=1e-6)


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
    layer = TernaryLayer(geometry, rng, ternary=False, mask_scale=1.0, mask_decay=0.0)
    assert set(np.unique(layer.weights)) == {-1, 1}
    assert layer.parameters() == [layer.latent]


@pytest.mark.parametrize("scale", [0.01, 0.5])
def test_every_mask_starts_open_and_as_wide_as_asked(scale, rng):
    (geometry,) = plan([Dense(50)], (1, 10, 10))
    layer = TernaryLayer(geometry, rng, ternary=True, mask_scale=scale, mask_decay=0.0)
    assert set(np.unique(layer.weights)) == {-1, 1}
    deviation = np.sqrt(np.mean(np.square(layer.mask.value)))
    assert deviation == pytest.approx(scale, rel=0.05)
    assert np.std(layer.mask.value) < 0.7 * deviation  # all on one side of zero


def test_mask_decay_pulls_at_the_masks_in_use_alone(rng):
    layer, x = make("dense", rng, mask_decay=0.25)
    layer.weight_gradient(x, np.zeros((len(x), 1, 1, 5), np.float32))
    np.testing.assert_array_equal(layer.mask.gradient, 0.25 * (layer.mask.value >= 0))
    assert not layer.latent.gradient.any()


def test_sums_beyond_exact_float32_are_refused(rng):
    (geometry,) = plan([Dense(2)], (3, 200, 200))
    with pytest.raises(ValueError, match="stops being exact"):
        TernaryLayer(geometry, rng, ternary=True, mask_scale=1.0, mask_decay=0.0, max_input=255)


def test_head_gradients_are_the_slopes_of_its_logits(rng):
    layer, x = make("dense", rng)
    head = ScalarHead(layer)
    head.bias.value[:] = rng.normal(size=5)
    z, d_logits = layer.product(x), rng.normal(size=(len(x), 5))
    dz = head.backward(z, d_logits)
    assert head.scale.gradient[0] == pytest.approx(np.sum(d_logits * z[:, 0, 0]), rel=1e-5)
    np.testing.assert_allclose(head.bias.gradient, d_logits.sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(dz[:, 0, 0], d_logits * head.scale.value[0], rtol=1e-5)
    logits = head.scale.value[0] * z[:, 0, 0] + head.bias.value
    np.testing.assert_allclose(head.logits(z), logits, rtol=1e-5)
