"""Files of findings: whatever was found once is asked again."""

import json
from pathlib import Path

import pytest

from bnnkit import fuzz

FOUND = sorted((Path(__file__).parents[1] / "regressions").glob("*.json"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_what_was_found_is_right_now(path):
    said = fuzz.replay(path)
    assert not fuzz.contradictory(said), said


@pytest.mark.parametrize("case", [fuzz.FormulaCase, fuzz.NetworkCase])
def test_a_case_is_the_same_from_its_file(case, tmp_path):
    for index in range(40):
        drawn = case.draw(1, index)
        path = fuzz.save(drawn, {"native": ["unknown"]}, tmp_path)
        read = fuzz.load(path)
        assert read.to_dict() == drawn.to_dict()
        if case is fuzz.NetworkCase:
            assert read.networks == drawn.networks
            assert read.image.dtype == drawn.image.dtype


@pytest.mark.parametrize(
    "said",
    [
        {"a": ["sat"], "b": ["unsat"]},
        {"a": ["sat", "unsat"], "b": ["sat", "sat"], "c": ["sat"]},
        {"a": ["robust"], "b": ["unknown"], "c": ["falsified"]},
        {"a": ["sat"], "b": ["RuntimeError: a wrong model"]},
    ],
)
def test_contradictions(said):
    assert fuzz.contradictory(said)


def test_no_contradictions():
    assert not fuzz.contradictory({"a": ["sat", "unknown"], "b": ["sat", "unsat"], "c": []})
    assert not fuzz.contradictory({})


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "[" * 100_000, '{"format": "bnnkit-fuzz", "version": 2}']
)
def test_files_that_are_none(text, tmp_path):
    path = tmp_path / "case.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="not a case of bnnkit fuzz"):
        fuzz.load(path)


@pytest.mark.parametrize("case", [fuzz.FormulaCase, fuzz.NetworkCase])
def test_damaged_fields_are_named_or_do_no_harm(case, tmp_path):
    """Every field of a case replaced by something else: an error that says so, or a case."""
    path = fuzz.save(case.draw(1, 3), {}, tmp_path)
    whole = json.loads(path.read_text())
    for name in whole["case"]:
        for wrong in (None, -1, 0, "x", [], {}, [[1]], 1e308, 10**400, True, [1, 0]):
            path.write_text(json.dumps(whole | {"case": whole["case"] | {name: wrong}}))
            try:
                said = fuzz.load(path).statements({})
            except ValueError as error:
                said = {}
                assert "not a case of bnnkit fuzz" in str(error)  # noqa: PT017
            assert not fuzz.contradictory(said)
