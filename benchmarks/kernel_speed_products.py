"""Rows of single layers: binary products with fused thresholds, and a convolution."""

import functools

import numpy as np
import torch
from kernel_speed_networks import LAYOUTS, inference, matmul_runs
from kernel_speed_timing import Row, medians

from bnnkit.kernels import pack_bits, pack_ternary, positives, ternary_bits, xnor
from bnnkit.kernels.ternary import bit_rows, bounds_room
from bnnkit.network import Conv2d

_RNG = np.random.default_rng(0)


def products(rounds):
    """Binary products; at batch 1, the call from Python weighs as much as the product."""
    for m, k, n in [(256, 784, 512), (256, 4096, 1024), (1024, 1024, 1024), (1, 784, 512)]:
        runs = [*_binary_layer(m, k, n), _int8_linear(m, k, n), *matmul_runs(m, k, n)]
        ours, portable, int8, *float32 = 1e6 * medians(runs, rounds)
        work, peer = f"binary product {m} x {k} x {n}, thresholds", "torch float32 matmul"
        yield Row(work, peer, ours, min(float32), "us", 10 if m == 1 else 12)
        if m > 1:
            yield Row(work, "torch int8 linear", ours, int8, "us", 6)
            yield Row(f"{work}, without look-up", peer, portable, min(float32), "us", 4)


def _binary_layer(m, k, n):
    """A fused layer by the function that chooses a kernel, and by the kernel of any processor."""
    x = pack_bits(_RNG.integers(0, 2, (m, 1, k)).astype(np.uint8))
    packed = pack_ternary(_signs(n, 1, k))
    limit, sense = positives(packed), np.ones(n, np.int8)
    room = bounds_room(n), bit_rows(m, n)
    chosen = functools.partial(ternary_bits, x, packed, limit, sense)
    portable = functools.partial(xnor.bits, x[None], packed.sign, None, limit, sense, *room)
    return chosen, portable


def _int8_linear(m, k, n):
    layer = torch.ao.nn.quantized.Linear(k, n)
    return functools.partial(
        layer, torch.quantize_per_tensor(torch.randn(m, k), 0.1, 0, torch.quint8)
    )


def convolutions(rounds):
    """A 3x3 convolution of 64 to 64 channels on 32 x 32 pixels, from bits to bits."""
    layer = Conv2d(_signs(64, 64, 3, 3), np.zeros(64, int), np.ones(64, int), padding=1)
    for n in (1, 64):
        octets = _RNG.integers(0, 256, (n, 32, 32, 8)).astype(np.uint8)
        peers = [
            inference(torch.nn.Conv2d(64, 64, 3, padding=1), torch.randn(n, 64, 32, 32), layout)
            for layout in LAYOUTS
        ]
        ours, *theirs = 1e6 * medians([functools.partial(layer.bits, octets), *peers], rounds)
        work = f"convolution 3x3, 64 to 64 channels, 32 x 32, batch {n}"
        yield Row(work, "torch conv2d", ours, min(theirs), "us", 10)


def _signs(*shape):
    return _RNG.choice([-1, 1], shape).astype(np.int8)
