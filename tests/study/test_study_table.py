"""The tables for the results: from folders as `study.run` leaves them."""

import study_table


def test_tables_of_the_loop(quickly):
    folder = quickly("loop")
    text = study_table.loop(folder)
    assert "| gen | " in text
    assert "19.4 → 61.6 → 78.3" in text
    lines = study_table.attacked(folder).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| source", "| sampling", "| gen"]
    assert "eps 0.1" in study_table.curves(folder, "resistance")


def test_tables_of_the_types(quickly):
    folder = quickly("resistance")
    assert study_table.curves(folder, "joint").count("| type-") == 4
    assert "certified accuracy, eps 0.05" in study_table.beside(folder)
