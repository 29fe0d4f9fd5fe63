from bnnkit._table import table


def test_columns_are_aligned():
    text = table(("name", "n", "where"), [("a", 100, "here"), ("longer", 2, "x")], left=(0, 2))
    assert text.splitlines() == ["name      n  where", "a       100  here", "longer    2  x"]
