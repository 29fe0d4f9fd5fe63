import io
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
    assert list(progress([1, 2], "counting")) == [1, 2]
    assert "counting" in sys.stderr.getvalue()


@pytest.mark.parametrize(("pause", "lines"), [(0.0, 3), (1000.0, 0)])
def test_plain_lines_elsewhere_if_it_takes_long(monkeypatch, pause, lines):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(_progress, "_SECONDS_BETWEEN_LINES", pause)
    list(progress([1, 2, 3], "counting"))
    said = sys.stderr.getvalue().splitlines()
    assert len(said) == lines
    assert all(line.startswith("counting: ") and line.endswith(" of 3") for line in said)


def test_lines_beside_a_bar_are_printed(capsys):
    for _ in progress([1], "counting"):
        _progress.say("a line")
    assert capsys.readouterr().out == "a line\n"
