"""Random ensembles, and the questions about them by counting."""

import functools
import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
from helpers import random_network

from bnnkit._checks import simplest_fraction

STRUCTURES = [(), ("dense",), ("dense", "dense"), ("conv", "dense"), ("conv", "pool", "dense")]
STEPS = [0.1, 0.2, 0.3, 0.5]
EPS = [0.05, 0.15, 0.25]
CLASSES = 4


def real_kinds(x, eps, steps):
    """The levels, one for each step, of all real numbers in the ball of a pixel."""
    low, high = max(x - eps, Fraction(0)), min(x + eps, Fraction(1))
    stairs = {(k + Fraction(1, 2)) * step for step in steps for k in range(int(1 / step) + 1)}
    ends = sorted({low, high, *(s for s in stairs if low < s < high)})
    values = [*ends, *((a + b) / 2 for a, b in itertools.pairwise(ends))]
    return {levels_of(value, steps) for value in values}


def float32_kinds(x, eps, steps):
    """Those of the real ones that some float32 has, up to a rounding beyond the ball."""
    stairs = {(k + Fraction(1, 2)) * step for step in steps for k in range(int(1 / step) + 1)}
    near = {np.float32(float(value)) for value in (*stairs, x)}
    near |= {np.nextafter(value, side) for value in near for side in np.float32([-1, 2])}
    values = [Fraction(float(value)) for value in near if 0 <= value <= 1]
    return real_kinds(x, eps, steps) & {levels_of(value, steps) for value in values}


def grey_kinds(x, eps, steps):
    greys, value = int(eps * 255), int(x * 255)
    near = range(max(value - greys, 0), min(value + greys, 255) + 1)
    return {levels_of(Fraction(v, 255), steps) for v in near}


def levels_of(value, steps):
    return tuple(round(value / step) for step in steps)


def all_choices(networks, image, eps, kinds):
    """What the networks choose, for every combination of levels that the ball has."""
    steps, eps = [network.quantiser.step for network in networks], simplest_fraction(eps)
    exact = [
        Fraction(int(v), 255) if image.dtype == np.uint8 else Fraction(float(v))
        for v in image.ravel()
    ]
    combinations = list(itertools.product(*(kinds(x, eps, steps) for x in exact)))
    if not combinations:
        return set()
    levels = np.array(combinations).reshape(len(combinations), *image.shape, len(steps))
    choices = [
        net.scores_of_levels(levels[..., n]).argmax(axis=1) for n, net in enumerate(networks)
    ]
    return set(zip(*(of.tolist() for of in choices), strict=True))


def falls(question, choices, label):
    """What the questions mean, by counting."""
    if question == "joint":
        return len(set(choices)) == 1 and choices[0] != label
    votes = Counter(choices)
    return min(votes, key=lambda j: (-votes[j], j)) != label


@functools.cache
def random_ensemble(seed):
    """Networks of several architectures, some of them with the same step, an image and an eps."""
    rng = np.random.default_rng(seed)
    k = 1 + seed % 4
    shape = (1, 2, 2) if seed % 3 else (1, 1, 4)
    image = rng.integers(0, 256, shape).astype(np.uint8)
    image.ravel()[: rng.integers(0, 3)] = rng.choice([0, 51, 255])
    if seed % 5 == 0:
        image = (image / 255).astype(np.float32)
    eps = float(rng.choice(EPS))
    steps = rng.choice(STEPS, k if seed % 2 else 1)
    networks = [random_member(rng, image, eps, float(steps[n % len(steps)])) for n in range(k)]
    return networks, image, eps


def random_member(rng, image, eps, step):
    """Mostly a network that makes a difference between the images of the ball."""
    for _ in range(20 if rng.random() < 0.9 else 1):
        network = random_network(rng, image.shape, STRUCTURES[rng.integers(5)], step, CLASSES)
        if len(all_choices([network], image, eps, real_kinds)) > 1:
            break
    return network
