import numpy as np
import pytest
from helpers import random_network

from bnnkit import BNNClassifier, verify, verify_all
from bnnkit.ensemble import Vote
from bnnkit.verification import iter_verdicts, verify_joint, verify_vote


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


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(("question", "ask"), [("vote", verify_vote), ("joint", verify_joint)])
def test_many_questions_about_several_networks(questions, question, ask, n_jobs):
    network, images, labels = questions
    others = (
        random_network(np.random.default_rng(seed), (1, 3, 3), ("dense",), step=0.3)
        for seed in range(50)
    )
    other = next(each for each in others if (each.predict(images) == labels).any())
    networks = [network, other, network]
    labels = np.arange(12) % 3
    verdicts = verify_all(networks, images, labels, 0.1, n_jobs=n_jobs, question=question)
    single = [ask(networks, *pair, 0.1) for pair in zip(images, labels, strict=True)]
    assert [v.status for v in verdicts] == [v.status for v in single]
    assert [v.choices for v in verdicts] == [v.choices for v in single]
    assert set(verdicts.status) == {"robust", "falsified"}
    assert verify_all(Vote(networks), images, labels, 0.1).counts == (
        verify_all(networks, images, labels, 0.1, question="vote").counts
    )


def test_one_network_is_asked_the_same_whatever_the_question(questions):
    network, images, labels = questions
    for question in ("vote", "joint"):
        alone = verify_all(network, images, labels, 0.1, question=question)
        assert alone.counts == verify_all([network], images, labels, 0.1, question=question).counts


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
        ({"question": "all"}, "question must be 'vote' or 'joint', got 'all'"),
    ],
)
def test_errors_come_before_the_work(questions, change, says):
    network, images, labels = questions
    arguments = {"images": images, "labels": labels, "eps": 0.1} | change
    with pytest.raises(ValueError, match=says):
        iter_verdicts(network, **arguments)


def test_a_classifier_is_not_its_network(questions):
    _, images, labels = questions
    with pytest.raises(TypeError, match="pass its network_"):
        verify_all(BNNClassifier(), images, labels, 0.1)
