import threading

import pytest

from bnnkit.solvers._job import EngineLost, Job


def finished(function):
    wake = threading.Event()
    job = Job(function, wake)
    job.start()
    assert wake.wait(5)
    assert job.ended
    return job


def test_an_answer_is_kept_and_an_unknown_has_a_reason():
    assert finished(lambda: ("sat", [1])).result("timeout") == ("sat", [1], "")
    assert finished(lambda: ("unknown", None)).result("timeout") == ("unknown", None, "timeout")
    assert finished(lambda: ("unknown", None)).result("") == ("unknown", None, "the engine gave up")


def test_a_lost_engine_is_unknown_and_other_errors_are_raised():
    def lost():
        raise EngineLost("it died")

    assert finished(lost).result("") == ("unknown", None, "it died")
    with pytest.raises(ZeroDivisionError):
        finished(lambda: 1 / 0).result("")
