"""The tables for the results: from folders as `study.run` leaves them."""

import study_table


def test_tables_of_the_loop(quickly):
    folder = quickly("loop")
    text = study_table.loop(folder)
    assert "| gen | " in text
    assert "19.4 → 61.6 → 78.3" in text
    lines = study_table.attacked(folder).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| none", "| sampling", "| gen"]
    assert lines[0].startswith(
        "| run | images | joint attack % | before | no joint attack (proved)"
    )
    curves = study_table.curves(folder, "resistance")
    assert "joint attack / no joint attack (proved) / unknown, of 5 images" in curves
    assert "eps 0.02" in curves


def test_tables_of_the_types(quickly):
    folder = quickly("resistance")
    assert study_table.curves(folder, "joint").count("| type-") == 4
    assert "falsified / robust (proved) / unknown" in study_table.curves(folder, "single")
    beside = study_table.beside(folder)
    assert "type-4 (vote of 2)" in beside
    assert "certified accuracy, eps 0.05" in beside
