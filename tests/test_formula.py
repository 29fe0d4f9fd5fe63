"""Formula: variables, constraints, evaluation, text."""

import bz2
import gzip
import io
import itertools
import lzma
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from bnnkit.formula import Formula

BENCH = Path(__file__).parents[2] / "shared" / "bench" / "solver-level"


def value(lit, assignment):
    return assignment[abs(lit) - 1] == (lit > 0)


def holds_by_definition(formula, assignment):
    """Formula.holds, one literal at a time."""
    clauses = all(any(value(lit, assignment) for lit in c) for c in formula.clauses.lists())
    sums = all(
        (sum(c for lit, c in zip(lits, coefs, strict=True) if value(lit, assignment)) >= bound)
        == (output == 0 or value(output, assignment))
        for lits, coefs, bound, output in formula.sums.lists()
    )
    return clauses and sums


def example():
    formula = Formula(4)
    formula.add_clause([1, -2])
    formula.add_sum([1, -2, 3, 3], 2, output=-4)
    formula.add_sum([1, 2, -3], -1, coefs=[2, 0, -3])
    formula.add_sum([], 0, output=4)
    return formula


def random_formula(rng, n_vars=5):
    formula = Formula(n_vars)
    for _ in range(rng.integers(1, 5)):
        size = rng.integers(0, 6)
        lits = rng.integers(1, n_vars + 1, size) * rng.choice([-1, 1], size)
        output = int(rng.integers(-n_vars, n_vars + 1)) or None
        formula.add_sum(lits, int(rng.integers(-4, 6)), rng.integers(-3, 4, size), output)
        formula.add_clause(lits)
    return formula


def all_assignments(n_vars):
    return (list(bits) for bits in itertools.product([False, True], repeat=n_vars))


def test_variables_are_consecutive():
    formula = Formula()
    assert formula.new_var() == 1
    new = formula.new_vars(3)
    assert new.tolist() == [2, 3, 4]
    assert new.dtype == np.int32
    assert formula.new_vars(0).tolist() == []
    assert formula.n_vars == 4


def test_flat_arrays():
    formula = example()
    clauses, sums = formula.clauses, formula.sums
    assert (clauses.lits.tolist(), clauses.offsets.tolist()) == ([1, -2], [0, 2])
    assert sums.lits.tolist() == [1, -2, 3, 3, 1, 2, -3]
    assert sums.coefs.tolist() == [1, 1, 1, 1, 2, 0, -3]
    assert sums.offsets.tolist() == [0, 4, 7, 7]
    assert sums.bounds.tolist() == [2, -1, 0]
    assert sums.outputs.tolist() == [-4, 0, 4]
    assert (len(clauses), len(sums)) == (1, 3)
    assert {clauses.lits.dtype, sums.lits.dtype, sums.coefs.dtype, sums.outputs.dtype} == {
        np.dtype("int32")
    }
    assert {clauses.offsets.dtype, sums.offsets.dtype, sums.bounds.dtype} == {np.dtype("int64")}


def test_one_by_one_equals_in_bulk():
    bulk, single = Formula(3), Formula(3)
    bulk.add_clauses([1, 2, -3], [2, 0, 1])
    for clause in ([1, 2], [], [-3]):
        single.add_clause(clause)
    bulk.add_sums([1, 2, -3, 3], [3, 0, 1], [2, 0, 1], [1, 2, 3, 1], [0, -1, 2])
    single.add_sum([1, 2, -3], 2, [1, 2, 3])
    single.add_sum([], 0, output=-1)
    single.add_sum([3], 1, output=2)
    assert bulk.clauses.lists() == single.clauses.lists()
    assert list(bulk.sums.lists()) == list(single.sums.lists())


def test_reading_between_additions():
    formula = Formula(2)
    for i in range(5):
        formula.add_clause([1, -2])
        formula.add_sum([1, 2], i, output=1)
        assert formula.clauses.offsets.tolist() == list(range(0, 2 * i + 3, 2))
        assert formula.sums.bounds.tolist() == list(range(i + 1))


def test_rows():
    sums = example().sums.rows(1, 3)
    assert list(sums.lists()) == [([1, 2, -3], [2, 0, -3], -1, 0), ([], [], 0, 4)]
    assert example().clauses.rows(1, 1).lists() == []


def test_arrays_belong_to_the_formula():
    formula, lits = Formula(2), np.array([1, 2], dtype=np.int32)
    formula.add_clause(lits)
    lits[:] = 9
    assert formula.clauses.lists() == [[1, 2]]
    with pytest.raises(ValueError, match="read-only"):
        formula.clauses.lits[0] = 2


def test_copies_grow_apart():
    formula = example()
    twin = formula.copy()
    twin.add_clause([twin.new_var()])
    formula.add_sum([1], 1)
    assert (formula.n_vars, len(formula.clauses), len(formula.sums)) == (4, 1, 4)
    assert (twin.n_vars, twin.clauses.lists(), len(twin.sums)) == (5, [[1, -2], [5]], 3)


def test_holds_is_the_definition():
    rng = np.random.default_rng(0)
    verdicts = set()
    for _ in range(200):
        formula = random_formula(rng)
        for assignment in all_assignments(5):
            verdict = formula.holds(assignment)
            assert verdict == holds_by_definition(formula, assignment), formula
            verdicts.add(verdict)
    assert verdicts == {False, True}


@pytest.mark.parametrize(
    ("bound", "expected"), [(10**30, False), (2**31, False), (-(2**63), True), (-(10**30), True)]
)
def test_any_bound_is_legal(bound, expected):
    formula = Formula(1)
    formula.add_sum([1], bound)
    assert formula.holds([True]) is expected
    assert formula.holds([False]) is expected


def test_the_greatest_coefficients_do_not_overflow():
    formula = Formula(1)
    formula.add_sum([1, -1], 2**31 - 1, coefs=[2**31 - 1, 0])
    formula.add_sum([1], -(2**31) + 1, coefs=[-(2**31) + 1])
    assert formula.holds([True])
    assert not formula.holds([False])


def test_empty_formula_holds():
    assert Formula().holds(np.zeros(0, dtype=bool))
    assert not Formula(1).clauses.lists()


def test_empty_clause_never_holds():
    formula = Formula(1)
    formula.add_clause([])
    assert not formula.holds([True])


@pytest.mark.parametrize("assignment", [[True], [True] * 5, [[True] * 4], [1, 0, 1, 0]])
def test_assignments_are_one_bool_a_variable(assignment):
    with pytest.raises(ValueError, match="assignment must be 4 bools"):
        example().holds(assignment)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda f: f.add_clause([0]), r"v in \[1, 3\], got 0"),
        (lambda f: f.add_clause([1, 4]), "got 4; make variables"),
        (lambda f: f.add_clause([-4]), "got -4"),
        (lambda f: f.add_clause([-(2**63)]), "got -9223372036854775808"),
        (lambda f: f.add_clause([1.0]), "integers below 2\\*\\*63, got shape .* float64"),
        (lambda f: f.add_clause([True]), "integers"),
        (lambda f: f.add_clause([2**63]), "integers"),
        (lambda f: f.add_clause([2**70]), "integers"),
        (lambda f: f.add_clause([[1, 2]]), "flat sequence"),
        (lambda f: f.add_clauses([1, 2], [1]), "add up to the 2 literals given, got a sum of 1"),
        (lambda f: f.add_clauses([1, 2], [3, -1]), "non-negative"),
        (lambda f: f.add_sum([1, 5], 1), "got 5"),
        (lambda f: f.add_sum([1], 1, coefs=[1, 2]), "as many coefficients as literals"),
        (lambda f: f.add_sum([1], 1, coefs=[0.5]), "coefs must be .* integers"),
        (lambda f: f.add_sum([1], 1, output=0), "got 0; leave it out"),
        (lambda f: f.add_sum([1], 1, output=-4), "got -4"),
        (lambda f: f.add_sum([1, 2], 1, coefs=[2**30, -(2**30)]), r"less than 2\*\*31"),
        (lambda f: f.add_sum([1, 2], 1, coefs=[2**63 - 1, -(2**63)]), r"less than 2\*\*31"),
        (lambda f: f.add_sums([1], [1], [1, 2]), "as many bounds as sums"),
        (lambda f: f.add_sums([1], [1], [1], outputs=[]), "as many outputs as sums"),
        (lambda f: f.add_sums([1], [1], [1], outputs=[7]), "got 7"),
        (lambda f: f.new_vars(-1), "got -1"),
        (lambda f: f.new_vars(2**31), "2147483648"),
    ],
)
def test_mistakes_are_refused_and_change_nothing(build, message):
    formula = Formula(3)
    with pytest.raises(ValueError, match=message):
        build(formula)
    assert (formula.n_vars, len(formula.clauses), len(formula.sums)) == (3, 0, 0)
    assert len(formula.clauses.lits) == len(formula.sums.lits) == 0


def test_bounds_are_integers():
    with pytest.raises(TypeError):
        Formula(1).add_sum([1], 0.5)


def test_words():
    assert str(example()).splitlines() == [
        "4 variables, 1 clause, 3 sums",
        "x1 or not x2",
        "not x4 <-> x1 + not x2 + x3 + x3 >= 2",
        "2 * x1 + 0 * x2 + -3 * not x3 >= -1",
        "x4 <-> 0 >= 0",
    ]
    assert repr(example()) == "<Formula: 4 variables, 1 clause, 3 sums>"


def test_words_of_a_long_formula_are_few():
    formula = Formula(1)
    formula.add_clauses([1] * 60, [1] * 60)
    lines = str(formula).splitlines()
    assert len(lines) == 52
    assert lines[-1] == "... 10 more clauses"


def test_text():
    assert example().to_text().splitlines() == [
        "p cnf 5 5",
        "1 -2 0",
        "5 0",
        "1 -2 3 3 <= 1 # 4",
        "1 1 3 3 3 >= 2 # 5",
        ">= 0 # 4",
    ]


def test_text_means_the_formula():
    rng = np.random.default_rng(3)
    for _ in range(100):
        formula = random_formula(rng, n_vars=4)
        again = Formula.from_text(formula.to_text())
        for assignment in all_assignments(4):
            extended = assignment + [True] * (again.n_vars - 4)
            assert formula.holds(assignment) == again.holds(extended), formula
        assert again.to_text() == Formula.from_text(again.to_text()).to_text()


def test_text_with_enormous_coefficients_is_refused():
    formula = Formula(1)
    formula.add_sum([1], 1, coefs=[2**30])
    with pytest.raises(ValueError, match="1073741824 literals, more than 10000000"):
        formula.to_text()


@pytest.mark.parametrize(
    "text",
    [
        "p cnf 3 2\n1 -2 0\n2 3 0\n",
        "p cnf 3 2\r\n1 -2 0\r\n2 3 0\r\n",
        "c hello\n\nc\n\tp  cnf\t3   2  \n  1 -2 0\ncomment 4 0\n c 5 0\n\n2 3 0",
        "p cnf 3 2\n1 -2 0 2 3 0\n",
        "p cnf 3 2\n1\n-2 0 2\nc 9 # 9\n\t3 0\n",
        "p cnf 3 2\n1 -2\n0\n2 3\n0\n",
        "p cnf 3 2\n 1 -2 0\n 2 3 0\n %\n0\n\n",
        "p cnf 3 1\n1 -2 0\n2 3 0\n",
        "c caf\u00e9 \ud800\np cnf 3 2\n1 -2 0\n2 3 0\n",
    ],
)
def test_clauses_as_they_are_written_in_real_files(text):
    formula = Formula.from_text(text)
    assert (formula.n_vars, formula.clauses.lists()) == (3, [[1, -2], [2, 3]])


def test_sums_and_clauses_in_one_text():
    formula = Formula.from_text(
        "p cnf 4 6\n0\n1 -2 -2 >= 2 # -4\n>= 0 # 4\n3 0\n1 2 <= 1 # 3\n1 -1>= 99999999999999 # 1\n"
    )
    assert formula.clauses.lists() == [[], [3]]
    assert list(formula.sums.lists()) == [
        ([1, -2, -2], [1, 1, 1], 2, -4),
        ([], [], 0, 4),
        ([1, 2], [1, 1], 2, -3),
        ([1, -1], [1, 1], 2**31, 1),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no line 'p cnf"),
        ("c p cnf 1 1\n", "no line 'p cnf"),
        ("1 2 0\n", "line 1 .*must come before"),
        ("p cnf 2\n", "line 1"),
        ("p cnf x 1\n", "line 1"),
        ("p cnf -2 1\n", "line 1"),
        ("p cnf 2147483648 0\n", "line 1 .*too few for 2147483648 variables"),
        ("p cnf 2 1\n1 2 0\np cnf 2 1\n", "line 3 .*one line 'p cnf' only"),
        ("p cnf 2 1\n1 2\n", r"line 2 \('1 2'\): a clause must end in 0"),
        ("p cnf 2 2\n1 2 0\nc\n1 2\n%\n0\n", "line 4 .*must end in 0"),
        ("p cnf 2 2\n1 2\n1 2 >= 1 # 1\n0\n", "line 2 .*must end in 0"),
        ("p cnf 2 1\n1 3 0\n", r"line 2 .*v in \[1, 2\], got 3"),
        ("p cnf 2 1\n1 2 0\n\n1 -3 0\n", "line 4 .*got -3"),
        ("p cnf 2 1\n99999999999999999999 0\n", "line 2 .*got 99999999999999999999"),
        ("p cnf 2 1\n-9223372036854775808 0\n", "line 2 .*got -9223372036854775808"),
        ("p cnf 2 1\nc hello\n1 x 0\n", "line 3 .*got x"),
        ("p cnf 2 1\n1-2 0\n", "line 2 .*got 1-2"),
        ("p cnf 2 1\n1 - 2 0\n", "line 2 .*got -"),
        ("p cnf 2 1\n--1 0\n", "line 2 .*got --1"),
        ("p cnf 2 1\n1.0 0\n", "line 2 .*got 1.0"),
        ("p cnf 2 1\n1_0 0\n", "line 2 .*got 1_0"),
        ("p cnf 2 1\n1 2 >= # 1\n", "line 2"),
        ("p cnf 2 1\n1 2 = 1 # 1\n", "line 2 .*a sum must end in"),
        ("p cnf 2 1\n1 2 >= 1\n", "line 2"),
        ("p cnf 2 1\n1 2 >= 1 # 0\n", "line 2 .*got 0"),
        ("p cnf 2 1\n1 2 >= 1 # 3\n", "line 2 .*got 3"),
        ("p cnf 2 1\n1 0 2 >= 1 # 1\n", "line 2 .*got 0"),
        ("p cnf 2 1\n1 4 >= 1 # 1\n", "line 2 .*got 4"),
        ("p cnf 2 1\n1 >= 2 >= 1 # 1\n", "line 2"),
        ("p cnf 2 1\n# 1\n", "line 2"),
        ("p cnf 2 3\n1 0\n2 >= 1 # 1\n", "announces 3 constraints and has 2"),
    ],
)
def test_wrong_text_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        Formula.from_text(text)


@pytest.mark.parametrize("name", ["formula.cnf", "formula.cnf.gz"])
def test_files(name, tmp_path):
    path = tmp_path / "new" / name
    example().save(path)
    content = path.read_bytes()
    assert content.startswith(b"\x1f\x8b") == name.endswith(".gz")
    assert Formula.load(path).to_text() == example().to_text()
    assert Formula.load(io.BytesIO(content)).to_text() == example().to_text()
    renamed = tmp_path / "no-suffix"
    renamed.write_bytes(content)
    assert Formula.load(str(renamed)).to_text() == example().to_text()
    marked = b"\xef\xbb\xbf" + example().to_text().encode()  # as some editors write UTF-8
    for data in (marked, gzip.compress(marked)):
        assert Formula.load(io.BytesIO(data)).to_text() == example().to_text()
    example().save(path)
    assert path.read_bytes() == content
    if name.endswith(".gz"):
        assert content[4:8] == bytes(4), "the time of writing should not be in the file"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"p cnf 1 1\n1 2 0\n", "wrong.cnf: line 2"),
        (gzip.compress(b"p cnf 1 1\n1 0\n", mtime=0)[:-3], "wrong.cnf is damaged gzip data"),
        (gzip.compress(b"p cnf 1 1\n1 0\n", mtime=0)[:10] + b"\xff" * 20, "damaged gzip data"),
        (b"\x1f\x8bnonsense", "wrong.cnf is damaged gzip data"),
        (b"\x00\xff", "wrong.cnf: line 1"),
    ],
)
def test_wrong_files_are_named(content, message, tmp_path):
    path = tmp_path / "wrong.cnf"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        Formula.load(path)


@pytest.mark.skipif(not BENCH.is_dir(), reason=f"no formulas in {BENCH}")
def test_real_formulas_survive_text():
    for path in sorted(BENCH.glob("2*.cnf.gz")):
        text = gzip.decompress(path.read_bytes()).decode()
        formula = Formula.load(path)
        again = Formula.from_text(formula.to_text())
        assert list(again.sums.lists()) == list(formula.sums.lists())
        assert again.clauses.lists() == formula.clauses.lists()
        header = next(line for line in text.splitlines() if line.startswith("p"))
        assert header.split()[2:] == [
            str(formula.n_vars),
            str(len(formula.clauses) + len(formula.sums)),
        ]


def test_lines_of_cryptominisat():
    text = "p cnf 6 6\nb 1 -2 3 0 2 5 0\nb 1 1 2 0 2 -6\nb 4 5 0 1 0\nb 4 5 0 -1\nb 0 1 3 0\n1 0\n"
    formula = Formula.from_text(text)
    assert list(formula.sums.lists()) == [
        ([1, -2, 3], [1, 1, 1], 2, 5),
        ([1, 1, 2], [1, 1, 1], 2, -6),
        ([4, 5], [1, 1], 1, 0),
        ([4, 5], [1, 1], -1, 0),
        ([], [], 1, 3),
    ]
    assert formula.clauses.lists() == [[1]]


def test_linear_constraints():
    text = """
* #variable= 5 #constraint= 4
* a comment; with a semicolon
+1 x1 +2 x2 >= 2 ;
-3 x1 +4 ~x5
  2 ~x1 <= -1; +1 x3 = 1 ;
*
>= 0;
"""
    formula = Formula.from_text(text)
    assert formula.n_vars == 5
    assert list(formula.sums.lists()) == [
        ([1, 2], [1, 2], 2, 0),
        ([1, -5, -1], [3, -4, -2], 1, 0),
        ([3], [1], 1, 0),
        ([3], [-1], -1, 0),
        ([], [], 0, 0),
    ]


def test_linear_constraints_by_definition():
    rng = np.random.default_rng(5)
    for _ in range(100):
        rows, lines = [], []
        for _ in range(rng.integers(1, 4)):
            lits = rng.integers(1, 5, 4) * rng.choice([-1, 1], 4)
            coefs, bound = rng.integers(-3, 4, 4), int(rng.integers(-3, 4))
            relation = str(rng.choice([">=", "<=", "="]))
            rows.append((lits, coefs, relation, bound))
            words = [
                f"{c:+d} {'~' * bool(lit < 0)}x{abs(lit)}"
                for lit, c in zip(lits, coefs, strict=True)
            ]
            lines.append(f"{' '.join(words)} {relation} {bound:+d};")
        formula = Formula.from_text(" ".join(lines))
        for bits in all_assignments(formula.n_vars):
            totals = [
                sum(c for lit, c in zip(*r[:2], strict=True) if value(lit, bits)) for r in rows
            ]
            expected = all(
                {">=": total >= row[3], "<=": total <= row[3], "=": total == row[3]}[row[2]]
                for total, row in zip(totals, rows, strict=True)
            )
            assert formula.holds(bits) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("min: +1 x1;\n+1 x1 >= 1;", "line 1 .*an objective is not supported"),
        ("+1 x1 >= 1;\n+1 x1 x2 >= 1;", "line 2 .*pairs of a coefficient and a literal"),
        ("+1 x1 x2 +1 >= 1;", "line 1 .*a number must be an integer .* got 'x2'"),
        ("+1 x1 >= 1\n", "line 1 .*must end in ;"),
        ("* c\n\n+1 x1\n>= ;", "line 3 .*integer of at most 18 digits, got ''"),
        ("+1 x1 > 1;", "one >=, <= or ="),
        ("+1 x1 >= 1 >= 1;", "one >=, <= or ="),
        ("+1 x1 => 1;", "one >=, <= or =|pairs|integer"),
        (";", "one >=, <= or ="),
        ("+1 y1 >= 1; x", "a literal must be x1, ~x1, x2, ..., got 'y1'"),
        ("+1 x1 " * 12_000_000 + ">= 1;", "line 1 .*more than 67108864 bytes"),
        ("+1 x0 >= 1;", "got 'x0'"),
        ("+1 x-1 >= 1;", "got 'x-1'"),
        ("+1 ~~x1 >= 1;", "got '~~x1'"),
        ("+1 x\u0663 >= 1;", "a literal must be"),
        ("+\u0663 x1 >= 1;", "a number must be an integer"),
        ("+1_0 x1 >= 1;", "a number must be an integer"),
        ("+1e3 x1 >= 1;", "a number must be an integer"),
        ("+1 x99999999999 >= 1;", "got 'x99999999999'"),
        ("+1 x9999999999 >= 1;", "got 'x9999999999'"),
        ("+1 x100000000 >= 1;", "too few for 100000000 variables"),
        (f"+{'9' * 400} x1 >= 1;", "at most 18 digits"),
        (f"+1 x1 >= {'9' * 400};", "at most 18 digits"),
        (f"+{2**31} x1 >= 1;", "add up to less than"),
        (f"+{2**30} x1 -{2**30} x1 >= 1;", "line 1 .*add up to less than"),
        ("* #variable= 1 #constraint= 1\n+1 x2 >= 1;", "line 2 .*x1 to x1 as the first line says"),
        ("* #variable= 1 #constraint= 2\n+1 x1 >= 1;", "announces 2 constraints and has 1"),
        ("* #variable= 999999999 #constraint= 0\n", "too few for 999999999 variables"),
    ],
)
def test_wrong_linear_constraints(text, says):
    with pytest.raises(ValueError, match=says):
        Formula.from_text(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("p cnf 3 1\nb 1 2 3\n", "line 2 .*a line b must be"),
        ("p cnf 3 1\nb 1 2 0\n", "a line b must be"),
        ("p cnf 3 1\nb 1 2 0 1 2 3 0\n", "a line b must be"),
        ("p cnf 3 1\nb 1 2 0 1 0 0\n", "a line b must be"),
        ("p cnf 3 1\nb 1 2 0 1 4 0\n", r"the output must be .*\[1, 3\], got 4"),
        ("p cnf 3 1\nb 1 4 0 1 2 0\n", r"line 2 .*a literal must be .*\[1, 3\], got 4"),
        ("p cnf 3 1\nb 1 x 0 1 2 0\n", "a literal must be .* got x"),
        ("p cnf 3 2\n1 2\nb 1 2 0 1 3 0\n", "line 2 .*a clause must end in 0"),
        ("b 1 2 0 1 3 0\np cnf 3 2\n", "line 1 .*must come before"),
        (f"p cnf 3 1\nb 1 2 0 {'9' * 30} 3 0\n", "a line b must be"),
        ("p cnf -3 1\n", "must come before"),
        (f"p cnf {'9' * 5000} 1\n", "must come before"),
        ("p cnf 999999999 1\n1 0\n", "line 1 .*too few for 999999999 variables"),
        ("p cnf 3 1\nx1 2 0\n", "a literal must be .* got x1"),
    ],
)
def test_wrong_lines_of_cryptominisat(text, says):
    with pytest.raises(ValueError, match=says):
        Formula.from_text(text)


@pytest.mark.parametrize("lines", [199_999, 200_000, 200_001])
def test_clauses_are_parsed_in_batches(lines):
    """A clause may go over the end of one, and errors give the line in any."""
    body = "1 2\n0\n" * (lines // 2) + "-1 0\n" * (lines % 2)
    formula = Formula.from_text(f"p cnf 2 0\n{body}")
    assert len(formula.clauses) == (lines + 1) // 2
    assert formula.clauses.lengths.tolist()[:2] == [2, 2]
    with pytest.raises(ValueError, match=f"line {lines + 2} .*got 3"):
        Formula.from_text(f"p cnf 2 0\n{body}3 0\n")


@pytest.mark.parametrize("space", [" ", "\t", "  \n"])
def test_a_line_is_parsed_in_pieces(monkeypatch, space):
    """Cut anywhere, between words of any length."""
    rng = np.random.default_rng(0)
    lits = rng.integers(1, 12_000, 50) * rng.choice([-1, 1], 50)
    words = space.join(map(str, lits))
    text = f"p cnf 12000 2\n{words} 0\n{' '.join(map(str, lits))} >= 3 # 1\n"
    for size in range(1, 40):
        monkeypatch.setattr("bnnkit.formula._dimacs._PIECE", size)
        formula = Formula.from_text(text)
        assert formula.clauses.lists() == [lits.tolist()]
        assert formula.sums.lits.tolist() == lits.tolist()


def test_a_sum_with_a_zero_is_refused():
    with pytest.raises(ValueError, match=r"line 3 .*a literal must be .* got 0"):
        Formula.from_text("p cnf 3 2\n1 >= 1 # 2\n1 0 2 >= 1 # 3\n")


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_in_several_pieces(compress, tmp_path):
    path = tmp_path / "formula"
    path.write_bytes(compress(b"p cnf 2 2\n1 0\n") + compress(b"-2 0\n"))
    assert Formula.load(path).clauses.lists() == [[1], [-2]]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_bombs(compress, tmp_path, monkeypatch):
    """The limit is lowered, so that the test does not need the memory that it is about."""
    monkeypatch.setattr("bnnkit.formula._files._LARGEST", 10_000_000)
    path = tmp_path / "bomb"
    path.write_bytes(compress(b"c" + b"\n" * 50_000_000))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"bomb .*more than (the )?10000000 bytes"):
        Formula.load(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 40_000_000


def test_plain_files_that_are_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr("bnnkit.formula._files._LARGEST", 1000)
    path = tmp_path / "large.cnf"
    path.write_bytes(b"c\n" * 501)
    with pytest.raises(ValueError, match=r"large\.cnf has more than the 1000 bytes"):
        Formula.load(path)


def test_an_xz_file_that_claims_a_huge_dictionary(tmp_path):
    path = tmp_path / "formula.xz"
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**29}]
    path.write_bytes(lzma.compress(b"p cnf 0 0\n", filters=filters))
    with pytest.raises(ValueError, match=r"damaged xz data .*[Mm]emory"):
        Formula.load(path)
