"""Studies run, leave everything in their folder, and go on after any end."""

import csv
import json
import os
import random
import shutil
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
    assert row["asked about"] == "vote of 2"
    words = {"robust": "vote robust", "falsified": "vote falsified", "unknown": "unknown"}
    assert {key: int(row[words[key]]) for key in verdicts.counts} == verdicts.counts


def test_a_finished_study_is_not_done_again(undisturbed, monkeypatch):
    before = tables(undisturbed)
    monkeypatch.setattr("bnnkit.BNNClassifier.fit", lambda *_: pytest.fail("a model is fitted"))
    assert json.loads((undisturbed / "study.json").read_text())["study"] == "tiny"
    study.run(study.load(undisturbed.parent / "tiny.toml"), undisturbed)
    assert tables(undisturbed) == before


def test_the_folder_of_another_study_is_refused(undisturbed, written):
    other = study.load(written(("epochs = 2", "epochs = 3")))
    said = r"holds another \[runs.plain\]: \[models.bnn\] epochs was 2 and is 3; take the change"
    with pytest.raises(ValueError, match=said):
        study.run(other, undisturbed)


@pytest.mark.parametrize(
    ("replacement", "said"),
    [
        (("k = 2", "k = 3"), r"holds another \[runs.live\]: \[runs.live\] k was 2 and is 3"),
        (("seed = 7", ""), r"\[runs.live\] seed was 7 and is its default"),
        (("train = 300", "train = 290"), r"\[runs.plain\]: \[data\] train was 300 and is 290"),
        (('split = "test"', 'split = "test"\nskip = 1'), r"\[pools.judge\] skip was its default"),
    ],
)
def test_a_changed_run_or_pool_is_refused_by_its_key(replacement, said, undisturbed, written):
    before = tables(undisturbed)
    with pytest.raises(ValueError, match=said):
        study.run(study.load(written(replacement)), undisturbed)
    assert tables(undisturbed) == before


def test_a_finished_study_can_be_changed_and_extended(undisturbed, tmp_path, written, monkeypatch):
    folder = tmp_path / "out"
    shutil.copytree(undisturbed, folder)
    curve = (folder / "measures/curve/live.npz").read_bytes()
    monkeypatch.setattr("bnnkit.BNNClassifier.fit", lambda *_: pytest.fail("a model is fitted"))
    changed = written(
        ("A tiny study", "Another title"),
        (
            "eps = 0.3\nimages = 10\n",
            "eps = 0.2\nimages = 5\n[measures.new]\n"
            'kind = "classes"\nof = ["plain", "live"]\npools = ["judge"]\n',
        ),
    )
    study.run(study.load(changed), folder)
    assert "<h1>Another title</h1>" in (folder / "report.html").read_text(encoding="utf-8")
    assert (folder / "measures/new/classes-judge.csv").exists()
    assert (folder / "measures/curve/live.npz").read_bytes() == curve
    found = tables(folder)["measures/again/live-verdicts.csv"]
    assert {row["eps"] for row in found} == {"0.2"}
    assert len(found) == 5


def test_a_changed_measure_is_made_anew(undisturbed, tmp_path, written):
    folder = tmp_path / "out"
    shutil.copytree(undisturbed, folder)
    study.run(study.load(written(("eps = [0.1, 0.3]", "eps = [0.05, 0.1]"))), folder)
    found = {row["eps"] for row in tables(folder)["measures/curve/resistance.csv"]}
    assert found == {"0.05", "0.1"}


def test_a_pool_of_unknown_origin_is_refused(undisturbed, tmp_path, written):
    folder = tmp_path / "out"
    shutil.copytree(undisturbed, folder)
    (folder / "made.json").unlink()
    with pytest.raises(ValueError, match=r"made.json does not say what it was made of"):
        study.run(study.load(written()), folder)


def test_a_damaged_pool_is_made_again_once_it_is_deleted(undisturbed, tmp_path, written):
    folder = tmp_path / "out"
    shutil.copytree(undisturbed, folder)
    pool = folder / "pools/judge.npz"
    pool.write_bytes(pool.read_bytes()[:300])
    with pytest.raises(ValueError, match=r"judge.npz.*delete this file, and it is made again"):
        study.run(study.load(written()), folder)
    pool.unlink()
    study.run(study.load(written()), folder)
    assert tables(folder) == tables(undisturbed)


def test_a_folder_of_other_files_is_refused(tmp_path, written):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds other files; give a new folder"):
        study.run(study.load(written()), tmp_path / "out")


@pytest.mark.parametrize("text", ["[]", "{", ""])
def test_a_damaged_folder_is_refused(text, tmp_path, written):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "study.json").write_text("{}")
    (tmp_path / "out" / "made.json").write_text(text)
    with pytest.raises(ValueError, match=r"made.json is damaged"):
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
