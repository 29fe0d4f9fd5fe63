import csv

import pytest

from bnnkit.comparison import Comparison, Record, written

# solver, status, encode, solve, all seconds; the time limit is 10
ANSWERS = {
    "q1": [("a", "robust", 0, 0, 1), ("b", "robust", 0, 0, 2)],  # settled before the solvers
    "q2": [("a", "falsified", 1, 2, 4), ("b", "falsified", 1, 0.5, 2)],
    "q3": [("a", "robust", 1, 1, 3), ("b", "unknown", 2, 9, 11)],
    "q4": [("a", "unknown", 2, 8, 10), ("b", "unknown", 1, 8.5, 10)],
}


def records(answers):
    return [
        Record(question, solver, status, "solver" if solve else "bounds", encode, solve, seconds)
        for question, row in answers.items()
        for solver, status, encode, solve, seconds in row
    ]


def rows(text):
    return list(csv.DictReader(text.splitlines()))


@pytest.fixture
def comparison():
    return Comparison(10, records(ANSWERS))


def test_summaries(comparison):
    a, b = comparison.summaries
    assert (a.solver, a.questions, a.solved) == ("a", 4, 3)
    assert a.counts == {"robust": 2, "falsified": 1, "unknown": 1}
    assert a.par2 == (1 + 4 + 3 + 2 * 10) / 4
    assert a.mean == (1 + 4 + 3 + 10) / 4
    assert a.median == (3 + 4) / 2
    assert a.encode == (0 + 1 + 1 + 2) / 4
    assert a.solve == (0 + 2 + 1 + 8) / 4
    assert a.wins == 1  # q3; in q1 no solver was needed
    assert (b.solver, b.questions, b.solved) == ("b", 4, 2)
    assert b.counts == {"robust": 1, "falsified": 1, "unknown": 2}
    assert b.par2 == (2 + 2 + 20 + 20) / 4
    assert b.mean == (2 + 2 + 10 + 10) / 4  # the 11 seconds count as the limit
    assert b.median == (2 + 10) / 2
    assert b.solve == (0 + 0.5 + 9 + 8.5) / 4
    assert b.wins == 1  # q2


def test_a_tie_has_no_winner():
    tie = {"q": [("a", "sat", 0, 1, 1), ("b", "sat", 0, 1, 1), ("c", "sat", 0, 2, 2)]}
    assert [summary.wins for summary in Comparison(10, records(tie)).summaries] == [0, 0, 0]


def test_solvers_of_an_unfinished_question_count_what_they_were_asked():
    comparison = Comparison(10, records(ANSWERS)[:-1])
    assert [summary.questions for summary in comparison.summaries] == [4, 3]
    assert comparison.summaries[1].par2 == (2 + 2 + 20) / 3


def test_times_of_a_cactus_plot(comparison):
    assert comparison.solved_times() == {"a": [1, 3, 4], "b": [2, 2]}


@pytest.mark.parametrize(
    ("first", "second", "contradict"),
    [
        ("robust", "falsified", True),
        ("sat", "unsat", True),
        ("robust", "robust", False),
        ("robust", "unknown", False),
        ("unknown", "sat", False),
    ],
)
def test_disagreements_are_found_and_shown(comparison, first, second, contradict):
    extra = {"q5": [("a", first, 0, 1, 1), ("b", second, 0, 1, 1)]}
    comparison.records += records(extra)
    expected = {"q5": {"a": first, "b": second}} if contradict else {}
    assert comparison.disagreements == expected
    assert comparison.to_dict()["disagreements"] == expected
    shown = f"DISAGREEMENT between solvers on 1 of the questions:\n  q5: a says {first}, b says"
    assert (shown in str(comparison)) == contradict
    assert ("no disagreement" in str(comparison)) != contradict


def test_table(comparison):
    header, *lines = comparison.table().splitlines()
    assert header.split()[:6] == ["solver", "questions", "solved", "robust", "falsified", "unknown"]
    assert [" ".join(line.split()) for line in lines] == [
        "a 4 3 2 1 1 7.0000 4.5000 3.5000 1.0000 2.7500 1",
        "b 4 2 1 1 2 11.0000 6.0000 6.0000 1.0000 4.5000 1",
    ]
    assert "4 questions, time limit 10 s." in str(comparison)


def test_the_table_has_the_answers_that_were_given():
    answers = {"q": [("a", "unsat", 0, 1, 1), ("b", "unknown", 0, 10, 10)]}
    header = Comparison(10, records(answers)).table().splitlines()[0].split()
    assert header[:5] == ["solver", "questions", "solved", "unsat", "unknown"]


def test_nothing_was_finished():
    empty = Comparison(10)
    assert str(empty).startswith("solver")
    assert "0 questions" in str(empty)
    assert empty.to_dict() == {"timeout": 10, "solvers": [], "disagreements": {}}
    assert repr(empty) == "Comparison(0 questions, 0 solvers)"


def test_csv_holds_every_record(comparison, tmp_path):
    comparison.records[-1] = Record("q4", "b", "unknown", "solver", 1.25, 8.5, 10.0, "timeout")
    comparison.to_csv(tmp_path / "table.csv")
    text = (tmp_path / "table.csv").read_text()
    assert text == comparison.to_csv()
    found = rows(text)
    assert [row["question"] for row in found] == ["q1", "q1", "q2", "q2", "q3", "q3", "q4", "q4"]
    assert [row["status"] for row in found] == [each.status for each in comparison.records]
    assert found[-1] == {
        "question": "q4",
        "solver": "b",
        "status": "unknown",
        "stage": "solver",
        "encode_s": "1.250000",
        "solve_s": "8.500000",
        "seconds": "10.000000",
        "reason": "timeout",
    }


def test_rows_are_on_disk_before_the_next_question_ends(comparison, tmp_path):
    path = tmp_path / "new" / "rows.csv"
    finished = []

    def stopped_in_the_fifth():
        for i, record in enumerate(comparison.records[:4]):
            assert len(rows(path.read_text())) == i
            yield record
        raise KeyboardInterrupt

    def collect():
        for record in written(stopped_in_the_fifth(), path):
            finished.append(record)

    with pytest.raises(KeyboardInterrupt):
        collect()
    assert finished == comparison.records[:4]
    assert path.read_text() == Comparison(10, finished).to_csv()
