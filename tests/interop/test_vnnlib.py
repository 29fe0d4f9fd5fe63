import gzip
import itertools
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from interop.mutations import check_reader

from bnnkit.interop import _sexpr, vnnlib
from bnnkit.interop._sexpr import expressions

TEXT = """\
; a comment with (brackets
(declare-const X_0 Real) (declare-const X_1 Real)
(declare-const Y_0 Real)
(declare-fun Y_1 () Real)
(assert (>= X_0 0.1))(assert (<= X_0 2e-1))
(assert (and (<= X_1 3) (>= X_1 -.5)))
(assert (or
   (and (>= Y_0 Y_1))
   (and (< (+ Y_0 (* 2 Y_1)) 0.5) (<= (- Y_0) (- 1 3 Y_1))) ))
"""


def loaded(tmp_path, text, name="spec.vnnlib"):
    path = tmp_path / name
    path.write_text(text)
    return vnnlib.load(path)


def test_boxes_and_conditions_are_exact(tmp_path):
    specification = loaded(tmp_path, TEXT)
    assert specification.n_inputs == 2
    assert specification.n_outputs == 2
    (case,) = specification.cases
    assert case.low.tolist() == [Fraction(1, 10), Fraction(-1, 2)]
    assert case.high.tolist() == [Fraction(1, 5), Fraction(3)]
    assert case.condition == (
        (vnnlib.Comparison({0: 1, 1: -1}, 0, False),),
        (
            vnnlib.Comparison({0: -1, 1: -2}, Fraction(-1, 2), True),
            vnnlib.Comparison({0: 1, 1: -1}, 2, False),
        ),
    )


def test_the_condition_decides_ties_as_it_is_written(tmp_path):
    (case,) = loaded(tmp_path, TEXT).cases
    x = [Fraction(1, 10), 0]
    assert case.holds(x, [1, 1])
    assert not case.holds([0.1000000001, 4], [1, 1])
    assert not case.holds([np.nextafter(0.1, 0), 0], [1, 1])
    assert not case.holds(x, [-1, 0])
    assert case.holds(x, [Fraction(-3, 2), Fraction(-7, 2)])
    assert not case.holds(x, np.array([0.4, 0.45], np.float32))


def plain_meaning(tree, x, y):
    """Whether a nested tuple of a formula holds, by definition."""
    operator, *parts = tree
    if operator in ("and", "or"):
        return (all if operator == "and" else any)(plain_meaning(part, x, y) for part in parts)
    left, right = (plain_value(part, x, y) for part in parts)
    return {"<=": left <= right, ">=": left >= right, "<": left < right, ">": left > right}[
        operator
    ]


def plain_value(term, x, y):
    if isinstance(term, tuple):
        values = [plain_value(part, x, y) for part in term[1:]]
        if term[0] == "+":
            return sum(values)
        if term[0] == "*":
            return values[0] * values[1]
        return -values[0] if len(values) == 1 else values[0] - sum(values[1:])
    return {"X": x, "Y": y}[term[0]][int(term[2:])] if isinstance(term, str) else Fraction(term)


def written(tree):
    if isinstance(tree, tuple):
        return "(" + " ".join(map(written, tree)) + ")"
    return str(tree)


def random_term(rng, depth):
    kind = rng.choice(["number", "output", "+", "*", "-"]) if depth else "output"
    if kind == "number":
        return float(rng.choice([-1, 0, 0.5, 2]))
    if kind == "output":
        return f"Y_{rng.integers(2)}"
    if kind == "*":
        factors = [float(rng.choice([-1, 0, 0.5, 2])), random_term(rng, depth - 1)]
        return ("*", *(factors if rng.random() < 0.5 else factors[::-1]))
    return (str(kind), *(random_term(rng, depth - 1) for _ in range(rng.integers(1, 4))))


def random_formula(rng, depth):
    kind = rng.choice(["and", "or", "atom", "box"]) if depth else "atom"
    if kind == "box":
        bound = float(rng.integers(-1, 2)), f"X_{rng.integers(2)}"
        return (str(rng.choice(["<=", ">="])), *(bound if rng.random() < 0.5 else bound[::-1]))
    if kind == "atom":
        return (str(rng.choice(["<=", ">=", "<", ">"])), random_term(rng, 2), random_term(rng, 2))
    return (str(kind), *(random_formula(rng, depth - 1) for _ in range(rng.integers(1, 4))))


@pytest.mark.parametrize("seed", range(60))
def test_random_formulas_mean_what_they_say(tmp_path, seed):
    rng = np.random.default_rng(seed)
    trees = [random_formula(rng, 3) for _ in range(2)]
    text = "".join(f"(declare-const {k}_{i} Real)\n" for k in "XY" for i in range(2))
    text += "".join(f"(assert (>= X_{i} -2)) (assert (<= X_{i} 2))" for i in range(2))
    text += "(assert (>= Y_0 Y_0))"
    specification = loaded(tmp_path, text + "".join(f"(assert {written(t)})" for t in trees))
    for values in itertools.product([-1, 0, Fraction(1, 2), 1], repeat=4):
        x, y = values[:2], values[2:]
        expected = all(plain_meaning(tree, x, y) for tree in trees)
        assert any(case.holds(x, y) for case in specification.cases) == expected


def test_several_boxes_are_several_cases(tmp_path):
    text = "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (or "
    text += "(and (>= X_0 0)(<= X_0 1)(>= Y_0 1))(and (>= X_0 2)(<= X_0 1)(>= Y_0 1))"
    text += "(and (>= X_0 0)(<= X_0 1)(<= Y_0 -1)) (and (>= X_0 5)(<= X_0 6))))(assert (>= Y_0 -9))"
    first, second = loaded(tmp_path, text).cases
    assert (first.low[0], first.high[0], second.low[0], second.high[0]) == (0, 1, 5, 6)
    assert [len(part) for part in first.condition] == [2, 2]
    assert second.holds([5.5], [-9])
    assert not second.holds([5.5], [-10])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("(assert (>= X_0 Y_0))", "an input may only be bounded by numbers"),
        ("(assert (>= (+ X_0 X_1) 0))", "an input may only be bounded by numbers"),
        ("(assert (> X_0 0))", "with <= or >="),
        ("(assert (>= X_2 0))", "X_2 is not declared"),
        ("(assert (>= Y_0 1e9999))", "'1e9999' is no number"),
        ("(assert (>= Y_0 nan))", "'nan' is no number"),
        ("(assert (>= Y_0 0x10))", "'0x10' is no number"),
        ("(assert (>= (* Y_0 Y_1) 0))", "linear"),
        ("(assert (>= (/ Y_0 2) 0))", "linear"),
        ("(assert (>= () 0))", "expected a number"),
        ("(assert (>= Y_0 0 0))", "expected (and"),
        ("(assert (or))", "a condition of 0 cases"),
        ("(assert (and))", None),
        ("(assert)", "expected (declare-const"),
        ("(assert Y_0)", "expected (and"),
        ("assert", "expected (declare-const"),
        ("(check-sat)", "expected (declare-const"),
        ("(declare-const X_0 Real)", "declared twice"),
        ("(declare-const X_99999999 Real)", "beyond the limit"),
        ("(declare-const Z_0 Real)", "expected (declare-const X_0 Real)"),
        ("(declare-const X_9 Int)", "expected (declare-const X_0 Real)"),
        ("(declare-const)", "expected (declare-const X_0 Real)"),
        ("(declare-fun X_9 Real)", "expected (declare-const X_0 Real)"),
        ("(declare-fun X_9 (Real) Real)", "expected (declare-const X_0 Real)"),
        ("(vnnlib-version <2.0>)", "VNN-LIB 2"),
        ("(assert (>= Y_0 1)", "never closed"),
        ("(assert (>= Y_0 1)))", "without an opening one"),
        ("(" * 200, "more than 100 open brackets"),
        ("(assert (>= Y_0 " + "9" * 2000 + "))", "a word of 2000 characters"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path, line, says):
    lines = TEXT.count("\n") + 1
    if says is None:
        loaded(tmp_path, TEXT + line)
        return
    with pytest.raises(ValueError) as caught:
        loaded(tmp_path, TEXT + line)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'spec.vnnlib'}, line {lines}: ")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("(assert (<= X_0 2e-1))", "", "X_0 has no upper bound"),
        ("(declare-const X_1 Real)", "(declare-const X_2 Real)", "X_1 is not declared"),
        ("(declare-const Y_0 Real)", "", "Y_0 is not declared"),
        ("a comment", "é", "no ASCII"),
    ],
)
def test_a_box_that_is_not_whole(tmp_path, old, new, says):
    with pytest.raises(ValueError, match=says):
        loaded(tmp_path, TEXT.replace(old, new))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_end_of_a_line_ends_a_comment(tmp_path, end):
    commented = TEXT.replace("(assert (or", "; outputs\n(assert (or")
    path = tmp_path / "spec.vnnlib"
    path.write_bytes(commented.replace("\n", end).encode())
    assert vnnlib.load(path).cases[0].condition == loaded(tmp_path, TEXT).cases[0].condition
    path.write_bytes((commented + "(oops)").replace("\n", end).encode())
    with pytest.raises(ValueError, match=f"line {commented.count(chr(10)) + 1}: "):
        vnnlib.load(path)


def test_a_file_of_too_many_words(tmp_path, monkeypatch):
    monkeypatch.setattr(_sexpr, "_MOST", 100)
    with pytest.raises(ValueError, match="line 2: more than 100 brackets and words"):
        loaded(tmp_path, "(\n" + "a " * 100 + ")")


@pytest.mark.parametrize("assertion", ["", "(assert (or (>= X_0 0.1) (<= X_1 2)))"])
def test_a_file_that_is_cut_before_its_condition(tmp_path, assertion):
    with pytest.raises(ValueError, match="no assertion is about the outputs"):
        loaded(tmp_path, TEXT[: TEXT.index("(assert (or")] + assertion)


def test_variables_with_a_gap(tmp_path):
    with pytest.raises(ValueError, match="without a gap"):
        loaded(tmp_path, TEXT + "(declare-const X_3 Real)")


def test_conditions_that_multiply_beyond_all_measure(tmp_path):
    either = "(assert (or (>= Y_0 0) (>= Y_1 0)))\n" * 40
    with pytest.raises(ValueError, match=r"a condition of \d{6} cases or more"):
        loaded(tmp_path, TEXT + either)


def test_reading_ends_at_the_deadline(tmp_path):
    (tmp_path / "q.vnnlib").write_text(TEXT)
    with pytest.raises(TimeoutError):
        vnnlib.load(tmp_path / "q.vnnlib", time.perf_counter())
    vnnlib.load(tmp_path / "q.vnnlib", time.perf_counter() + 1000)


def test_cases_of_too_many_comparisons_or_ends(tmp_path, monkeypatch):
    either = "(assert (or (>= Y_0 0) (>= Y_1 0)))\n" * 4
    with monkeypatch.context() as patch:
        patch.setattr(vnnlib, "_MOST_ATOMS", 2**5 * 5)  # one case of the text has two
        with pytest.raises(ValueError, match="cases of 176 comparisons in all; 160"):
            loaded(tmp_path, TEXT + either)
        patch.setattr(vnnlib, "_MOST_ATOMS", 176)
        loaded(tmp_path, TEXT + either)
    boxes = "(assert (or (>= X_0 0.1) (>= X_0 0.2) (<= X_1 2)))"
    monkeypatch.setattr(vnnlib, "_MOST_ENDS", 6)
    assert len(loaded(tmp_path, TEXT + boxes).cases) == 3
    monkeypatch.setattr(vnnlib, "_MOST_ENDS", 5)
    with pytest.raises(ValueError, match="3 boxes of 2 inputs; 5 ends"):
        loaded(tmp_path, TEXT + boxes)


def test_the_product_of_assertions_has_a_line(tmp_path):
    either = "(assert (or (>= Y_0 0) (>= Y_1 0)))\n" * 40
    with pytest.raises(ValueError, match=f"line {TEXT.count(chr(10)) + 40}: a condition of"):
        loaded(tmp_path, TEXT + either)


def test_damaged_files_are_refused_or_read(tmp_path):
    check_reader(vnnlib.load, tmp_path / "damaged.vnnlib", TEXT.encode(), count=400)
    path = tmp_path / "damaged.vnnlib.gz"
    check_reader(vnnlib.load, path, TEXT.encode(), count=50, pack=gzip.compress)
    check_reader(vnnlib.load, path, gzip.compress(TEXT.encode() * 1), count=100)


def test_a_gzip_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(vnnlib, "_LARGEST_FILE", 1000)
    (tmp_path / "bomb.vnnlib.gz").write_bytes(gzip.compress(b" " * 10**7))
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        vnnlib.load(tmp_path / "bomb.vnnlib.gz")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_witness_is_read_back_as_it_was(dtype):
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [rng.integers(0, 256, 50) + rng.integers(0, 256, 50) / 256, [0, 1e-30, 1 / 3]]
    )
    x, y = x.astype(dtype), rng.normal(size=5).astype(dtype)
    (answer,) = expressions(vnnlib.witness(x, y))
    names = [pair.items[0].word for pair in answer.items]
    assert names == [f"X_{i}" for i in range(len(x))] + [f"Y_{i}" for i in range(5)]
    values = [pair.items[1].word for pair in answer.items]
    assert (np.array([float(v) for v in values]).astype(dtype) == np.concatenate([x, y])).all()
    few = [Fraction(v) for v in values[:51]]
    assert few == [Fraction(float(v)) for v in x[:51]]


def test_a_witness_that_has_no_decimals():
    assert vnnlib.witness([Fraction(1, 8)], [7]) == "((X_0 0.125)\n (Y_0 7))"
    (answer,) = expressions(vnnlib.witness([Fraction(1, 3), Fraction(10**400, 3)], [1]))
    third, huge, _ = (Fraction(pair.items[1].word) for pair in answer.items)
    assert 0 < Fraction(1, 3) - third < Fraction(1, 10**35)
    assert 0 < Fraction(10**400, 3) - huge < 10**365


@pytest.mark.parametrize(
    "value",
    [
        Fraction("0." + "1234567890" * 6),
        Fraction("-10." + "1234567890" * 6),
        Fraction(10) ** 400,
        Fraction("1.7e-500"),
        Fraction(7, 5**40 * 2**90),
        Fraction(10**50 + 1, 2),
    ],
)
def test_a_witness_has_all_decimals_where_they_end(value):
    (answer,) = expressions(vnnlib.witness([value], [1]))
    assert Fraction(answer.items[0].items[1].word) == value


def test_decimals_that_end():
    rng = np.random.default_rng(0)
    for a, b, rest in rng.integers(0, 60, (200, 3)).tolist():
        number = Fraction(1, 2**a * 5**b * (rest + 1))
        assert vnnlib.has_decimal(number) == (
            rest + 1 in (1, 2, 4, 5, 8, 10, 16, 20, 25, 32, 40, 50)
        )


def test_files_of_the_competition():
    folder = Path(__file__).parents[3] / "shared" / "vnncomp" / "vnnlib"
    if not folder.is_dir():
        pytest.skip(f"no benchmark files in {folder}")
    specification = vnnlib.load(folder / "model_30_idx_8258_eps_1.00000.vnnlib.gz")
    (case,) = specification.cases
    assert (specification.n_inputs, specification.n_outputs) == (2700, 43)
    assert set((case.high - case.low).tolist()) <= {1, 2}
    rivals = [comparison.coefficients for (comparison,) in case.condition]
    assert rivals == [{j: 1, 33: -1} for j in range(43) if j != 33]
