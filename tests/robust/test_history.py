import json

import numpy as np
import pytest

from bnnkit.attacks import AttackResult, Exact, RandomNoise
from bnnkit.robust import Counts, train


@pytest.fixture
def history(stripes, nearest_mean):
    noise = RandomNoise(5, low=1, random_state=0)
    return train(nearest_mean, noise, stripes, eps=0.2, rounds=2)


def test_counts_keep_three_answers():
    success = np.array([True, False, False, False, False, True])
    undecided = np.array([False, True, False, True, True, False])
    result = AttackResult(np.zeros((6, 4), np.float32), success, undecided, 1.5)
    counts = Counts.of(Exact(), result)
    assert counts == Counts(robust=1, falsified=2, unknown=3, complete=True, seconds=1.5)
    assert counts.n == 6


def test_json_holds_settings_and_rounds(history, tmp_path):
    path = tmp_path / "folder" / "history.json"
    history.to_json(path)
    read = json.loads(path.read_text())
    assert read == history.to_dict()
    assert read["settings"]["eps"] == 0.2
    assert read["settings"]["n_judge"] == 60
    assert read["settings"]["attack"].startswith("RandomNoise(tries=5")
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
