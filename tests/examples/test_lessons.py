"""The lessons: their shape, which the site and a course rely on, and that each of them runs."""

import ast
import io
import os
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "examples").glob("[0-9][0-9]_*.py"))
MOST_CODE, MOST_PRINTED = 80, 45  # lines
NOT_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER),
    *(tokenize.INDENT, tokenize.DEDENT),
}

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)


def code_lines(text):
    """Numbers of the lines that hold code: no comments, blank lines, docstrings."""
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NOT_CODE:
            lines |= set(range(token.start[0], token.end[0] + 1))
    documented = (ast.Module, ast.FunctionDef, ast.ClassDef)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def prose(text):
    """The comments of a lesson as text, without their signs."""
    return "\n".join(line[2:] for line in text.splitlines() if re.match("# |#$", line))


def test_there_are_fifteen_and_they_are_numbered():
    assert [int(lesson.name[:2]) for lesson in LESSONS] == list(range(1, 16))


@each_lesson
def test_a_lesson_begins_with_its_title(lesson):
    _, title, line, *_ = lesson.read_text().splitlines()
    assert title.startswith(f"{int(lesson.name[:2])}. ")
    assert line == "=" * len(title)


@each_lesson
def test_a_lesson_is_short_and_shows_something(lesson):
    text = lesson.read_text()
    assert len(code_lines(text)) <= MOST_CODE
    assert "plt.show()" in text


@each_lesson
def test_two_or_three_exercises_have_a_hidden_hint_each(lesson):
    _, exercises = prose(lesson.read_text()).split("\nExercises\n---------\n")
    exercises, after = exercises.split("\nWhat to try next\n----------------\n")
    parts = re.split(r"^\d\. ", exercises, flags=re.MULTILINE)[1:]
    assert len(parts) in (2, 3)
    for part in parts:
        _, hint = part.split("\n   .. dropdown:: Hint\n\n")
        assert re.fullmatch(r"(      \S.*\n|\n)+", hint + "\n")
    assert after.strip()


@each_lesson
def test_a_lesson_names_no_place_of_a_machine(lesson):
    strings = [
        node.value
        for node in ast.walk(ast.parse(lesson.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert not [value for value in strings if re.match(r"(/\w|~|[A-Z]:\\)", value)]
    assert not re.search(r"(?<![\w./])/(work|tmp|home|root)\b", lesson.read_text())


@pytest.mark.slow
@each_lesson
def test_a_lesson_runs_and_prints_little(lesson, tmp_path):
    environment = os.environ | {"MPLBACKEND": "agg", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(lesson)]
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stderr
    assert 0 < len(run.stdout.splitlines()) <= MOST_PRINTED
    assert list(tmp_path.iterdir()) == []
