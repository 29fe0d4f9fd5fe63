from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from bnnkit import BNNClassifier, verify_all
from bnnkit.assess import QuantisationStudy, Rate, quantisation_study

STEPS = [0.25, 0.5, 1.0]


def split(seed, n):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 200, (n, 1, 3, 3)).astype(np.uint8)
    labels = rng.integers(0, 2, n)
    images[labels == 1, :, :1] += 55
    return SimpleNamespace(images=images, labels=labels)


def make_model(step):
    return BNNClassifier("8", quant_step=step, epochs=6, random_state=0)


@pytest.fixture(scope="module")
def data():
    return SimpleNamespace(train=split(0, 200), test=split(1, 60))


@pytest.fixture(scope="module")
def study(data):
    return quantisation_study(make_model, STEPS, data, eps=0.15, n_images=40)


def test_each_step_has_a_network_of_its_own(study, data):
    assert study.steps == ["1/4", "1/2", "1"]
    images, labels = data.test.images[:40], data.test.labels[:40]
    for s, step in enumerate(STEPS):
        network = make_model(step).fit(data.train.images, data.train.labels).network_
        verdicts = verify_all(network, images, labels, 0.15)
        assert study.status[s].tolist() == verdicts.status.tolist()
        right = network.predict(data.test.images) == data.test.labels
        assert study.accuracy[s] == Rate(int(right.sum()), 60)
        assert study.whitebox[s].robust == verdicts.counts["robust"]
        assert (study.found[s] <= right[:40]).all()
        found = study.found[s]
        assert (network.predict(study.adversarial[s][found]) == study.predicted[s][found]).all()
        assert (study.predicted[s][found] != labels[found]).all()
    assert len({tuple(row) for row in study.status}) > 1


def test_the_table_has_an_interval_for_each_share(study):
    header, rows = study.rows()
    for row, accuracy, counts in zip(rows, study.accuracy, study.whitebox, strict=True):
        cells = dict(zip(header, row, strict=True))
        assert (cells["accuracy_low"], cells["accuracy_high"]) == accuracy.interval
        for status, count in vars(counts).items():
            assert (cells[f"{status}_low"], cells[f"{status}_high"]) == Rate(count, 40).interval
    assert str(study).splitlines()[0].split()[-1] == "fit_seconds"  # no room for intervals


def test_differences_between_steps(study):
    matrix = study.differences()
    assert matrix.row_names == ["original", "step 1/4", "step 1/2", "step 1"]
    both = study.found[0] & study.found[2]
    assert matrix.n[1, 3] == both.sum() > 0
    apart = np.abs(study.adversarial[0][both] - study.adversarial[2][both]) > 6e-8
    assert matrix.values[1, 3] == pytest.approx(apart.mean())


def test_a_strip_of_one_image(study):
    strip = study.strip(3)
    assert strip.axis == "step"
    assert strip.values == study.steps
    assert (strip.images == study.adversarial[:, 3]).all()
    shown = strip.seen[2] if study.steps[2] == "1" else None
    assert set(np.unique(shown)) <= {0.0, 1.0}
    assert set(np.unique(strip.seen[1])) <= {0.0, 0.5, 1.0}


def test_it_can_be_saved(study, tmp_path):
    study.save(tmp_path / "study.npz")
    again = QuantisationStudy.load(tmp_path / "study.npz")
    assert str(again) == str(study)
    assert (again.adversarial == study.adversarial).all()


def test_a_step_that_is_not_varied_is_an_error(data):
    with pytest.raises(ValueError, match=r"make_model\(1/2\) gave a network of step 1/4"):
        quantisation_study(lambda step: make_model(0.25), [0.25, 0.5], data, 0.1, n_images=2)


@pytest.mark.parametrize("steps", [[], [0.5, Fraction(1, 2)]])
def test_steps_differ(steps, data):
    with pytest.raises(ValueError, match="steps must be different widths"):
        quantisation_study(make_model, steps, data, 0.1)
