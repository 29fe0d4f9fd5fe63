"""What there is to look at is about the images that were found."""

import csv

import numpy as np
import pytest
from tiny_study import TINY

from bnnkit import BinaryNetwork, datasets, study, verify_all
from bnnkit._checks import unit_floats

MEASURES = """
[measures.alike]
kind = "similarity"
of = ["live"]
eps = 0.2
images = 12

[measures.strip]
kind = "strip"
of = ["plain"]
eps = [0.05, 0.3]
image = 2

[measures.weights]
kind = "weights"
of = ["plain"]

[measures.solvers]
kind = "solvers"
of = ["plain"]
solvers = ["native", "cadical"]
eps = 0.1
images = 4
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("looked")
    (where / "l.toml").write_text(TINY.split("[measures.rounds]")[0] + MEASURES)
    study.run(study.load(where / "l.toml"), where / "out")
    return where / "out"


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_similarity_compares_what_both_networks_were_fooled_by(folder):
    test = datasets.load("digits").test.first(12)
    networks = [BinaryNetwork.load(folder / f"runs/live/model-{i}.npz") for i in (0, 1)]
    made = [verify_all(network, test.images, test.labels, 0.2) for network in networks]
    both = [
        i
        for i in range(12)
        if all(v[i].status == "falsified" and v[i].stage != "clean" for v in made)
    ]
    rows = rows_of(folder / "measures/alike/similarity.csv")
    (row,) = [
        row for row in rows if (row["images of"], row["and images of"]) == ("live[0]", "live[1]")
    ]
    assert int(row["n"]) == len(both) > 0
    stored = [_stored(folder, network, test) for network in networks]
    apart = [np.abs(stored[0][i] - stored[1][i]) > 1e-6 for i in both]
    assert float(row["share"]) == pytest.approx(np.mean(apart))


def _stored(folder, network, test):
    """The images that the study found."""
    found = verify_all(
        network, test.images, test.labels, 0.2, timeout=10.0, store=folder / "verdicts.sqlite"
    )
    return [None if v.adversarial is None else unit_floats(v.adversarial) for v in found]


def test_a_strip_has_each_eps(folder):
    rows = rows_of(folder / "measures/strip/strip-plain.csv")
    assert [row["eps"] for row in rows] == ["0.05", "0.3"]
    assert rows[1]["status"] == "falsified"
    assert 0 < float(rows[1]["largest_change"]) <= 0.3 + 1e-6


def test_nothing_of_it_is_done_again(folder, monkeypatch):
    for name in ("bnnkit.study.verdicts.compare", "bnnkit.assess.eps_strip"):
        monkeypatch.setattr(name, lambda *_, **__: pytest.fail("it is asked again"))
    before = rows_of(folder / "measures/solvers/solvers-plain.csv")
    study.run(study.load(folder.parent / "l.toml"), folder)
    assert rows_of(folder / "measures/solvers/solvers-plain.csv") == before


def test_pictures_and_solvers(folder):
    assert (folder / "measures/weights/weights-plain.png").stat().st_size > 1000
    assert (folder / "measures/solvers/cactus-plain.png").stat().st_size > 1000
    rows = rows_of(folder / "measures/solvers/solvers-plain.csv")
    assert {(row["solver"], row["answered"]) for row in rows} == {("native", "4"), ("cadical", "4")}
