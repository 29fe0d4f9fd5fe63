"""Real solvers on small questions, one of them a liar."""

from fractions import Fraction

import numpy as np
import pytest
from helpers import random_network

from bnnkit import compare, compare_formulas, solvers, verify
from bnnkit.comparison import iter_records, network_questions
from bnnkit.formula import Formula
from bnnkit.solvers import registry
from bnnkit.solvers.pysat import Minicard

SOLVERS = ["native", "minicard", "glucose4:seqcounter"]


class Liar(Minicard):
    """A right solver but for one thing: what is satisfiable, it calls unsatisfiable."""

    name = "liar"

    def _search(self, assumptions):
        status, literals = super()._search(assumptions)
        return ("unsat", ()) if status == "sat" else (status, literals)


@pytest.fixture
def liar(monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    solvers.register("liar", Liar)
    return "liar"


@pytest.fixture(scope="module")
def questions():
    """A network, and images with the labels that it gives them."""
    rng = np.random.default_rng(22)
    network = random_network(rng, (1, 3, 3), ("dense", "dense"), 0.2)
    images = rng.integers(0, 256, (12, 1, 3, 3)).astype(np.uint8)
    return network, images, network.predict(images)


@pytest.fixture
def files(tmp_path):
    """A formula that is satisfiable and one that is not; the second has a gzipped twin."""
    paths = [tmp_path / name for name in ("sat.cnf", "unsat.cnf", "unsat.cnf.gz")]
    for path in paths:
        formula = Formula(4)
        formula.add_sum([1, 2, 3], 2, output=4)
        for lit in [4] if path.name == "sat.cnf" else [4, -1, -2]:
            formula.add_clause([lit])
        formula.save(path)
    return paths


def test_every_solver_answers_every_question_like_verify(questions):
    network, images, labels = questions
    comparison = compare(network, images, labels, [0.05, 0.2], SOLVERS, timeout=20)
    assert comparison.disagreements == {}
    assert [(s.solver, s.questions, s.solved) for s in comparison.summaries] == [
        (solver, 24, 24) for solver in SOLVERS
    ]
    expected = {
        (f"eps {eps} image {i}", solver): verify(network, image, label, eps).status
        for eps in (0.05, 0.2)
        for i, (image, label) in enumerate(zip(images, labels, strict=True))
        for solver in SOLVERS
    }
    assert {(r.question, r.solver): r.status for r in comparison.records} == expected
    assert {"robust", "falsified"} == set(expected.values())


def test_each_question_goes_to_all_solvers_and_another_begins_each_time(questions):
    network, images, labels = questions
    asked = network_questions(network, images[:4], labels[:4], 0.1)
    records = list(iter_records(asked, SOLVERS, 20))
    a, b, c = SOLVERS
    assert [r.solver for r in records] == [a, b, c, b, c, a, c, a, b, a, b, c]
    assert [r.question for r in records] == [f"eps 0.1 image {i}" for i in range(4) for _ in "abc"]


def test_stages_and_their_times(questions):
    network, images, labels = questions
    records = compare(network, images, labels, 0.2, SOLVERS, falsify=0).records
    assert {r.stage for r in records} >= {"bounds", "solver"}
    for record in records:
        reached = record.stage == "solver"
        assert (record.encode_s > 0) == (record.solve_s > 0) == reached
        assert record.encode_s + record.solve_s <= record.seconds
        assert record.seconds > 0


def test_a_liar_is_found_out(questions, liar):
    network, images, labels = questions
    wrong = [
        i
        for i, question in enumerate(zip(images, labels, strict=True))
        if verify(network, *question, 0.2, falsify=0).status == "falsified"
    ]
    assert wrong
    comparison = compare(network, images, labels, 0.2, ["native", liar], falsify=0)
    assert comparison.disagreements == {
        f"eps 0.2 image {i}": {"native": "falsified", "liar": "robust"} for i in wrong
    }


def test_formulas(files):
    comparison = compare_formulas(files, SOLVERS, timeout=20)
    expected = dict(zip(map(str, files), ("sat", "unsat", "unsat"), strict=True))
    assert {(r.question, r.solver): r.status for r in comparison.records} == {
        (file, solver): status for file, status in expected.items() for solver in SOLVERS
    }
    assert comparison.disagreements == {}
    assert all(r.solve_s > 0 < r.encode_s for r in comparison.records)
    assert all(r.seconds == pytest.approx(r.solve_s + r.encode_s) for r in comparison.records)


def test_a_liar_about_formulas(files, liar):
    comparison = compare_formulas(files, ["minicard", liar])
    assert comparison.disagreements == {str(files[0]): {"minicard": "sat", "liar": "unsat"}}


def test_the_time_limit_is_kept(tmp_path):
    """Ten pigeons in nine holes: more than clauses alone can see in a tenth of a second."""
    pigeons = np.arange(1, 10 * 9 + 1).reshape(10, 9)
    formula = Formula(pigeons.size)
    for row in pigeons:
        formula.add_clause(row)
    for hole in pigeons.T:
        for i, first in enumerate(hole):
            for second in hole[:i]:
                formula.add_clause([-first, -second])
    formula.save(tmp_path / "pigeons.cnf")
    (record,) = compare_formulas([tmp_path / "pigeons.cnf"], ["minicard"], timeout=0.1).records
    assert (record.status, record.reason) == ("unknown", "timeout")
    assert record.seconds >= 0.1


def test_doubles_are_asked_once(questions, files):
    network, images, labels = questions
    comparison = compare(network, images[:1], labels[:1], [0.1, 1 / 10], ["native", "native"])
    assert len(comparison.records) == 1
    assert len(compare_formulas([files[0], str(files[0])], "native").records) == 1


def test_radii_that_are_printed_alike_are_two_questions(questions):
    network, images, labels = questions
    near = Fraction(1, 10) + Fraction(1, 10**30)
    comparison = compare(network, images[:1], labels[:1], [0.1, near], "native")
    asked = [record.question for record in comparison.records]
    assert len(set(asked)) == 2
    assert asked[0] == "eps 0.1 image 0"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"eps": [0.1, 8]}, "for grey levels pass 8/255"),
        ({"labels": [0]}, "one integer an image"),
        ({"solvers": ["nativ"]}, "did you mean 'native'"),
        ({"solvers": []}, "at least one solver"),
        ({"timeout": None}, "undecided questions count by it"),
        ({"timeout": 0}, "positive number of seconds, got 0"),
        ({"timeout": float("inf")}, "positive number of seconds, got inf"),
    ],
)
def test_what_makes_no_sense_is_said_before_the_work(questions, change, says):
    arguments = dict(zip(("network", "images", "labels"), questions, strict=True))
    arguments |= {"eps": 0.1, "solvers": ["native"], **change}
    with pytest.raises(ValueError, match=says):
        compare(**arguments)


def test_a_missing_file_is_said_before_the_work(files):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        compare_formulas([*files, files[0].with_name("nowhere.cnf")], ["native"])
