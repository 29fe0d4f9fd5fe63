"""The README's program runs, and its numbers stand where its links lead."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def facts():
    """Rows of the table of measurements: (what, number, linked file)."""
    table = TEXT.partition("| what | number |")[2].partition("\n\n")[0]
    for line in table.splitlines()[2:]:
        what, number, link = line.strip("| ").split(" | ")
        yield what, number, re.search(r"\((.*?)\)", link)[1]


def test_the_program_does_what_the_picture_shows(capsys):
    (program,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names = {}
    exec(program, names)
    assert names["smallest"].exact
    assert names["smallest"].upper < 0.1
    assert capsys.readouterr().out.splitlines()[-1] == "robust"
    wrong = names["network"].predict(names["smallest"].adversarial[None])
    assert wrong != names["label"]


@pytest.mark.parametrize(("what", "number", "path"), list(facts()))
def test_a_number_stands_in_the_results_that_its_row_links(what, number, path):
    results = (ROOT / path).read_text(encoding="utf-8")
    values = re.findall(r"\d[\d.,]*\d|\d", number)
    assert values
    for value in values:
        assert re.search(rf"(?<![\d.]){re.escape(value)}(?![\d])", results), value


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/results/*.md")])
)
def test_links_between_pages_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", text):
        generated = link.startswith(("lessons/", "reference/commands", "reference/generated"))
        assert generated or (page.parent / link).exists(), link
