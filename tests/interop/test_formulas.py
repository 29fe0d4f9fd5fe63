"""Formulas in every format: what is read back has the same models."""

import bz2
import gzip
import lzma

import numpy as np
import pytest
from interop.mutations import check_reader
from solvers.formulas import all_assignments, models, random_formula

from bnnkit import solvers
from bnnkit.formula import Formula
from bnnkit.interop import dimacs, opb, write_formula

FORMATS = (".cnf", ".rcnf", ".bnn", ".opb")


def projected(formula, n_vars):
    """For each assignment of the first variables whether a solver finds a model with it."""
    found = []
    with solvers.get("native")(formula) as solver:
        for bits in all_assignments(n_vars).tolist():
            assumptions = [i if bit else -i for i, bit in enumerate(bits, start=1)]
            found.append(solver.solve(assumptions, timeout=60).status)
    assert set(found) <= {"sat", "unsat"}
    return [status == "sat" for status in found]


@pytest.mark.parametrize("suffix", FORMATS)
def test_models_survive(tmp_path, suffix):
    rng = np.random.default_rng(1)
    for _ in range(60):
        formula = random_formula(rng, int(rng.integers(1, 5)))
        path = tmp_path / f"formula{suffix}"
        write_formula(formula, path)
        again = Formula.load(path)
        assert again.n_vars >= formula.n_vars
        assert projected(again, formula.n_vars) == models(formula).tolist(), formula


def extreme_formulas():
    for n_vars, lits, bound, coefs, output in [
        (0, [], 1, None, None),
        (0, [], 0, None, None),
        (1, [], 1, None, 1),
        (1, [], -5, None, -1),
        (2, [1, 1, -1], 2, None, 2),
        (2, [1, -1, 2], 1, None, None),
        (2, [1, 2, 1], 2, None, -1),
        (2, [1, 2], 3, [5, -2], 2),
        (2, [1, 2], -1, [-5, -2], -2),
        (3, [1, 2], 10**30, None, 3),
        (3, [-1, -2, -3], 0, [0, 0, 0], 1),
        (3, [1, 2, 3], 2**30, [2**30, 2**30 - 2, 1], -1),
    ]:
        formula = Formula(n_vars)
        formula.add_sum(lits, bound, coefs, output)
        yield formula


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    "formula", list(extreme_formulas()), ids=lambda formula: str(formula)[-40:]
)
def test_extremes(tmp_path, suffix, formula):
    path = tmp_path / f"formula{suffix}"
    if suffix != ".opb" and abs(formula.sums.coefs).max(initial=0) > 2**20:
        with pytest.raises(ValueError, match="repeated literals"):
            write_formula(formula, path)
        return
    write_formula(formula, path)
    again = Formula.load(path)
    assert projected(again, formula.n_vars) == models(formula).tolist()


def test_clauses_that_repeat_and_contradict(tmp_path):
    formula = Formula(3)
    for clause in ([1, 1], [2, -2], [-1, 3, -1], [3, -3, 3]):
        formula.add_clause(clause)
    for suffix in FORMATS:
        write_formula(formula, tmp_path / f"f{suffix}")
        assert projected(Formula.load(tmp_path / f"f{suffix}"), 3) == models(formula).tolist()


def test_clauses_are_clauses_alone():
    rng = np.random.default_rng(2)
    for encoding in ("seqcounter", "totalizer", "mtotalizer"):
        formula = random_formula(rng, 4)
        assert len(dimacs.to_clauses(formula, encoding).sums) == 0


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("compression", ["", ".gz", ".xz", ".bz2"])
def test_comments_and_compression(tmp_path, suffix, compression):
    formula = Formula(2)
    formula.add_sum([1, 2], 2, output=-1)
    path = tmp_path / f"f{suffix}{compression}"
    write_formula(formula, path, ["an ä;", "two\nlines * p cnf 1 1"])
    unpack = {"": bytes, ".gz": gzip.decompress, ".xz": lzma.decompress, ".bz2": bz2.decompress}
    text = unpack[compression](path.read_bytes()).decode()
    sign = "*" if suffix == ".opb" else "c"
    assert f"{sign} an ä;\n{sign} two\n{sign} lines * p cnf 1 1\n" in text
    assert projected(Formula.load(path), 2) == models(formula).tolist()


def test_the_lines_of_each_format(tmp_path):
    formula = Formula(5)
    formula.add_clause([1, -2])
    formula.add_sum([1, -2, 3, 4], 2, output=5)
    formula.add_sum([1, 2, 3], 2)
    expected = {
        ".bnn": "p cnf 6 4\n1 -2 0\n6 0\nb 1 -2 3 4 0 2 5 0\nb 1 2 3 0 2 6 0\n",
        ".opb": "* #variable= 5 #constraint= 4\n+1 x1 -1 x2 >= 0 ;\n+1 x1 +1 x2 +1 x3 >= 2 ;\n"
        "+1 x1 -1 x2 +1 x3 +1 x4 -2 x5 >= -1 ;\n-1 x1 +1 x2 -1 x3 -1 x4 +3 x5 >= 0 ;\n",
    }
    for suffix, text in expected.items():
        write_formula(formula, tmp_path / f"f{suffix}")
        assert (tmp_path / f"f{suffix}").read_text() == text


def test_modules_by_name(tmp_path):
    formula = Formula(3)
    formula.add_sum([1, 2], 1, output=3)
    for sums in ("clauses", "reified", "bnn"):
        dimacs.save(formula, tmp_path / "f", sums)
        assert projected(dimacs.load(tmp_path / "f"), 3) == models(formula).tolist()
    opb.save(formula, tmp_path / "f")
    assert projected(opb.load(tmp_path / "f"), 3) == models(formula).tolist()
    with pytest.raises(ValueError, match="sums must be one of clauses, reified, bnn, got 'cnf'"):
        dimacs.save(formula, tmp_path / "f", "cnf")


@pytest.mark.parametrize("name", ["f", "f.txt", "f.gz", "f.opb.zip"])
def test_other_names(tmp_path, name):
    with pytest.raises(ValueError, match=r"must end in \.cnf, \.rcnf, \.bnn, \.opb"):
        write_formula(Formula(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def a_formula():
    rng = np.random.default_rng(3)
    formula = Formula(30)
    for _ in range(12):
        lits = rng.integers(1, 31, 6) * rng.choice([-1, 1], 6)
        formula.add_clause(lits[:3])
        formula.add_sum(lits, int(rng.integers(1, 6)), output=int(rng.integers(1, 31)))
        formula.add_sum(lits, 3, rng.integers(-3, 4, 6))
    return formula


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_damaged_texts(tmp_path, suffix, pack):
    write_formula(a_formula(), tmp_path / f"whole{suffix}", ["comment"])
    content = (tmp_path / f"whole{suffix}").read_bytes()
    taken = check_reader(Formula.load, tmp_path / "bad", content, count=200, pack=pack)
    for formula in taken:
        formula.holds(np.zeros(formula.n_vars, dtype=bool))


@pytest.mark.parametrize("compression", [".gz", ".xz", ".bz2"])
def test_damaged_compression(tmp_path, compression):
    path = tmp_path / f"whole.opb{compression}"
    write_formula(a_formula(), path)
    check_reader(Formula.load, tmp_path / "bad", path.read_bytes(), count=150)
