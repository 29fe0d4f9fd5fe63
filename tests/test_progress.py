import io
import re
import sys

import pytest

from bnnkit import _progress
from bnnkit._progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_items_pass_through_in_order():
    assert list(progress(iter("abc"), "letters", total=3)) == ["a", "b", "c"]


def test_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(progress([1, 2], "counting", note=lambda: "all well")) == [1, 2]
    assert "counting" in sys.stderr.getvalue()


@pytest.mark.parametrize(("pause", "lines"), [(0.0, 3), (1000.0, 0)])
def test_plain_lines_elsewhere_if_it_takes_long(monkeypatch, pause, lines):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(_progress, "_SECONDS_BETWEEN_LINES", pause)
    seen = []
    for item in progress([1, 2, 3], "counting", note=lambda: f"{len(seen)} seen"):
        seen.append(item)
    said = sys.stderr.getvalue().splitlines()
    assert len(said) == lines
    for i, line in enumerate(said):
        form = rf"counting: {i + 1} of 3, \S+ a second, \d+ s left, {i} seen"
        assert re.fullmatch(form, line)


def test_without_a_total_there_is_no_time_left(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(_progress, "_SECONDS_BETWEEN_LINES", 0.0)
    list(progress(iter("ab"), "letters"))
    assert re.fullmatch(r"(letters: [12], \S+ a second\n){2}", sys.stderr.getvalue())


@pytest.mark.parametrize("terminal", [False, True])
def test_what_was_done_before_is_counted_and_is_not_in_the_rate(monkeypatch, terminal):
    monkeypatch.setattr(sys, "stderr", Terminal() if terminal else io.StringIO())
    monkeypatch.setattr(_progress, "_SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(_progress.time, "monotonic", iter([10.0, 10.5, 11.0, 12.0]).__next__)
    done = ["before"] * 90
    for items in progress([0, 4, 0], "counting", 100, count=done.__len__):
        done += ["now"] * items
    said = sys.stderr.getvalue()
    if terminal:
        assert "90/100" in said
    else:
        assert said.splitlines() == [
            "counting: 90 of 100, 0 a second",
            "counting: 90 of 100, 0 a second",
            "counting: 94 of 100, 2 a second, 3 s left",
        ]


def test_lines_beside_a_bar_are_printed(capsys):
    for _ in progress([1], "counting"):
        _progress.say("a line")
    assert capsys.readouterr().out == "a line\n"
