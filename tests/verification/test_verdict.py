import csv

import numpy as np
import pytest

from bnnkit.verification import Verdict, Verdicts, combine


@pytest.fixture
def verdicts():
    image = np.zeros((1, 2, 2), np.float32)
    return Verdicts(
        [
            Verdict("robust", 3, 0.1, 3, 3, "bounds", timings={"bounds": 0.25}),
            Verdict("falsified", 3, 0.1, 3, 5, "solver", image, {"bounds": 0.25, "solve": 1.0}),
            Verdict("falsified", 3, 0.1, 4, 4, "clean", image, {"clean": 0.5}),
            Verdict("unknown", 3, 0.1, 3, 3, "solver", timings={"solve": 2.0}, reason="timeout"),
        ]
    )


def test_three_answers_are_counted_apart(verdicts):
    assert verdicts.counts == {"robust": 1, "falsified": 2, "unknown": 1}
    assert verdicts.misclassified == 1
    assert verdicts.certified_accuracy == 0.25
    assert verdicts.seconds == 4.0


def test_it_is_a_sequence(verdicts):
    assert len(verdicts) == 4
    assert verdicts[1].predicted == 5
    assert verdicts[:2].counts == {"robust": 1, "falsified": 1, "unknown": 0}
    assert verdicts.status.tolist() == ["robust", "falsified", "falsified", "unknown"]


def test_csv_holds_every_row(verdicts, tmp_path):
    verdicts.to_csv(tmp_path / "table.csv")
    text = (tmp_path / "table.csv").read_text()
    assert text == verdicts.to_csv()
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["status"] for row in rows] == verdicts.status.tolist()
    assert rows[1]["solve_s"] == "1.000000"
    assert rows[0]["solve_s"] == ""
    assert rows[3]["reason"] == "timeout"


def answers(*statuses):
    return Verdicts([Verdict(status, 3, 0.1, 3, 3, "solver") for status in statuses])


def test_what_several_solvers_know_together():
    first = answers("robust", "unknown", "unknown", "robust", "unknown")
    second = answers("unknown", "falsified", "unknown", "falsified")  # interrupted
    statuses, wrong = combine([first, second])
    assert statuses == ["robust", "falsified", "unknown", "falsified", "unknown"]
    assert wrong == [3]


def test_no_rate_of_nothing():
    with pytest.raises(ValueError, match="no verdicts"):
        assert Verdicts([]).certified_accuracy
