import numpy as np
import pytest
from helpers import random_network

from bnnkit import verify, verify_all
from bnnkit.verification import iter_verdicts


@pytest.fixture(scope="module")
def questions():
    rng = np.random.default_rng(0)
    network = random_network(rng, (1, 3, 3), ("dense", "dense"), step=0.2)
    images = rng.integers(0, 256, (12, 1, 3, 3)).astype(np.uint8)
    return network, images, network.predict(images)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_many_equal_one_at_a_time(questions, n_jobs):
    network, images, labels = questions
    verdicts = verify_all(network, images, labels, 0.1, n_jobs=n_jobs)
    single = [verify(network, *pair, 0.1) for pair in zip(images, labels, strict=True)]
    assert [v.status for v in verdicts] == [v.status for v in single]
    for many, one in zip(verdicts, single, strict=True):
        assert (many.adversarial is None) == (one.adversarial is None)
        assert many.adversarial is None or np.array_equal(many.adversarial, one.adversarial)


def test_an_interrupted_run_has_what_is_finished(questions):
    network, images, labels = questions
    finished = []
    for verdict in iter_verdicts(network, images, labels, 0.1):
        finished.append(verdict.status)
        if len(finished) == 5:
            break
    assert finished == list(verify_all(network, images[:5], labels[:5], 0.1).status)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": [0]}, "12 images"),
        ({"eps": 2}, "eps"),
        ({"solver": "magic"}, "magic"),
        ({"images": np.zeros((0, 1, 3, 3), np.uint8)}, "empty"),
    ],
)
def test_errors_come_before_the_work(questions, change, says):
    network, images, labels = questions
    arguments = {"images": images, "labels": labels, "eps": 0.1} | change
    with pytest.raises(ValueError, match=says):
        iter_verdicts(network, **arguments)
