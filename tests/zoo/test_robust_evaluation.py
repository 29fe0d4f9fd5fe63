import dataclasses

import numpy as np
import pytest
from robust_evaluation import ATTACK, images_digest, origin, sparsities

from bnnkit import __version__, datasets, verify_all
from bnnkit.datasets import Split


def test_an_evaluation_counts_what_the_library_says(made):
    network, test, found = made.classifier.network_, made.data.test, made.card.evaluation
    verdicts = verify_all(network, test.images, test.labels, made.recipe.eps)
    attacked = ATTACK(made.classifier, test.images, test.labels, made.recipe.eps)
    assert found.images == len(test)
    assert found.correct == (network.predict(test.images) == test.labels).sum()
    assert found.withstood_pgd == attacked.withstood.sum()
    assert {name: getattr(found, name) for name in verdicts.counts} == verdicts.counts
    assert found.first == verdicts[:1000].counts
    assert found.robust <= found.withstood_pgd <= found.correct
    assert 0 < found.verify_ms < 1e3 * found.timeout


def test_sparsity_is_the_share_of_zeros(made):
    network = made.classifier.network_
    weights = [layer.weights for layer in (*network.layers, network.head)]
    shares, total = sparsities(network)
    assert shares == pytest.approx([np.mean(w == 0) for w in weights], abs=1e-6)
    everything = np.concatenate([w.ravel() for w in weights])
    assert total == pytest.approx(np.mean(everything == 0), abs=1e-6)
    assert (made.card.sparsity, made.card.total_sparsity) == (shares, total)


def test_images_are_told_apart_by_each_pixel_and_label():
    split = datasets.load("digits", limit=5).test
    pixel, label = split.images.copy(), split.labels.copy()
    pixel[4, 0, 7, 7] ^= 1
    label[4] += 1
    digests = {
        images_digest(other)
        for other in (
            split,
            split.first(4),
            dataclasses.replace(split, images=pixel),
            dataclasses.replace(split, labels=label),
        )
    }
    assert len(digests) == 4
    assert images_digest(Split(split.images.copy(), split.labels.copy())) in digests


def test_the_origin_names_version_and_cores():
    found = origin()
    assert found["version"] == __version__
    assert found["machine"].split()[1] == "cores,"
    assert len(found["date"]) == len("2026-01-01")
