"""Proofs in VeriPB's format, checked by a plain twin of its rule rup on the rows of the OPB."""

import re

import numpy as np
import pytest
from checker.plain import proved_formula, write_proof

from bnnkit.interop import veripb
from bnnkit.solvers.native import engine

TERM = re.compile(r"([+-]?\d+) (~?)x(\d+)")


def row_of(text):
    """Coefficients by literal, all positive, and the bound."""
    terms, bound = text.split(">=")
    bound, weights = int(bound.rstrip(" ;")), {}
    for coef, negated, variable in TERM.findall(terms):
        lit, coef = int(variable) * (-1 if negated else 1), int(coef)
        if coef < 0:
            lit, coef, bound = -lit, -coef, bound - coef
        weights[lit] = weights.get(lit, 0) + coef
    return weights, bound


def contradicts(rows, true):
    """Unit propagation over linear constraints, by slack."""
    true = set(true)
    while True:
        before = len(true)
        for weights, bound in rows:
            slack = sum(w for lit, w in weights.items() if -lit not in true) - bound
            if slack < 0:
                return True
            true |= {lit for lit, w in weights.items() if -lit not in true and w > slack}
        if len(true) == before:
            return False


def accepted(prefix):
    """Whether each line follows, and the last one is a contradiction."""
    rows = dict(enumerate(map(row_of, prefix.with_suffix(".opb").read_text().splitlines()[1:])))
    first, *lines, output, conclusion, end = prefix.with_suffix(".pbp").read_text().splitlines()
    assert (first, output) == ("pseudo-Boolean proof version 3.0", "output NONE ;")
    assert (conclusion, end) == ("conclusion UNSAT : -1 ;", "end pseudo-Boolean proof ;")
    for line in lines:
        if line.startswith("del id"):
            for label in line.split()[2:-1]:
                del rows[label]
            continue
        label, _, constraint = line.partition("rup ")
        weights, bound = row_of(constraint)
        if not contradicts(rows.values(), {-lit for lit in weights}):
            return False
        rows[label.strip()] = weights, bound
    return (weights, bound) == ({}, 1)


@pytest.mark.parametrize("eager", [False, True])
def test_each_step_is_a_step_of_theirs(eager, tmp_path, monkeypatch):
    """Also with deletions, after which what followed from a clause is not known any more."""
    if eager:
        for name in ("REDUCE_FIRST", "REDUCE_STEP"):
            monkeypatch.setattr(engine, name, 2)
        monkeypatch.setattr(engine, "SIMPLIFY_STEP", 1)
    rng = np.random.default_rng(0)
    deletions = rejected = 0
    for _ in range(12):
        text, rows = proved_formula(rng)
        (tmp_path / "f.cnf").write_text(text)
        (tmp_path / "proof").write_text(write_proof(rows, text))
        veripb.save(tmp_path / "f.cnf", tmp_path / "proof", tmp_path / "out")
        assert accepted(tmp_path / "out")
        deletions += any(kind == "d" for kind, _ in rows)
        (tmp_path / "proof").write_text(write_proof(rows[-1:], text))
        veripb.save(tmp_path / "f.cnf", tmp_path / "proof", tmp_path / "out")
        rejected += not accepted(tmp_path / "out")
    assert rejected > 6
    assert deletions > 2 or not eager


def test_a_claim_under_assumptions(tmp_path):
    text = "p cnf 2 1\n1 2 0\n"
    (tmp_path / "f.cnf").write_text(text)
    (tmp_path / "proof").write_text(write_proof([("claim", [2, 1, 2])], text))
    veripb.save(tmp_path / "f.cnf", tmp_path / "proof", tmp_path / "out")
    lines = (tmp_path / "out.pbp").read_text().splitlines()
    assert lines[1] == "rup 1 x2 1 x1 >= 1 ;"
    assert lines[3] == "conclusion NONE ;"
