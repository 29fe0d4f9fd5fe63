import csv
import io

import numpy as np
import pytest

from bnnkit import RealClassifier, attacks, verify_all
from bnnkit.assess import Between, Overview, Rate, WhiteBox, measure
from bnnkit.attacks import Attack, Exact, VoteExact
from bnnkit.ensemble import Vote


class Oracle:
    """A model that has nothing but predict."""

    def predict(self, images):
        return np.zeros(len(images), dtype=np.int64)


@pytest.fixture
def measured(question):
    network, images, labels = question(4, n=40)
    real = RealClassifier((4,), epochs=1, n_classes=3, random_state=0).fit(images, labels)
    models = {"BNN": network, "real": real, "oracle": Oracle()}
    tried = {"PGD": attacks.PGD(random_state=0), "noise": attacks.RandomNoise(random_state=0)}
    pool = (1 - images / np.float32(255), labels)
    options = {"eps": [0.1, 0.3], "pools": {"negatives": pool}, "attacks": tried}
    return Overview({n: measure(m, images, labels, **options) for n, m in models.items()}), models


def test_what_cannot_be_measured_is_said(measured, question):
    overview, models = measured
    network, images, labels = question(4, n=40)
    counts = WhiteBox.of(verify_all(network, images, labels, 0.3))
    bnn, real, oracle = overview.models.values()
    assert bnn["certified accuracy, eps 0.3"] == counts.certified_accuracy
    assert bnn["vulnerable, eps 0.3"] == counts.vulnerable
    assert bnn["accuracy under PGD, eps 0.3"].count >= counts.robust
    for found in (real, oracle):
        assert found["certified accuracy, eps 0.3"] is found["vulnerable, eps 0.1"] is None
    assert real["accuracy under PGD, eps 0.1"].n == 40
    assert oracle["accuracy under PGD, eps 0.1"] is None
    assert oracle["accuracy under noise, eps 0.1"] == Rate(int((labels == 0).sum()), 40)
    assert oracle["clean accuracy"] == Rate(int((labels == 0).sum()), 40)
    shown = 1 - images / np.float32(255)
    for name, model in models.items():
        rate = Rate(int((model.predict(shown) == labels).sum()), 40)
        assert overview.models[name]["accuracy on negatives"] == rate


def test_a_vote_is_verified_as_one(question):
    networks = [question(seed)[0] for seed in (0, 4)]
    images = question(0)[1]
    vote = Vote(networks)
    labels = vote.predict(images)
    tried = {"vote": VoteExact(), "exact": Exact()}
    found = measure(vote, images, labels, eps=[0.2], attacks=tried)
    counts = WhiteBox.of(verify_all(networks, images, labels, 0.2, question="vote"))
    assert found["certified accuracy, eps 0.2"] == counts.certified_accuracy
    assert found["accuracy under vote, eps 0.2"] == counts.certified_accuracy
    assert found["accuracy under exact, eps 0.2"] is None
    single = measure(networks[0], images, labels, eps=[0.2], attacks=tried)
    assert single["accuracy under vote, eps 0.2"] is None
    assert single["accuracy under exact, eps 0.2"] == single["certified accuracy, eps 0.2"]
    mixed = measure(Vote([networks[0], Oracle()]), images, labels, eps=[0.2])
    assert mixed["certified accuracy, eps 0.2"] is None


class Half(Attack):
    """Fools nothing, and has no time for the second half."""

    def _perturb(self, model, ball, labels):
        return ball.center, np.arange(len(labels)) >= len(labels) / 2


def test_what_an_attack_left_open_does_not_count_as_accurate():
    images, labels = np.zeros((10, 4)), np.zeros(10, np.int64)
    found = measure(Oracle(), images, labels, eps=[0.1], attacks={"half": Half()})
    assert found["accuracy under half, eps 0.1"] == Between(5, 10, 10)


def test_the_table_has_a_row_for_each_measure(measured):
    overview, _ = measured
    lines = str(overview).splitlines()
    assert len(lines) == 1 + len(overview.measures) == 11
    certified = next(line for line in lines if line.startswith("certified accuracy, eps 0.1"))
    assert certified.split()[-2:] == ["-", "-"]


def test_csv_and_dict_hold_the_same_numbers():
    overview = Overview({"a": {"x": Rate(1, 4), "y": Between(1, 2, 4)}, "b": {"z": 0.5, "x": None}})
    rows = list(csv.DictReader(io.StringIO(overview.to_csv())))
    assert [(row["model"], row["measure"]) for row in rows] == [
        (model, name) for model in "ab" for name in "xyz"
    ]
    found = overview.to_dict()
    assert found["a"]["y"]["most"] == 0.5
    assert found["b"]["x"] == dict.fromkeys(("value", "most", "n", "low", "high"))
    for row in rows:
        value = found[row["model"]][row["measure"]]["value"]
        assert row["value"] == ("" if value is None else f"{value:.9g}")
