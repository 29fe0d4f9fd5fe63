from decimal import Decimal, getcontext

import numpy as np
import pytest

from bnnkit import BNNClassifier, RealClassifier, verify_all
from bnnkit.assess import Between, Rate, WhiteBox, accuracy, logits, softmax_robustness
from bnnkit.assess.measures import FLOOR

getcontext().prec = 200


def test_accuracy_counts():
    assert accuracy(np.array([1, 2, 0]), [1, 1, 0]) == Rate(2, 3)
    with pytest.raises(ValueError, match="one class an image"):
        accuracy(np.zeros((3, 2)), [0, 1, 1])
    with pytest.raises(ValueError, match="3 images"):
        accuracy([0, 1, 2], [0, 1])
    with pytest.raises(ValueError, match=r"0 images, labels of shape \(3,\)"):
        accuracy([], [1, 2, 3])
    with pytest.raises(ValueError, match=r"2 images, labels of shape \(0,\)"):
        accuracy([1, 2], [])
    with pytest.raises(TypeError, match="predicted must be integers, got dtype float64"):
        accuracy([0.0, 1.0], [0, 1])
    with pytest.raises(TypeError, match="labels must be integers, got dtype float64"):
        accuracy([0, 1], [0.0, 1.0])
    assert accuracy([], []) == Rate(0, 0)


def test_unknown_is_neither_robust_nor_falsified(question):
    network, images, labels = question(0)
    verdicts = verify_all(network, images, labels, 0.2)
    assert WhiteBox.of(verdicts) == WhiteBox(**verdicts.counts)
    found = WhiteBox.of(["robust"] * 7 + ["falsified"] * 2 + ["unknown"])
    assert found.n == 10
    assert found.certified_accuracy == Rate(7, 10)
    assert found.vulnerable == Between(2, 3, 10)
    with pytest.raises(ValueError, match="got 'timeout'"):
        WhiteBox.of(["robust", "timeout"])


def plain_figures(scores, label):
    """Absolute, ratio and inverse ratio of one image by their formulas, 200 digits."""
    e = [Decimal(float(score)).exp() for score in scores]
    p = [each / sum(e) for each in e]
    best = max(p)
    return (
        1 - abs(p[label] - best),
        best / max(1 - p[label], Decimal(FLOOR)),
        p[label] / max(1 - best, Decimal(FLOOR)),
    )


@pytest.mark.parametrize("spread", [0.1, 5, 40, 300])
def test_softmax_figures_by_their_formulas(spread):
    rng = np.random.default_rng(int(spread))
    scores, labels = rng.normal(0, spread, (40, 4)), rng.integers(0, 4, 40)
    scores[:5, 1] = scores[:5, 0] = scores[:5].max(axis=1)  # ties
    found = softmax_robustness(scores, labels)
    plain = [plain_figures(*each) for each in zip(scores, labels, strict=True)]
    expected = [float(sum(column) / 40) for column in zip(*plain, strict=True)]
    assert [found.absolute, found.ratio, found.inverse_ratio] == pytest.approx(expected, rel=1e-12)
    assert found.n == 40
    assert (found.n_guarded > 0) == (spread >= 40)
    assert max(found.ratio, found.inverse_ratio) <= 1 / FLOOR


def test_a_vanishing_denominator_is_guarded_and_counted():
    found = softmax_robustness([[1000.0, 0.0], [0.0, 0.0], [1e300, -1e300]], [0, 0, 1])
    assert found.n_guarded == 2
    assert found.ratio == pytest.approx((2**24 + 1 + 1) / 3, rel=1e-12)
    assert found.inverse_ratio == pytest.approx((2**24 + 1 + 0) / 3, rel=1e-12)
    assert found.absolute == pytest.approx((1 + 1 + 0) / 3)


def test_bootstrap_intervals_of_softmax_figures():
    """About 95 of 100 intervals of samples hold the mean of all."""
    rng = np.random.default_rng(0)
    everything = rng.normal(0, 2, (20_000, 4))
    labels = rng.integers(0, 4, 20_000)
    true = softmax_robustness(everything, labels)
    names = ("absolute", "ratio", "inverse_ratio")
    assert list(true.intervals) == list(names)
    held = dict.fromkeys(names, 0)
    for i in range(100):
        part = slice(200 * i, 200 * (i + 1))
        found = softmax_robustness(everything[part], labels[part])
        for name in names:
            low, high = found.intervals[name]
            assert low < getattr(found, name) < high
            held[name] += low < getattr(true, name) < high
    assert held["absolute"] >= 88
    assert min(held.values()) >= 75  # of skewed figures fewer, as is documented
    widths = [np.diff(each.intervals["absolute"])[0] for each in (true, found)]
    assert widths[0] < widths[1] / 5  # of 100 times as many images
    same = softmax_robustness([[0.0, 0.0]] * 5, [0] * 5)
    assert same.intervals["ratio"] == (same.ratio, same.ratio)


@pytest.mark.parametrize(
    ("scores", "labels", "says"),
    [
        ([[1.0]], [0], "classes >= 2"),
        ([1.0, 2.0], [0, 1], "must have shape"),
        (np.zeros((0, 3)), [], "must have shape"),
        ([[np.nan, 0]], [0], "finite"),
        ([[np.inf, 0]], [0], "finite"),
        ([[1, 0]], [2], "from 0 to 1"),
    ],
)
def test_scores_that_make_no_sense(scores, labels, says):
    with pytest.raises(ValueError, match=says):
        softmax_robustness(scores, labels)


def test_logits_of_an_exact_network_are_those_of_its_classifier():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (150, 4, 4)).astype(np.uint8)
    labels = (images.reshape(150, 2, 8).mean(axis=2).argmax(axis=1)).astype(int)
    classifier = BNNClassifier("16-8", epochs=4, random_state=0).fit(images, labels)
    found, direct = logits(classifier, images), classifier.decision_function(images)
    scale = abs(float(classifier.model_.head.scale.value[0]))
    assert np.abs(found - direct).max() <= scale * 2.0**-20 + 1e-5  # fixed point, and float32
    alone = logits(classifier.network_, images)
    assert np.allclose(alone * scale, found, rtol=1e-12, atol=0)
    assert (alone.argmax(axis=1) == classifier.network_.predict(images)).all()
    real = RealClassifier((8,), epochs=1, random_state=0).fit(images, labels)
    assert (logits(real, images) == real.decision_function(images)).all()
    with pytest.raises(TypeError, match="BinaryNetwork"):
        logits(object(), images)
