"""``bnnkit harden``: every source, several networks, limits, and going on where it was."""

import json

import numpy as np
import pytest
from commands import TRAINING, report

from bnnkit import BinaryNetwork, datasets, verify_all
from bnnkit.cli import main
from bnnkit.ensemble import Vote
from bnnkit.robust import Pool

HARDEN = ["harden", *TRAINING, "--eps", "0.1", "--first", "10", "--images-per-round", "20"]


def test_harden_leaves_every_round(tmp_path, capsys):
    arguments = ["harden", *TRAINING, "--eps", "0.1", "--rounds", "2", "--first", "30"]
    arguments += ["--images-per-round", "60", "--out", str(tmp_path)]
    code, said = report(capsys, *arguments, "--attack", "pgd")
    assert code == 0
    assert [r["index"] for r in said["rounds"]] == [0, 1, 2]
    for r in said["rounds"]:
        counts = r["judged"]["Exact"]
        assert counts["robust"] + counts["falsified"] + counts["unknown"] == 30
    assert json.loads((tmp_path / "history.json").read_text()) == said
    for name in ("round-0.npz", "round-2.npz", "adversarial.npz", "rounds.png", "rounds.csv"):
        assert (tmp_path / name).stat().st_size > 0
    assert main(["evaluate", str(tmp_path / "round-2.npz")]) == 0
    # nothing is left to train, and the seconds are the old ones
    assert report(capsys, *arguments, "--attack", "pgd") == (0, said)
    assert main([*arguments, "--attack", "fgsm"]) == 2
    assert "holds another training run: source was" in capsys.readouterr().err


def test_harden_prints_a_line_a_verdict(tmp_path, capsys):
    options = ["--models", "2", "--rounds", "1", "--attack", "fgsm", "--out", str(tmp_path)]
    assert main([*HARDEN, *options]) == 0
    header, *lines, last = capsys.readouterr().out.splitlines()
    assert header.split()[:5] == ["round", "images", "added", "clean", "judge"]
    names = [(line.split()[0], line.split()[4]) for line in lines]
    assert names == [("0", "Exact[0]"), ("0", "Exact[1]"), ("1", "Exact[0]"), ("1", "Exact[1]")]
    assert last.startswith(f"written to {tmp_path}")


@pytest.fixture(scope="module")
def pools(tmp_path_factory):
    """Two pools of other images: one to train on, one to judge by."""
    folder = tmp_path_factory.mktemp("pools")
    digits = datasets.load("digits")
    rng = np.random.default_rng(0)
    for split, name in ((digits.train, "train"), (digits.test, "test")):
        images = np.clip(split.images[:60] / 255 + rng.choice([-0.2, 0.2], (60, 1, 8, 8)), 0, 1)
        Pool(images, split.labels[:60], np.arange(60), name).save(folder / f"{name}.npz")
    return folder


@pytest.mark.parametrize("source", ["live", "pool", "noise", "high-noise", "originals"])
def test_harden_takes_images_from_many_sources(source, tmp_path, pools, capsys):
    options = ["--source", source, "--start", 600, "--judge-pool", pools / "test.npz"]
    if source == "live":
        options += ["--attack", "pgd", "--refill"]
    if source == "pool":
        options += ["--pool", pools / "train.npz"]
    code, said = report(capsys, *HARDEN, *options, "--rounds", 2, "--out", tmp_path)
    assert code == 0
    assert [r["n_train"] for r in said["rounds"]] == [600, 620, 640]
    assert all(r["judged"]["pool"]["robust"] > 0 for r in said["rounds"])
    added = Pool.load(tmp_path / "adversarial.npz")
    if source == "pool":
        assert (added.images == Pool.load(pools / "train.npz").images[:40]).all()
        return
    train = datasets.load("digits").train
    assert added.origin.min() >= 600
    assert (added.labels == train.labels[added.origin]).all()
    originals = train.images[added.origin] / 255
    change = np.abs(added.images - originals)
    assert change.max() <= 0.1001
    inside = change[(originals > 0.1) & (originals < 0.9)]  # not clipped
    if source == "originals":
        assert change.max() < 1e-6
    if "noise" in source:
        assert inside.min() == pytest.approx({"noise": 0.0, "high-noise": 0.07}[source], abs=1e-3)
        assert inside.max() == pytest.approx(0.1, abs=1e-3)


def test_harden_several_networks(tmp_path, capsys):
    options = ["--models", 3, "--rounds", 1, "--attack", "pgd", "--out", tmp_path]
    code, said = report(capsys, *HARDEN, *options)
    assert code == 0
    test = datasets.load("digits").test
    networks = [BinaryNetwork.load(tmp_path / f"round-1-model-{i}.npz") for i in range(3)]
    for i, network in enumerate(networks):
        right = network.predict(test.images) == test.labels
        assert said["rounds"][1]["clean"][f"clean[{i}]"]["robust"] == right.sum()
        counts = verify_all(network, test.images[:10], test.labels[:10], 0.1).counts
        assert said["rounds"][1]["judged"][f"Exact[{i}]"]["robust"] == counts["robust"]
    assert networks[0] != networks[1] != networks[2] != networks[0]


def test_a_vote_of_one_network_is_that_network(tmp_path, capsys):
    options = ["--rounds", 1, "--images-per-round", 8]
    _, plain = report(capsys, *HARDEN, *options, "--out", tmp_path / "plain")
    code, vote = report(capsys, *HARDEN, *options, "--vote", "--out", tmp_path / "vote")
    assert code == 0
    first, same = plain["rounds"][0]["judged"]["Exact"], vote["rounds"][0]["judged"]["Exact"]
    assert first | {"seconds": 0} == same | {"seconds": 0}


@pytest.mark.parametrize("attack", ["exact", "pgd"])
def test_harden_a_vote(attack, tmp_path, capsys):
    options = ["--models", 3, "--vote", "--rounds", 1, "--attack", attack]
    options += ["--images-per-round", 8]
    code, said = report(capsys, *HARDEN, *options, "--out", tmp_path)
    assert code == 0
    data = datasets.load("digits")
    names = [[f"round-{r}-model-{i}.npz" for i in range(3)] for r in (0, 1)]
    rounds = [[BinaryNetwork.load(tmp_path / name) for name in row] for row in names]
    for networks, found in zip(rounds, said["rounds"], strict=True):
        first = data.test.images[:10], data.test.labels[:10]
        counts = verify_all(networks, *first, 0.1, question="vote").counts
        assert list(found["judged"]) == ["Exact"]
        assert found["judged"]["Exact"]["robust"] == counts["robust"]
        right = Vote(networks).predict(data.test.images) == data.test.labels
        assert found["clean_accuracy"] == right.mean()
    added = Pool.load(tmp_path / "adversarial.npz")
    assert (Vote(rounds[0]).predict(added.images) != added.labels).all()


@pytest.mark.parametrize(
    ("limit", "reason"), [(["--target", "0"], "target"), (["--budget", "0.000001"], "seconds")]
)
def test_harden_stops_early(limit, reason, tmp_path, capsys):
    code, said = report(capsys, *HARDEN, *limit, "--attack", "pgd", "--out", tmp_path)
    assert code == 0
    assert len(said["rounds"]) == 1
    assert said["stopped"] == reason


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--source", "pool"], "--source pool and --pool FILE belong together"),
        (["--pool", "{pools}/train.npz"], "--source pool and --pool FILE belong together"),
        (["--source", "noise", "--refill"], "--refill is about --source live, got --source noise"),
        (["--source", "originals"], "pass a start such as start=1000"),
        (["--source", "pool", "--pool", "{pools}/test.npz"], "made from test images"),
        (["--source", "pool", "--pool", "{pools}/train.npz", "--rounds", "4"], "60 are left"),
        (["--judge-pool", "{pools}/train.npz"], "of the originals of the judging pool 'pool'"),
        (["--judge-pool", "{pools}/none.npz"], "none.npz: No such file"),
    ],
)
def test_harden_mistakes(options, message, tmp_path, pools, capsys):
    options = [each.format(pools=pools) for each in options]
    assert main([*HARDEN, *options, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
