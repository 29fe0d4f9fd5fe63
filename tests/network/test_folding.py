from fractions import Fraction

import numpy as np
import pytest

from bnnkit.network import fold_batch_norm, fold_head, fold_threshold
from bnnkit.network.folding import NEVER


def fires(a, b, z):
    return Fraction(a) * z + Fraction(b) >= 0


def test_folded_thresholds_equal_exact_batch_norm():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=300), rng.normal(size=300) * 5
    a[:20] = rng.choice([-1.0, -0.5, 0.25, 2.0], 20)  # boundaries that are integers: ties
    b[:20] = -a[:20] * rng.integers(-9, 9, 20)
    a[20:25] = 0.0
    threshold, sense = fold_threshold(a, b)
    for z in range(-60, 61):
        bits = np.where(sense > 0, z >= threshold, z <= threshold)
        assert bits.tolist() == [fires(*pair, z) for pair in zip(a, b, strict=True)]


def test_a_sum_that_rounds_to_the_boundary_keeps_the_bit_of_training():
    rng = np.random.default_rng(2)
    a = rng.choice([-1, 1], 2000) / np.sqrt(rng.uniform(0.1, 90, 2000))
    mean = rng.integers(-40, 40, 2000).astype(float)  # and beta = 0: the boundary is the mean
    threshold, sense = fold_threshold(a, 0 - mean * a)
    for offset in (-1, 0, 1):
        z = mean + offset
        bits = np.where(sense > 0, z >= threshold, z <= threshold)
        np.testing.assert_array_equal(bits, a * z + (0 - mean * a) >= 0)


def test_boundaries_out_of_reach_stay_constant():
    threshold, sense = fold_threshold(np.array([1e-300, -1e-300]), np.array([-1.0, 1.0]))
    assert threshold.dtype == np.int32
    assert sense.tolist() == [1, -1]
    for z in (-(2**29), 0, 2**29):
        assert not z >= threshold[0]
        assert z <= threshold[1]


@pytest.mark.parametrize("a", [0.37, -0.37])
def test_folded_scores_keep_the_order_of_logits(a):
    rng = np.random.default_rng(1)
    b = rng.normal(size=10)
    scale, bias = fold_head(a, b)
    z = rng.integers(-30, 30, (500, 10))
    assert (np.argmax(scale * z + bias, axis=1) == np.argmax(a * z + b, axis=1)).all()


def test_what_cannot_be_folded():
    with pytest.raises(ValueError, match="not finite"):
        fold_threshold(np.array([np.nan]), np.array([0.0]))
    with pytest.raises(ValueError, match="not 0"):
        fold_head(0.0, np.zeros(3))
    with pytest.raises(ValueError, match="dwarf"):
        fold_head(1e-12, np.ones(3) * 1e9)


def normalised_fires(gamma, beta, mean, variance, total):
    """gamma * (total - mean) / sqrt(variance) + beta >= 0, by squares of fractions."""
    left = Fraction(gamma) * (total - Fraction(mean))
    square = Fraction(beta) ** 2 * Fraction(variance)
    return (left**2 if left >= 0 else -(left**2)) >= (-square if beta > 0 else square)


@pytest.mark.parametrize("scale", [Fraction(1), Fraction(1, 10), Fraction(61, 100)])
def test_batch_norm_is_folded_in_real_numbers(scale):
    rng = np.random.default_rng(3)
    n = 400
    gamma = rng.choice([-1.5, -0.1, 0, 0.25, 3], n)
    beta = rng.choice([0, 0.5, -0.5, 1, rng.normal()], n)
    mean = rng.choice([0, 3.5, -2, rng.normal()], n)
    variance = rng.choice([1, 4, 0.25, 2, rng.random()], n)  # squares: ties at integers
    columns = [gamma.tolist(), beta.tolist(), mean.tolist(), variance.tolist()]
    threshold, sense = fold_batch_norm(*columns, scale)
    ties = 0
    for z in range(-150, 151):
        bits = np.where(sense > 0, z >= threshold, z <= threshold)
        assert bits.tolist() == [
            normalised_fires(*channel, scale * z) for channel in zip(*columns, strict=True)
        ]
        ties += int((threshold == z).sum())
    assert ties > 100


def test_boundaries_of_batch_norm_at_every_distance():
    """Integer and irrational ones, of numbers far beyond what floats hold apart."""
    for root in (10**20, 10**20 + 1):
        threshold, _ = fold_batch_norm([1], [-1], [-(10**20)], [Fraction(root) ** 2])
        assert threshold.tolist() == [root - 10**20]
    threshold, sense = fold_batch_norm([1, -1, 1], [-1, 1, 1], [0, 0, 0], [2, 2, 2])
    assert threshold.tolist() == [
        2,
        1,
        -1,
    ]  # the square root of 2 from both sides, and its negative
    assert sense.tolist() == [1, -1, 1]
    far = fold_batch_norm([1e-30, -1e-30, 1e-30], [-1.0, -1.0, 1.0], [0, 0, 0], [1, 1, 1])
    assert far[0].tolist() == [NEVER, -NEVER, -NEVER]
    constant = fold_batch_norm([0.0, 0.0], [0.0, -1e-30], [5.0, 5.0], [1, 1])
    assert constant[0].tolist() == [-NEVER, NEVER]
