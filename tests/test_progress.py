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


def test_lines_beside_a_bar_are_printed(capsys):
    for _ in progress([1], "counting"):
        _progress.say("a line")
    assert capsys.readouterr().out == "a line\n"
