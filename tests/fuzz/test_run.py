"""Random cases: nothing disagrees, a liar is found, and a run that was ended goes on."""

import json

import pytest

from bnnkit import _progress, fuzz, solvers

LIAR = "liar"


class Liar(solvers.get("minicard")):
    """Says "unsat" where a sum needs all but one of its three or more literals."""

    name = LIAR
    description = "for tests"

    def _search(self, assumptions):
        sums = self.formula.sums
        if ((sums.lengths >= 3) & (sums.bounds == sums.lengths - 1)).any():
            return "unsat", assumptions
        return super()._search(assumptions)


@pytest.fixture
def liar(monkeypatch):
    monkeypatch.setitem(solvers.registry._registered, LIAR, Liar)
    return LIAR


@pytest.mark.parametrize(("kind", "count"), [("formula", 200), ("network", 60)])
def test_nothing_disagrees(kind, count, tmp_path):
    report = fuzz.run(kind, count, solvers=("native", "minicard"), folder=tmp_path)
    assert (report.cases, report.findings) == (count, [])
    decided = {"sat", "unsat"} if kind == "formula" else {"robust", "falsified"}
    assert set(report.counts["native"]) == decided
    assert len(report.counts) >= 6


@pytest.mark.parametrize(("kind", "count"), [("formula", 60), ("network", 12)])
def test_a_liar_is_found_and_what_it_lies_about_is_small(kind, count, liar, tmp_path):
    report = fuzz.run(kind, count, solvers=("native", liar), folder=tmp_path)
    assert report.findings
    for path in report.findings:
        assert fuzz.contradictory(fuzz.replay(path, ("native", liar)))
        assert not fuzz.contradictory(fuzz.replay(path, ("native", "minicard")))
        case = fuzz.load(path)
        if kind == "formula":
            ((*_, lits, _, bound, output), question) = case.steps
            assert (len(lits), bound, output, question) == (3, 2, 0, ["solve", []])
        ways = {liar: case.ways(liar)[liar]}
        assert not any(fuzz.contradictory(less.statements(ways)) for less in case.smaller())


def test_variables_go_one_by_one_where_not_all_of_them_can():
    """What fails needs two numbers that no step has."""
    case = fuzz.FormulaCase(9, [["clause", [3, -8]], ["solve", [8]]])
    kept = fuzz.shrink(
        case, lambda c: c.n_vars >= 4 and len(c.steps) == 2 and all(lits for _, lits in c.steps)
    )
    (_, (one,)), (_, (other,)) = kept.steps
    assert kept.n_vars == 4
    assert abs(one) <= 4
    assert abs(other) <= 4


@pytest.mark.parametrize("kind", ["formula", "network"])
def test_progress_counts_what_was_done_before(kind, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(_progress, "_SECONDS_BETWEEN_LINES", 0.0)
    limits = {"solvers": ["native"], "journal": tmp_path / "run.json"}
    fuzz.run(kind, 2, **limits)
    capsys.readouterr()
    fuzz.run(kind, 4, **limits)
    said = [line.split(",")[0] for line in capsys.readouterr().err.splitlines()]
    assert said == [f"asking about {kind}s: {n} of 4" for n in (2, 3)]


@pytest.mark.parametrize("kind", ["formula", "network"])
def test_a_journal_is_gone_on_with(kind, tmp_path):
    journal, limits = tmp_path / "run.json", {"seed": 3, "solvers": ["native"]}
    whole = fuzz.run(kind, 30, **limits)
    fuzz.run(kind, 12, **limits, journal=journal)
    assert fuzz.run(kind, 30, **limits, journal=journal).counts == whole.counts
    assert json.loads(journal.read_text())["cases"] == 30
    with pytest.raises(ValueError, match="is of another run: seed 3, not 4"):
        fuzz.run(kind, 30, seed=4, solvers=["native"], journal=journal)
    journal.write_text("[1]")
    with pytest.raises(ValueError, match="not a journal"):
        fuzz.run(kind, 30, **limits, journal=journal)


def test_time_ends_a_run(tmp_path):
    report = fuzz.run("formula", seconds=0.5, solvers=["native"], journal=tmp_path / "run.json")
    assert report.cases > 0
    assert 0.4 < report.seconds < 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"kind": "formulas", "count": 1}, "kind must be one of formula, network"),
        ({"kind": "formula"}, "name the number of cases or the seconds"),
        ({"kind": "formula", "count": 0}, "count must be a whole number of at least 1"),
        ({"kind": "formula", "seconds": 0}, "seconds must be in"),
        ({"kind": "formula", "count": 1, "solvers": ["nativ"]}, "there is no solver"),
    ],
)
def test_runs_that_make_no_sense(arguments, says):
    with pytest.raises(ValueError, match=says):
        fuzz.run(**arguments)
