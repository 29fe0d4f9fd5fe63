"""Studies run, leave everything in their folder, and go on after any end."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from tiny_study import TINY

from bnnkit import BinaryNetwork, datasets, study, verify_all


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The folder of the tiny study."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "tiny.toml").write_text(TINY)
    study.run(study.load(folder / "tiny.toml"), folder / "out")
    return folder / "out"


def tables(folder):
    """The tables of a study without its times."""
    found = {}
    for path in sorted(folder.rglob("*.csv")):
        if path.name in ("seconds.csv", "times.png.csv"):
            continue
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        found[str(path.relative_to(folder))] = [
            {key: value for key, value in row.items() if not _is_time(key)} for row in rows
        ]
    return found


def _is_time(column):
    return "second" in column or column.endswith((" s", "_s"))


@pytest.mark.parametrize("name", study.names())
def test_studies_of_the_package_run(name, quickly):
    folder = quickly(name)
    text = (folder / "report.html").read_text(encoding="utf-8")
    for table in study.load(name)["measures"].values():
        assert f">{table['title']}</h2>" in text
    assert json.loads((folder / "environment.json").read_text())["numpy"] == np.__version__


def test_everything_is_in_the_folder(undisturbed):
    names = {str(path.relative_to(undisturbed)) for path in undisturbed.rglob("*")}
    expected = {"report.html", "study.json", "environment.json", "pools/judge.npz"}
    expected |= {"runs/live/model-0.npz", "runs/live/model-1.npz", "runs/live/rounds.csv"}
    expected |= {"measures/curve/plain.npz", "measures/curve/resistance.png"}
    expected |= {"measures/curve/resistance.png.csv", "measures/again/live-verdicts.csv"}
    assert expected <= names


def test_the_numbers_are_those_of_the_library(undisturbed):
    digits = datasets.load("digits")
    networks = [BinaryNetwork.load(undisturbed / f"runs/live/model-{i}.npz") for i in (0, 1)]
    images, labels = digits.test.images[:10], digits.test.labels[:10]
    found = tables(undisturbed)
    status = [row["status"] for row in found["measures/again/live-verdicts.csv"]]
    assert status == verify_all(networks[0], images, labels, 0.3).status.tolist()
    verdicts = verify_all(networks, images, labels, 0.1, question="vote")
    row = next(
        row
        for row in found["measures/curve/resistance.csv"]
        if (row["run"], row["eps"]) == ("live", "0.1")
    )
    assert {key: int(row[key]) for key in verdicts.counts} == verdicts.counts


def test_a_finished_study_is_not_done_again(undisturbed, monkeypatch):
    before = tables(undisturbed)
    monkeypatch.setattr("bnnkit.BNNClassifier.fit", lambda *_: pytest.fail("a model is fitted"))
    settings = json.loads((undisturbed / "study.json").read_text())
    assert settings["study"] == "tiny"
    study.run(study.load(undisturbed.parent / "tiny.toml"), undisturbed)
    assert tables(undisturbed) == before


def test_the_folder_of_another_study_is_refused(undisturbed, written):
    other = study.load(written(("epochs = 2", "epochs = 3")))
    with pytest.raises(ValueError, match=r"holds another .*\[models\] was .*'epochs': 2.* and is"):
        study.run(other, undisturbed)


def test_a_folder_of_other_files_is_refused(tmp_path, written):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds other files; give a new folder"):
        study.run(study.load(written()), tmp_path / "out")


@pytest.mark.parametrize("text", ["[]", "{", ""])
def test_a_damaged_folder_is_refused(text, tmp_path, written):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "study.json").write_text(text)
    with pytest.raises(ValueError, match=r"study.json is damaged"):
        study.run(study.load(written()), tmp_path / "out")


@pytest.mark.parametrize(
    ("replacement", "said"),
    [
        (("start = 200", "start = 301"), r"\[runs.live\] start must be at most the 300 training"),
        (('split = "test"', "skip = 300"), r"\[pools.judge\] skip must be below the 300 train"),
    ],
)
def test_more_images_than_there_are(replacement, said, tmp_path, written):
    with pytest.raises(ValueError, match=said):
        study.run(study.load(written(replacement)), tmp_path / "out")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")
def test_a_killed_study_goes_on_to_the_same_tables(undisturbed, tmp_path, written):
    command = [sys.executable, "-m", "bnnkit", "study", "run", str(written()), "--out"]
    command.append(str(tmp_path / "out"))
    rng, kills = random.Random(0), 0
    for delay in (*(rng.uniform(1.5, 4) for _ in range(3)), None):
        process = subprocess.Popen(
            command, env=dict(os.environ), stdout=subprocess.DEVNULL, start_new_session=True
        )
        if delay is not None:
            time.sleep(delay)
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        kills += code == -signal.SIGKILL
    assert kills
    assert code == 0
    assert tables(tmp_path / "out") == tables(undisturbed)
