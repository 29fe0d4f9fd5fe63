"""Every key is documented, and the documents say what the schema checks."""

from pathlib import Path

from bnnkit.study import reference
from bnnkit.study.schema import DATA, MEASURES, NAMED, STUDY


def test_the_document_has_all_keys_as_they_are():
    document = Path(__file__).parents[2] / "docs" / "files.md"
    assert reference() in document.read_text(encoding="utf-8")


def test_every_key_has_a_row_and_a_meaning():
    rows = reference().splitlines()
    for keys in (STUDY, DATA, *NAMED.values(), *MEASURES.values()):
        for name, key in keys.items():
            assert key.about
            assert any(row.startswith(f"| `{name}` |") and key.about in row for row in rows)
    assert "names below" not in reference()
