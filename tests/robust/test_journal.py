"""A run that is killed goes on to the same result, and nothing of another run is mixed in."""

import contextlib
import json
import os
import shutil
from dataclasses import asdict

import numpy as np
import pytest

import bnnkit.robust.journal
from bnnkit import datasets
from bnnkit.attacks import PGD, RandomNoise
from bnnkit.datasets.data import Dataset, Split
from bnnkit.nn import BNNClassifier, RealClassifier
from bnnkit.robust import Live, Mixed, Noise, Originals, Pool, train

NOISE = RandomNoise(tries=20, low=1, random_state=0)


class Mean:
    """Nearest class mean of all that it was ever fitted on; at the top, so that it is pickled."""

    def __init__(self, random_state=0):
        self.random_state, self.n_fits, self.means = random_state, 0, 0.0

    def fit(self, images, labels):
        rows = images.reshape(len(images), -1)
        rows = rows[np.random.default_rng(self.random_state).permutation(len(rows))[:150]]
        labels = labels[np.random.default_rng(self.random_state).permutation(len(labels))[:150]]
        means = np.stack([rows[labels == c].mean(axis=0) for c in range(2)])
        self.means, self.n_fits = (self.means + means) / 2, self.n_fits + 1

    def predict(self, images):
        rows = images.reshape(len(images), -1)
        return ((rows[:, None] - self.means) ** 2).sum(axis=2).argmin(axis=1)

    def __repr__(self):
        return f"Mean({self.random_state})"


def pool():
    return Pool(np.random.default_rng(5).random((80, 1, 4, 4)), np.arange(80) % 2)


def seeded(*seeds):
    return [lambda seed=seed: Mean(seed) for seed in seeds]


RUNS = {
    "live": {"attack": Live(NOISE, refill=True)},
    "continued": {"attack": NOISE, "recreate": False},
    "several": {"attack": Live(NOISE, against="vote"), "make_model": seeded(0, 1, 2)},
    "noise": {"attack": Noise(), "start": 60},
    "mixed": {"attack": Mixed([pool(), Originals(), Live(NOISE)], [0.5, 0.2, 0.3]), "start": 60},
    "reverse": {"attack": Originals(), "start": pool()},
    "without a seed": {"attack": NOISE, "random_state": None},
}


def run(stripes, name, folder=None, **options):
    settings = {"make_model": Mean, "eps": 0.1, "rounds": 4, "images_per_round": 8, "judge": NOISE}
    return train(data=stripes, folder=folder, **settings | RUNS[name] | options)


def content(history):
    """All but the time that it took."""
    rounds = json.loads(json.dumps([asdict(r) for r in history.rounds]))
    for r in rounds:
        del r["seconds"]
        for counts in [*r["clean"].values(), *r["judged"].values()]:
            del counts["seconds"]
    drawn = [(d.images.tobytes(), d.labels.tolist(), d.origin.tolist()) for d in history.added]
    members = getattr(history.model, "members", [history.model])
    return rounds, drawn, [model.means.tobytes() for model in members], history.stopped


class Killed(BaseException):
    pass


def killed_at_write(count, monkeypatch):
    """Let the process die in the write with this number, from 1, when half of it is on disk."""
    written = []
    original = bnnkit.robust.journal.write_npz

    def dying(path, arrays, compressed):
        written.append(path)
        if len(written) == count:
            with open(os.path.join(os.path.dirname(path), ".bnnkit-half.tmp"), "wb") as file:
                file.write(b"half")
            raise Killed
        original(path, arrays, compressed=compressed)

    monkeypatch.setattr(bnnkit.robust.journal, "write_npz", dying)


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("name", RUNS)
def test_a_killed_run_goes_on_to_the_same_result(stripes, name, count, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        killed_at_write(count, patch)
        with pytest.raises(Killed):
            run(stripes, name, tmp_path)
    seed = json.loads((tmp_path / "run.json").read_text())["seed"]
    resumed = run(stripes, name, tmp_path)
    assert content(resumed) == content(run(stripes, name, random_state=seed))
    assert sorted(os.listdir(tmp_path)) == [f"round-00{i}.npz" for i in range(5)] + ["run.json"]


def test_a_finished_run_is_neither_fitted_nor_attacked_again(stripes, tmp_path):
    first = run(stripes, "several", tmp_path)
    seen = []
    again = run(stripes, "several", tmp_path, on_round=lambda h: seen.append(len(h.rounds)))
    assert again.rounds == first.rounds  # the seconds too
    assert content(again) == content(first)
    assert seen == [1, 2, 3, 4, 5]


def test_more_rounds_and_other_limits_go_on_with_the_same_run(stripes, tmp_path):
    run(stripes, "live", tmp_path, rounds=2)
    longer = run(stripes, "live", tmp_path, rounds=4, seconds=1000, target={"RandomNoise": 1.0})
    assert content(longer)[:3] == content(run(stripes, "live"))[:3]
    assert len(run(stripes, "live", tmp_path, rounds=1).rounds) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"eps": 0.2}, "run: eps was 0.1 and is 0.2; give another folder"),
        ({"attack": NOISE}, "source was .*refill=True.* and is .*refill=False"),
        ({"judge": {}}, "judges was .*RandomNoise.* and is {}"),
        ({"images_per_round": 13}, "images_per_round was 8 and is 13"),
        ({"n_judge": 7}, "n_judge was 60 and is 7"),
        ({"start": 100}, "start was None and is '100 images"),
        ({"recreate": False}, "recreate was True and is False"),
        ({"random_state": 1}, "random_state was 0 and is 1"),
        ({"make_model": seeded(1)}, r"models was \[Mean\(0\)\] and is \[Mean\(1\)\]"),
        ({"make_model": seeded(0, 1)}, r"models was \[Mean\(0\)\] and is \[Mean\(0\), Mean\(1\)\]"),
    ],
)
def test_another_run_is_refused(stripes, options, message, tmp_path):
    run(stripes, "live", tmp_path, rounds=1)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=message):
        run(stripes, "live", tmp_path, **options)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_may_differ_between_two_calls_for_the_same_run(stripes, tmp_path):
    class Odd(RandomNoise):
        def __init__(self, n_jobs):
            super().__init__(20, 1, 0)
            object.__setattr__(self, "n_jobs", n_jobs)

        def __repr__(self):
            return f"Odd({object()}, n_jobs={self.n_jobs})"

    first = run(stripes, "live", tmp_path, attack=Odd(1))
    assert content(run(stripes, "live", tmp_path, attack=Odd(-1), n_jobs=2)) == content(first)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("part", ["images", "labels"])
def test_other_data_are_refused(stripes, split, part, tmp_path):
    run(stripes, "live", tmp_path, rounds=1)
    values = getattr(getattr(stripes, split), part)
    values.ravel()[-1] ^= 1
    with pytest.raises(ValueError, match=f"run: {split} {part} was .* and is"):
        run(stripes, "live", tmp_path, rounds=1)


def test_a_damaged_round_is_a_sentence(stripes, tmp_path):
    right = content(run(stripes, "several", tmp_path / "whole", rounds=1))
    name = "round-001.npz"
    whole = (tmp_path / "whole" / name).read_bytes()
    damages = [b"", b"hello", whole[:-30], whole[: len(whole) // 2]]
    places = range(0, len(whole), len(whole) // 40)
    damages += [whole[:i] + bytes([whole[i] ^ 0x55]) + whole[i + 1 :] for i in places]
    refused = 0
    for i, damage in enumerate(damages):
        folder = tmp_path / str(i)
        shutil.copytree(tmp_path / "whole", folder)
        (folder / name).write_bytes(damage)
        with contextlib.suppress(ValueError):
            assert content(run(stripes, "several", folder, rounds=1)) == right
            continue
        with pytest.raises(
            ValueError, match=r"is damaged or not a checkpoint|has not been written"
        ):
            run(stripes, "several", folder, rounds=1)
        refused += 1
    assert refused > len(damages) // 2  # bytes that nothing reads may change


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"identity": 3, "seed": 0}', '{"identity": {}, "seed": "0"}']
)
def test_a_damaged_run_file_is_a_sentence(stripes, tmp_path, text):
    run(stripes, "live", tmp_path, rounds=1)
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ValueError, match=r"run\.json is damaged or not a checkpoint"):
        run(stripes, "live", tmp_path, rounds=1)
    (tmp_path / "run.json").unlink()
    with pytest.raises(ValueError, match=r"run\.json is damaged .*it is missing"):
        run(stripes, "live", tmp_path, rounds=1)


def test_a_missing_round_and_what_came_after_it_are_made_again(stripes, tmp_path):
    first = run(stripes, "live", tmp_path)
    (tmp_path / "round-002.npz").unlink()
    (tmp_path / "round-003.npz").write_bytes(b"of no use")
    assert content(run(stripes, "live", tmp_path)) == content(first)


def test_models_that_cannot_be_kept_are_refused_before_any_training(stripes, tmp_path):
    class Local(Mean):
        def fit(self, images, labels):
            pytest.fail("it was fitted")

    with pytest.raises(TypeError, match="must be picklable, and this Local is not"):
        run(stripes, "live", tmp_path, make_model=Local)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["bnn", "warm bnn", "real"])
def test_networks_go_on_to_the_bit(kind, tmp_path, monkeypatch):
    digits = datasets.load("digits")
    parts = [Split(s.images[:300], s.labels[:300]) for s in (digits.train, digits.test)]
    data = Dataset("some digits", digits.classes, *parts)

    def make():
        settings = {"epochs": 2, "n_classes": 10, "warm_start": "warm" in kind, "random_state": 0}
        return (
            RealClassifier((8,), **settings) if kind == "real" else BNNClassifier("8", **settings)
        )

    def history(folder):
        return train(
            *(make, PGD(steps=3, random_state=0), data),
            eps=0.1,
            rounds=2,
            images_per_round=30,
            n_judge=20,
            recreate="warm" not in kind,
            folder=folder,
        )

    straight = history(None)
    with monkeypatch.context() as patch:
        killed_at_write(3, patch)
        with pytest.raises(Killed):
            history(tmp_path)
    resumed = history(tmp_path)
    images = data.test.images
    logits = [each.model.decision_function(images) for each in (straight, resumed)]
    assert (logits[0] == logits[1]).all()
    assert (straight.pool[0] == resumed.pool[0]).all()
    assert getattr(resumed.model, "network_", None) == getattr(straight.model, "network_", None)
