import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bnnkit.datasets import load
from bnnkit.nn import BNNClassifier, BoundDecay, PGDTraining, RealClassifier
from bnnkit.nn.checkpoint import RunFolder, fingerprint
from bnnkit.robust import Certified, ExactTraining

EPOCHS = 5


def make(kind, **options):
    settings = {"epochs": EPOCHS, "random_state": 3, "validation": 0.2}
    if kind == "real":
        return RealClassifier((24,), **settings | options)
    if kind == "robust":
        pgd = PGDTraining(0.1, steps=2, clean_share=0.2)
        settings |= {"adversary": ExactTraining(pgd, start=0.5, conflicts=5, share=0.1)}
        settings |= {"bound_decay": BoundDecay(1e-3), "patience": 4}
        settings |= {"surrogate_scale": "adaptive", "monitor": Certified(0.01, 10, timeout=60.0)}
    return BNNClassifier("24-16", mask_decay=1e-6, **settings | options)


@pytest.fixture(scope="module")
def data():
    digits = load("digits")
    return digits.train.images[:400], digits.train.labels[:400]


@pytest.fixture(scope="module", params=["bnn", "robust", "real"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def straight(kind, data):
    """A classifier that was trained without interruption."""
    return make(kind).fit(*data)


def without(kind):
    """Options that take away what needs held-out images."""
    return {"monitor": None, "patience": None} if kind == "robust" else {}


def content(classifier):
    """All that training made, but the time it took."""
    parts = [parameter.value.tobytes() for parameter in classifier.model_.parameters()]
    parts += [classifier._rng.bit_generator.state, classifier.best_epoch_]
    parts += [{**record, "seconds": None} for record in classifier.history_]
    return [*parts, getattr(classifier, "network_", None)]


class Stop(BaseException):
    """Like Ctrl-C: not an Exception."""


def fit_until_write(count, classifier, data, folder, monkeypatch):
    """Fit, with an exception where the `count`-th file would be put in its place."""
    replace, calls = os.replace, []

    def failing(*paths):
        if Path(paths[1]).parent == folder:  # and no compiled kernel on its way into a cache
            calls.append(paths)
            if len(calls) == count:
                raise Stop
        replace(*paths)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing)
        with pytest.raises(Stop):
            classifier.fit(*data, folder=folder)


def test_a_folder_changes_nothing(kind, data, straight, tmp_path):
    assert content(make(kind).fit(*data, folder=tmp_path / "new" / "run")) == content(straight)
    assert sorted(os.listdir(tmp_path / "new" / "run")) == ["checkpoint.npz", "log.jsonl"]


def test_the_log_is_the_history(kind, data, tmp_path):
    classifier = make(kind).fit(*data, folder=tmp_path)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == classifier.history_
    assert len(lines) == EPOCHS


@pytest.mark.parametrize("count", range(1, 2 * (EPOCHS + 1) + 1))
def test_stopped_at_any_write(kind, data, straight, count, tmp_path, monkeypatch):
    classifier = make(kind)
    fit_until_write(count, classifier, data, tmp_path, monkeypatch)
    assert not hasattr(classifier, "model_")
    assert content(classifier.fit(*data, folder=tmp_path)) == content(straight)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == classifier.history_


def test_stopped_again_and_again(kind, data, straight, tmp_path, monkeypatch):
    for count in (5, 3, 4):  # the first begins with two files of the start
        fit_until_write(count, make(kind), data, tmp_path, monkeypatch)
    assert content(make(kind).fit(*data, folder=tmp_path)) == content(straight)


SCRIPT = """
import os, signal, sys
import numpy as np
from bnnkit.datasets import load
from bnnkit.nn import BNNClassifier

replace, kill_at, calls = os.replace, int(sys.argv[2]), []
def counted(*paths):
    calls.append(paths)
    if len(calls) == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)
os.replace = counted

train = load("digits").train
print("ready", flush=True)
classifier = BNNClassifier("24-16", epochs=80, random_state=3, validation=100, verbose=True)
classifier.fit(train.images, train.labels, folder=sys.argv[1])
classifier.network_.save(sys.argv[3])
"""


def start(folder, kill_at, out):
    """Run SCRIPT, which kills itself at its `kill_at`-th write (at none for 0)."""
    command = [sys.executable, "-c", SCRIPT, str(folder), str(kill_at), str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_killed_at_writes_and_at_any_moment(tmp_path):
    folder, other = tmp_path / "run", tmp_path / "other"
    resumed, straight = tmp_path / "resumed.npz", tmp_path / "straight.npz"
    for kill_at in (1, 2, 8):  # before the first file, between the first two, and later
        with start(folder, kill_at, resumed) as process:
            process.stdout.read()
        assert process.returncode == -signal.SIGKILL
        assert any(name.endswith(".tmp") for name in os.listdir(folder))
    for moment in np.random.default_rng().uniform(0, 0.15, 3):
        with start(folder, 0, resumed) as process:
            assert process.stdout.readline() == "ready\n"
            assert process.stdout.readline().startswith("epoch")
            time.sleep(moment)
            process.kill()
        assert process.returncode == -signal.SIGKILL
    for path, kept in ((resumed, folder), (straight, other)):
        with start(kept, 0, path) as process:
            process.stdout.read()
        assert process.returncode == 0
    assert resumed.read_bytes() == straight.read_bytes()
    logs = [(kept / "log.jsonl").read_text().splitlines() for kept in (folder, other)]
    first, second = ([json.loads(line) | {"seconds": 0} for line in log] for log in logs)
    assert first == second
    assert len(first) == 80
    assert sorted(os.listdir(folder)) == ["checkpoint.npz", "log.jsonl"]


def test_a_finished_run_is_not_trained_again(kind, data, tmp_path):
    first = make(kind).fit(*data, folder=tmp_path)
    again = make(kind, verbose=True).fit(*data, folder=tmp_path)
    assert again.history_ == first.history_  # the seconds too
    assert content(again) == content(first)


def test_a_run_that_lost_its_patience_stays_finished(kind, data, tmp_path):
    settings = {"epochs": 60, "patience": 1}
    first = make(kind, **settings).fit(*data, folder=tmp_path)
    assert len(first.history_) < 60
    assert make(kind, **settings).fit(*data, folder=tmp_path).history_ == first.history_


@pytest.mark.parametrize("count", [3, 8])
def test_without_a_seed_the_folder_has_it(kind, data, count, tmp_path, monkeypatch):
    fit_until_write(count, make(kind, random_state=None), data, tmp_path, monkeypatch)
    seed = RunFolder(tmp_path, checkpoint(tmp_path)["identity"], 0).seed
    resumed = make(kind, random_state=None).fit(*data, folder=tmp_path)
    assert content(resumed) == content(make(kind, random_state=seed).fit(*data))


def checkpoint(folder):
    """What the checkpoint in `folder` holds beside arrays."""
    with np.load(folder / "checkpoint.npz") as arrays:
        return json.loads(arrays["json"].tobytes())


# an epoch may teach some seed hardly more than chance
@pytest.mark.filterwarnings("ignore:the network has learned nothing")
def test_each_run_without_a_seed_has_its_own(kind, data, tmp_path):
    seeds = set()
    for name in "ab":
        make(kind, random_state=None, epochs=1).fit(*data, folder=tmp_path / name)
        seeds.add(checkpoint(tmp_path / name)["seed"])
    assert len(seeds) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 6}, r"run: epochs was 5 and is 6; give another folder, or delete this one"),
        ({"learning_rate": 0.1}, r"run: learning_rate was \S+ and is 0.1;"),
        (
            {"batch_size": 50, "random_state": None},
            r"run: batch_size was 100 and is 50, random_state was 3 and is None;",
        ),
    ],
)
def test_other_parameters(kind, data, options, message, tmp_path):
    make(kind).fit(*data, folder=tmp_path)
    before = (tmp_path / "checkpoint.npz").read_bytes()
    with pytest.raises(ValueError, match=message):
        make(kind, **options).fit(*data, folder=tmp_path)
    assert (tmp_path / "checkpoint.npz").read_bytes() == before


def test_numbers_of_numpy_are_the_same_parameters(kind, data, straight, tmp_path):
    make(kind).fit(*data, folder=tmp_path)
    again = make(kind, epochs=np.int64(EPOCHS), validation=np.float64(0.2), verbose=np.True_)
    assert content(again.fit(*data, folder=tmp_path)) == content(straight)


def test_other_data(kind, data, tmp_path):
    images, labels = data
    make(kind).fit(images, labels, folder=tmp_path)
    other = images.copy()
    other[-1, 0, 3, 3] ^= 1
    for changed in (other, images / 255, images.reshape(len(images), -1)):
        with pytest.raises(ValueError, match=r"run: images was uint8 \(400, 1, 8, 8\) .* and is"):
            make(kind).fit(changed, labels, folder=tmp_path)
    with pytest.raises(ValueError, match=r"run: labels was int64 \(400,\) .* and is"):
        make(kind).fit(images, np.roll(labels, 1), folder=tmp_path)


def test_another_classifier(data, tmp_path):
    make("bnn").fit(*data, folder=tmp_path)
    with pytest.raises(ValueError, match="classifier was BNNClassifier and is RealClassifier"):
        make("real").fit(*data, folder=tmp_path)


def damages(whole):
    yield b""
    yield b"hello"
    yield whole[:-30]
    yield whole[: len(whole) // 2]
    for place in range(0, len(whole), len(whole) // 40):
        yield whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]


def fitted_or_refused(data, folder):
    try:
        return content(make("bnn").fit(*data, folder=folder))
    except ValueError as e:
        return str(e)


def test_a_damaged_checkpoint_is_refused(data, tmp_path):
    """Or the damage is where it does no harm, such as the date of a part."""
    unharmed = content(make("bnn").fit(*data, folder=tmp_path))
    path, refused = tmp_path / "checkpoint.npz", 0
    for damaged in damages(path.read_bytes()):
        path.write_bytes(damaged)
        outcome = fitted_or_refused(data, tmp_path)
        if outcome != unharmed:
            assert "checkpoint.npz is damaged or not a checkpoint" in outcome
            assert "give another folder, or delete this one" in outcome
            refused += 1
    assert refused > 35


@pytest.mark.parametrize("change", ["seed", "identity", "run", "steps", "rng", "history"])
def test_a_checkpoint_that_lacks_a_part_is_refused(data, change, tmp_path):
    make("bnn").fit(*data, folder=tmp_path)
    with np.load(tmp_path / "checkpoint.npz") as file:
        arrays = dict(file)
    rest = json.loads(arrays["json"].tobytes())
    del (rest if change in rest else rest["run"])[change]
    arrays["json"] = np.frombuffer(json.dumps(rest).encode(), np.uint8)
    np.savez(tmp_path / "checkpoint.npz", **arrays)
    with pytest.raises(ValueError, match=rf"is damaged or not a checkpoint \('{change}'\)"):
        make("bnn").fit(*data, folder=tmp_path)


def test_a_warm_start_has_no_folder(kind, data, tmp_path):
    with pytest.raises(ValueError, match="set warm_start=False, or leave folder out"):
        make(kind, warm_start=True, validation=0, **without(kind)).fit(*data, folder=tmp_path)
    assert not os.listdir(tmp_path)


def test_a_folder_that_is_a_file_is_told_before_training(kind, data, tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(FileExistsError):
        make(kind).fit(*data, folder=tmp_path / "run")


def test_fingerprints_tell_types_shapes_and_values_apart():
    arrays = [np.zeros(4, np.uint8), np.zeros((2, 2), np.uint8), np.zeros(1, np.uint32)]
    arrays += [np.array([0, 0, 0, 1], np.uint8), np.array([1, 0, 0, 0], np.uint8)]
    assert len({fingerprint(array) for array in arrays}) == len(arrays)
    wide = np.arange(12).reshape(3, 4)
    assert fingerprint(wide[:, ::2]) == fingerprint(wide[:, ::2].copy())


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": np.int64(EPOCHS), "learning_rate": np.float32(3e-3)},
        {"adversary": PGDTraining(np.float64(0.1), steps=np.int64(2))},
    ],
)
def test_numbers_of_numpy_are_written_down(options, data, tmp_path):
    classifier = make("bnn", **options).fit(*data, folder=tmp_path)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["loss"] for line in lines] == [r["loss"] for r in classifier.history_]


def share_right(network, images, labels):
    return np.mean(network.predict(images) == labels)


def test_a_function_that_monitors_is_known_by_its_name(data, tmp_path):
    first = make("bnn", monitor=share_right).fit(*data, folder=tmp_path)
    identity = json.loads(np.load(tmp_path / "checkpoint.npz")["json"].tobytes())["identity"]
    assert identity["monitor"].endswith("test_checkpoint.share_right'")
    assert content(make("bnn", monitor=share_right).fit(*data, folder=tmp_path)) == content(first)
