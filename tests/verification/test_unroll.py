import numpy as np
import pytest
from helpers import plain_conv, plain_pool, random_network

from bnnkit.network import Pool2d
from bnnkit.verification.unroll import unroll


def flat(x):
    return x.transpose(1, 2, 0).ravel()


@pytest.mark.parametrize("structure", [("dense",), ("conv", "conv"), ("conv", "pool", "dense")])
@pytest.mark.parametrize("seed", range(5))
def test_unrolled_layers_equal_the_definition(structure, seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (2, 5, 4), structure, step=0.2)
    layers, head = unroll(network)
    x = rng.integers(0, 6, (2, 5, 4))
    for layer, unrolled in zip(network.layers, layers, strict=True):
        if isinstance(layer, Pool2d):
            reduce = np.max if layer.kind == "or" else np.min
            bits = reduce(flat(x)[unrolled.index], axis=1)
            x = plain_pool(x, layer.kind, layer.size, layer.stride)
        else:
            z = unrolled.sums.values(flat(x))
            plain = plain_conv(x, layer.weights, layer.stride, layer.padding)
            assert (z.ravel() == flat(plain)).all()
            bits = ((z >= unrolled.bound) ^ unrolled.flip).ravel()
            threshold = layer.threshold.reshape(len(plain), *(layer.threshold.shape[1:] or (1, 1)))
            sense = layer.sense.reshape(-1, 1, 1)
            x = np.where(sense > 0, plain >= threshold, plain <= threshold).astype(int)
        assert (bits == flat(x)).all()
    plain = plain_conv(x, network.head.weights, 1, 0)
    assert (head.sums.values(flat(x)).ravel() == plain.ravel()).all()


def test_a_network_is_unrolled_once():
    network, twin = (random_network(np.random.default_rng(0)) for _ in range(2))
    assert unroll(network) is unroll(twin)
