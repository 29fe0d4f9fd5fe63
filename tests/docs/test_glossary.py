"""What a lesson prints bold is a word of the field, and the glossary has it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")


def words():
    """The words that the glossary explains, in lower case."""
    entries = GLOSSARY.partition(":sorted:")[2]
    heads = re.findall(r"^\w.*", entries, re.MULTILINE)
    return {word.strip().lower() for head in heads for word in head.split(",")}


def bold_words(lesson):
    """What stands between ** in the text of a lesson, which is its first string and comments."""
    text = lesson.read_text(encoding="utf-8")
    lines = re.findall(r"^# ?(.*)", text, re.MULTILINE)
    prose = "\n".join([text.split('"""')[1], *lines])
    return {" ".join(word.split()).lower() for word in re.findall(r"\*\*(\w[^*]*)\*\*", prose)}


@pytest.mark.parametrize("lesson", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.stem)
def test_the_glossary_has_the_bold_words_of_a_lesson(lesson):
    known = words()
    missing = {word for word in bold_words(lesson) if not {word, word.removesuffix("s")} & known}
    assert missing == set()


def test_bold_words_are_found():
    found = set().union(*map(bold_words, (ROOT / "examples").glob("*.py")))
    assert {"trail", "reverse unit propagation", "certified accuracy"} <= found


def test_links_of_the_glossary_lead_to_lessons():
    links = re.findall(r"\]\(lessons/(\w+)\)", GLOSSARY)
    assert links
    assert {link for link in links if not (ROOT / "examples" / f"{link}.py").exists()} == set()
