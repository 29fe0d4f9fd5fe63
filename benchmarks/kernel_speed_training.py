"""Rows of training: products of ±1 and float32, and whole steps.

Steps are forward, backward, Adam and clip at batch 128 on random images. The peer is the same
architecture as it is usually written in torch: latent weights and activations through a sign
with a straight-through gradient, batch-norm, Adam with its defaults, the better layout; beside
it stands the best of its settings, fused Adam included. Our activations are 0 or 1 instead of -1
or +1, our surrogate is the default one. Products are those of a training step: the ±1 operand is
coded, as it is once a step, and the other one lies in lanes, as it does in all of training.
"""

import functools

import numpy as np
import torch
from kernel_speed_networks import LAYOUTS, SHAPES, binary_twin, matmul_runs
from kernel_speed_timing import Row, medians

from bnnkit.kernels._lanes import aligned
from bnnkit.kernels.codes import code_bits, code_outputs, n_words
from bnnkit.kernels.gradients import lanes_by_bits
from bnnkit.kernels.links import links
from bnnkit.kernels.russians import weights_by_lanes, workspace
from bnnkit.nn.architectures import parse_architecture
from bnnkit.nn.latent import LatentNetwork
from bnnkit.nn.loss import cross_entropy
from bnnkit.nn.optim import Adam

_BATCH = 128
_EAGER = "torch eager, Adam"
_BEST = "torch, best settings"
_STEPS = [("512-512", 256, 2.8), ("512-512", 2, 4), ("conv-small", 256, 3.5)]
_STEPS += [("conv-large", 256, 3.5)]


def training_products(rounds):
    """The product for the gradient of weights, and two for that of inputs."""
    for m, k, n, made in ((512, 128, 512, _dw), (512, 512, 128, _dx), (1024, 1024, 1024, _dx)):
        ours, *theirs = 1e6 * medians([made(m, k, n), *matmul_runs(m, k, n)], rounds)
        work = f"±1 x float32 product {m} x {k} x {n} ({made.__name__[1:]})"
        yield Row(work, "torch float32 matmul", ours, min(theirs), "us", 2.5)


def _dx(m, k, n):
    """The product of weights (m, k) with lanes of n images."""
    rng = np.random.default_rng(0)
    weights = rng.choice(np.array([-1, 1], np.int8), (m, 1, k))
    x, y = aligned((n // 16, 1, k, 16), np.float32), aligned((n // 16, 1, m, 16), np.float32)
    x[:] = rng.normal(size=x.shape)
    words = n_words(k, 2)
    codes = aligned((m, 1, 8 * words), np.uint8)
    code_outputs(weights, 2, codes)
    steps, codes = (words, words, 1), codes.view(np.uint64).reshape(-1)
    one, _ = links((1, 1), (1, 1), 1, 0)
    run = functools.partial(weights_by_lanes, x, codes, steps, 2, one, n, workspace(np.float32), y)
    run()
    expected = weights[:, 0] @ x[:, 0].transpose(1, 0, 2).reshape(k, n).astype(float)
    _check(y[:, 0].transpose(1, 0, 2).reshape(m, n), expected)
    return run


def _dw(m, k, n):
    """The product of gradients (m, k images) with bits (k images, n)."""
    rng = np.random.default_rng(0)
    bits = aligned((k // 64, 1, n, 64), np.int8)
    bits[:] = rng.integers(0, 2, bits.shape)
    dz = aligned((k // 16, 1, m, 16), np.float32)
    dz[:] = rng.normal(size=dz.shape)
    codes = aligned((k // 64, 1, n, 16), np.uint8)
    code_bits(bits.reshape(-1, 64), codes.reshape(-1, 16))
    one, _ = links((1, 1), (1, 1), 1, 0)
    scratch = workspace(np.float32), aligned((64, 16), np.float32), aligned((n, 16), np.float32)
    product = aligned((m, n), np.float32)
    run = functools.partial(lanes_by_bits, dz, codes.view(np.uint64), one, *scratch, product)
    run()
    left = dz[:, 0].transpose(1, 0, 2).reshape(m, k).astype(float)
    _check(product, left @ bits[:, 0].transpose(0, 2, 1).reshape(k, n))
    return run


def _check(product, expected):
    assert np.abs(product - expected).max() < 1e-5 * np.abs(expected).max()


def training_steps(rounds):
    """Steps with binary weights against both peers, and with ternary ones."""
    for name, n_levels, bar in _STEPS:
        ours = [_our_step(name, n_levels, weights) for weights in ("binary", "binmask")]
        layouts = LAYOUTS if "conv" in name else LAYOUTS[:1]
        peers = [_torch_step(name, n_levels, *s) for s in _settings(layouts)]
        binary, ternary, *theirs = 1e6 * medians([*ours, *peers], rounds)
        eager, best = min(theirs[: len(layouts)]), min(theirs)
        work = f"training step, {name}, {n_levels} levels"
        yield Row(f"{work}, binary weights", _EAGER, binary, eager, "us", bar)
        yield Row(f"{work}, binary weights", _BEST, binary, best, "us")
        yield Row(f"{work}, ternary weights", _EAGER, ternary, eager, "us")


def _settings(layouts):
    """Settings of the peer, those with Adam's defaults first."""
    return [(fused, layout) for fused in (None, True) for layout in layouts]


def _our_step(name, n_levels, weights):
    rng, (channels, *sides) = np.random.default_rng(0), SHAPES[name]
    network = LatentNetwork(
        parse_architecture(name),
        SHAPES[name],
        10,
        n_levels=n_levels,
        surrogate="tanh",
        surrogate_scale=1.0,
        weights=weights,
        mask_scale=0.03,
        mask_decay=0.0,
        rng=rng,
    )
    levels = rng.integers(0, n_levels, (_BATCH, *sides, channels), dtype=np.uint8)
    labels = rng.integers(0, 10, _BATCH)
    optimiser = Adam(network.parameters())

    def step():
        _, gradient = cross_entropy(network.forward(levels), labels)
        network.backward(gradient / _BATCH)
        optimiser.step(1e-3)
        network.refresh()

    return step


def _torch_step(name, n_levels, fused, layout):
    twin = binary_twin(name, SHAPES[name]).to(memory_format=layout)
    x = torch.randint(0, n_levels, (_BATCH, *SHAPES[name])) / (n_levels - 1)
    x = (2 * x - 1 if n_levels == 2 else x).to(memory_format=layout)
    labels = torch.randint(0, 10, (_BATCH,))
    latents = [parameter for parameter in twin.parameters() if parameter.dim() > 1]
    optimiser = torch.optim.Adam(twin.parameters(), lr=1e-3, fused=fused)

    def step():
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(twin(x), labels).backward()
        optimiser.step()
        with torch.no_grad():
            for latent in latents:
                latent.clamp_(-1, 1)

    return step
