"""Rows of whole networks: from uint8 images to classes, two threads, memory, start.

All of ours goes through `BinaryNetwork.predict`, which chooses between packed words and bit
slices; its scores are compared with those of packed words before they are timed. The twins are
given images that are float32 already.
"""

import functools
import os
import subprocess
import sys
import time

import numpy as np
from kernel_speed_networks import SHAPES, random_network, torch_twin, twin_runs
from kernel_speed_timing import Row, medians

import bnnkit

_PEER = "torch float32, ReLU"
_PEER_BATCHES = (64, 256, 1024)  # the best of them counts
_MANY = 10_000


def whole_networks(rounds):
    """Networks without zeros on 10,000 images."""
    for name, bar in (("512-512", 12), ("conv-small", 10), ("conv-large", 12)):
        cases = [(1.0, step, _MANY, bar) for step in (1.0, 0.61, 0.1)]
        yield from _large_batches(name, cases, rounds)


def sparse_networks(rounds):
    """Networks most of whose weights are 0, a batch at a time."""
    for name in ("conv-small", "conv-large"):
        densities = ((0.05, 0), (0.15, 30), (0.5, 0))
        cases = [(density, 0.61, n, bar) for density, bar in densities for n in (256, 1024)]
        yield from _large_batches(name, cases, rounds)


def small_batches(rounds):
    """Batches that a network is asked for one after the other, and twins on the same ones."""
    for name, shape in SHAPES.items():
        network = random_network(name, 1.0, 0.61, shape)
        for n in (1, 64):
            runs = [_checked_predict(network, n), *twin_runs(name, shape, n)]
            ours, *theirs = 1e6 * medians(runs, rounds) / n
            yield Row(_work(name, network, 1.0, n), _PEER, ours, min(theirs), "us an image")


def two_threads(rounds):
    """Wall time, which means something only where two cores are idle."""
    for name, shape in SHAPES.items():
        predict = _checked_predict(random_network(name, 1.0, 1.0, shape), _MANY)
        runs = [functools.partial(_with_threads, n, predict) for n in (1, 2)]
        one, two = 1e3 * medians(runs, rounds, time.perf_counter)
        bnnkit.set_threads(1)
        work = f"{name}, 2 levels, batch {_MANY:,}, two threads, wall"
        yield Row(work, "one thread", two, one, "ms", 1.8)


def memory(_rounds):
    """Bytes of a loaded network, thresholds included."""
    for density, kind, bar in ((1.0, "binary", 30), (0.5, "ternary", 16)):
        for name, shape in SHAPES.items():
            network = random_network(name, density, 0.61, shape)
            ours = sum(layer.nbytes for layer in (*network.layers, network.head))
            theirs = sum(4 * values.numel() for values in torch_twin(name, shape).parameters())
            yield Row(f"{name}, {kind} weights, memory", "float32 twin", ours, theirs, "B", bar)


_FIRST_CALL = """
import numpy as np
from bnnkit.kernels import pack_bits, pack_ternary, positives, ternary_bits
packed = pack_ternary(np.ones((512, 1, 784), np.int8))
x = pack_bits(np.ones((256, 1, 784), np.uint8))
ternary_bits(x, packed, positives(packed), np.ones(512, np.int8))
"""


def start(rounds):
    """Fresh processes: CPU time until a cached kernel has been called, less an empty process."""
    programs = (_FIRST_CALL, "import torch", "")
    turns = [[_process_seconds(program) for program in programs] for _ in range(rounds + 1)]
    ours, theirs, empty = np.median(turns[1:], axis=0)  # the first turn fills the caches
    work = "import and first cached call"
    yield Row(work, "import torch", ours - empty, theirs - empty, "s", 1 / 0.8)


def _process_seconds(program):
    before = os.times()
    subprocess.run([sys.executable, "-c", program], check=True)
    after = os.times()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system


def _large_batches(name, cases, rounds):
    """A row for each of `cases` (density, step, images at a time, bar) of one architecture."""
    shape = SHAPES[name]
    networks = [random_network(name, density, step, shape) for density, step, _, _ in cases]
    sizes = [n for _, _, n, _ in cases]
    runs = [_checked_predict(*case) for case in zip(networks, sizes, strict=True)]
    for n in _PEER_BATCHES:
        twins = twin_runs(name, shape, n)
        runs += twins
        sizes += [n] * len(twins)
    times = 1e6 * medians(runs, rounds) / sizes
    theirs = min(times[len(cases) :])
    for (density, _, n, bar), network, ours in zip(cases, networks, times, strict=False):
        yield Row(_work(name, network, density, n), _PEER, ours, theirs, "us an image", bar)


def _checked_predict(network, n_images):
    """Classes of random images as a function without arguments, after a look at its scores."""
    shape = (n_images, *network.input_shape)
    images = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    expected = network._scores_by_words(network.quantiser.levels(images[:300]))
    assert np.array_equal(network.scores(images)[:300], expected)
    return functools.partial(network.predict, images)


def _with_threads(n, function):
    if bnnkit.get_threads() != n:  # setting it ends the threads that there are
        bnnkit.set_threads(n)
    function()


def _work(name, network, density, n_images):
    zeros = "" if density == 1 else f", density {density:.0%}"
    return f"{name}, {network.quantiser.n_levels} levels{zeros}, batch {n_images:,}"
