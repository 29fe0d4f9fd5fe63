import csv
import json
from dataclasses import asdict

import numpy as np
import pytest

from bnnkit.attacks import RandomNoise
from bnnkit.robust import Counts, Round, train
from bnnkit.robust.history import ANSWERS


@pytest.fixture
def history(stripes, nearest_mean):
    noise = RandomNoise(5, low=1, random_state=0)
    return train(nearest_mean, noise, stripes, eps=0.2, rounds=2)


def test_counts_keep_four_answers():
    counts = Counts.of(
        np.array([2, 0, 0, 0, 2, 2, 0]),
        falsified=np.array([True, False, False, False, False, True, False]),
        unknown=np.array([False, True, False, True, True, False, False]),
        detected=np.array([False, False, False, False, False, False, True]),
        complete=True,
        seconds=1.5,
    )
    assert (counts.robust, counts.falsified, counts.unknown, counts.detected) == (1, 2, 3, 1)
    assert counts.n == 7
    assert counts.share == 2 / 7
    assert counts.complete
    assert counts.per_class == {
        "robust": [1, 0, 0],
        "falsified": [0, 0, 2],
        "unknown": [2, 0, 1],
        "detected": [1, 0, 0],
    }


def test_counts_of_random_answers_add_up():
    rng = np.random.default_rng(0)
    for n in (1, 2, 50):
        labels, kind = rng.integers(0, 4, n), rng.integers(0, 4, n)
        answers = {name: kind == i for i, name in enumerate(ANSWERS) if i}
        counts = Counts.of(labels, **answers, complete=False, seconds=0.0)
        assert counts.n == n
        for i, name in enumerate(ANSWERS):
            assert getattr(counts, name) == (kind == i).sum()
            for c, number in enumerate(counts.per_class[name]):
                assert number == ((kind == i) & (labels == c)).sum()


def test_json_holds_settings_and_rounds(history, tmp_path):
    path = tmp_path / "folder" / "history.json"
    history.to_json(path)
    read = json.loads(path.read_text())
    assert read == history.to_dict()
    assert read["settings"]["eps"] == 0.2
    assert read["settings"]["n_judge"] == 60
    assert read["settings"]["source"].startswith("Live(attack=RandomNoise(tries=5")
    assert read["stopped"] == "rounds"
    assert [r["n_train"] for r in read["rounds"]] == [r.n_train for r in history.rounds]
    counts = read["rounds"][0]["judged"]["RandomNoise"]
    assert counts["robust"] + counts["falsified"] + counts["unknown"] == 60
    assert set(read["rounds"][0]["seconds"]) == {"attack", "fit", "judge"}
    assert [p.name for p in path.parent.iterdir()] == ["history.json"]


def test_the_last_model_and_all_images(history):
    assert history.model is history.models[2]
    images, labels = history.pool
    assert images.dtype == np.float32
    assert len(images) > 0
    assert len(images) == len(labels) == sum(r.n_added for r in history.rounds)
    assert repr(history) == f"History(3 rounds, {len(images)} added)"


def test_a_line_of_csv_a_round(history, tmp_path):
    history.to_csv(tmp_path / "rounds.csv")
    text = (tmp_path / "rounds.csv").read_text()
    assert text == history.to_csv()
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 3
    for row, r in zip(rows, history.rounds, strict=True):
        assert int(row["n_train"]) == r.n_train
        assert int(row["n_added"]) == r.n_added
        assert float(row["clean_accuracy"]) == r.clean_accuracy
        assert float(row["seconds fit"]) == r.seconds["fit"]
        assert int(row["RandomNoise falsified"]) == r.judged["RandomNoise"].falsified
        assert int(row["clean robust"]) == r.clean["clean"].robust


def test_a_round_is_read_back(history):
    for r in history.rounds:
        assert Round.from_dict(json.loads(json.dumps(asdict(r)))) == r


def test_seconds_and_origins_are_those_of_all_rounds(history, stripes):
    assert history.seconds == sum(sum(r.seconds.values()) for r in history.rounds)
    images, labels = history.pool
    near = stripes.train.images[history.origin] / 255
    assert np.abs(images - near).max() <= 0.2
    assert (stripes.train.labels[history.origin] == labels).all()
