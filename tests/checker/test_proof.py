"""The checker against a plain twin: proofs of the solver, damaged ones, and made-up ones."""

import contextlib
import gzip
import hashlib
import subprocess
import sys

import numpy as np
import pytest
from checker.plain import proved_formula, rows_of, verifies, write_proof
from solvers.formulas import models, random_formula, random_literals, satisfiable

from bnnkit.checker import check
from bnnkit.checker.rup import new_state
from bnnkit.formula import Formula
from bnnkit.solvers import get
from bnnkit.solvers.native import engine


def answer(folder, formula_text, rows):
    """Whether the checker accepts a proof."""
    (folder / "formula.cnf").write_text(formula_text)
    (folder / "proof").write_text(write_proof(rows, formula_text))
    return check(folder / "formula.cnf", folder / "proof").verified


@pytest.fixture
def eager(monkeypatch):
    """A solver that reduces and simplifies all the time, so that its proofs have deletions."""
    for name in ("REDUCE_FIRST", "REDUCE_STEP"):
        monkeypatch.setattr(engine, name, 2)
    monkeypatch.setattr(engine, "SIMPLIFY_STEP", 1)


def drop(rng, rows):
    rows.pop(rng.integers(len(rows) - 1))


def repeat(rng, rows):
    rows.insert(rng.integers(len(rows)), rows[rng.integers(len(rows) - 1)])


def swap(rng, rows):
    i, j = rng.integers(len(rows) - 1, size=2)
    rows[i], rows[j] = rows[j], rows[i]


def truncate(rng, rows):
    del rows[rng.integers(len(rows) - 1) : -1]


def delete(rng, rows):
    place = rng.integers(1, len(rows))
    rows.insert(place, ("d", rng.integers(1, place + 1, rng.integers(1, 4)).tolist()))


def flip(rng, rows):
    i = rng.integers(len(rows))
    kind, numbers = rows[i]
    rows[i] = kind, [-n if kind != "d" and rng.random() < 0.5 else n for n in numbers]


def shorten(rng, rows):
    i = rng.integers(len(rows))
    kind, numbers = rows[i]
    rows[i] = kind, numbers[: rng.integers(len(numbers) + 1)]


def lengthen(rng, rows):
    i = rng.integers(len(rows))
    kind, numbers = rows[i]
    if kind != "d":
        rows[i] = kind, [*numbers, *random_literals(rng, 7, 1).tolist()]


DAMAGES = drop, repeat, swap, truncate, delete, flip, shorten, lengthen


def has_sense(rows):
    """Whether deletions name earlier steps; other texts are no proofs at all."""
    steps = 0
    for kind, numbers in rows:
        if kind == "d" and any(number > steps for number in numbers):
            return False
        steps += kind == ""
    return True


@pytest.mark.parametrize(
    "batch", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 9))]
)
def test_damaged_proofs(batch, tmp_path, eager):
    """Accepted are exactly those that a plain twin accepts."""
    rng = np.random.default_rng(batch)
    accepted = rejected = deletions = 0
    for _ in range(6 if batch == 0 else 30):
        text, proof = proved_formula(rng)
        assert not models(Formula.from_text(text)).any()
        deletions += any(kind == "d" for kind, _ in proof)
        assert answer(tmp_path, text, proof)
        for _ in range(40):
            rows = list(proof)
            for _ in range(rng.integers(1, 4)):
                (rng.choice(DAMAGES) if len(rows) > 1 else lengthen)(rng, rows)
            if not has_sense(rows):
                with pytest.raises(ValueError, match="line"):
                    answer(tmp_path, text, rows)
                continue
            expected = verifies(text, rows)
            assert answer(tmp_path, text, rows) == expected, write_proof(rows, text)
            accepted, rejected = accepted + expected, rejected + (not expected)
            if expected and rows[-1][1]:  # without a claim it is what the solver has said
                claim = [-lit for lit in set(rows[-1][1])]
                assert not satisfiable(Formula.from_text(text), claim)
    assert min(accepted, rejected) > 40
    assert deletions > 1


@pytest.mark.parametrize("batch", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_changed_formulas(batch, tmp_path):
    """With other bounds or outputs, a proof holds only if each of its steps still follows."""
    rng = np.random.default_rng(10 + batch)
    accepted = rejected = 0
    for _ in range(8 if batch == 0 else 60):
        text, proof = proved_formula(rng)
        for _ in range(20):
            lines = text.splitlines()
            i = rng.choice([k for k, line in enumerate(lines) if "#" in line])
            *lits, relation, bound, mark, output = lines[i].split()
            bound, output = int(bound) + rng.integers(-1, 2), int(output) * rng.choice([-1, 1, 1])
            lines[i] = " ".join([*lits, relation, str(bound), mark, str(output)])
            other = "\n".join(lines) + "\n"
            expected = verifies(other, proof)
            assert answer(tmp_path, other, proof) == expected
            if expected and rng.random() < 0.2:
                assert not models(Formula.from_text(other)).any()
            accepted, rejected = accepted + expected, rejected + (not expected)
    assert min(accepted, rejected) > 20


def test_formulas_with_models_are_never_refuted(tmp_path):
    """Whatever the steps are."""
    rng = np.random.default_rng(20)
    tried = 0
    while tried < 1000:
        formula = random_formula(rng)
        if not models(formula).any():
            continue
        text, n_vars = formula.to_text(), formula.n_vars
        rows = [
            ("", random_literals(rng, n_vars, rng.integers(1, 4)).tolist())
            for _ in range(rng.integers(0, 6))
        ]
        assert not answer(tmp_path, text, [*rows, ("claim", [])])
        tried += 1


def test_any_kind_of_constraint(tmp_path):
    """Proofs under assumptions, too, of sums that repeat literals or count their own output."""
    rng = np.random.default_rng(21)
    proofs = 0
    for _ in range(400):
        formula = random_formula(rng)
        assumptions = random_literals(rng, formula.n_vars, 2).tolist()
        with get("native")(formula, log=True, seed=int(rng.integers(3))) as solver:
            outcome = solver.solve(assumptions)
            if outcome.status == "unsat":
                rows = rows_of(solver.proof(outcome))
                assert answer(tmp_path, formula.to_text(), rows)
                assert verifies(formula.to_text(), rows)
                proofs += 1
    assert proofs > 100


def test_damaged_bytes(tmp_path):
    """Never anything but an answer or a ValueError; accepted only what is true."""
    rng = np.random.default_rng(22)
    formula, proof = tmp_path / "formula.cnf.gz", tmp_path / "proof.gz"
    answers = 0
    for _ in range(15):
        text, rows = proved_formula(rng)
        for _ in range(80):
            parts = [text.encode(), write_proof(rows, text).encode()]
            victim = rng.integers(2)
            parts[victim] = damaged_bytes(rng, parts[victim])
            if victim == 0:
                parts[1] = write_proof(rows, "").encode()
                parts[1] = parts[1].replace(digest(b""), digest(parts[0]))
            parts = [gzip.compress(part) if rng.random() < 0.5 else part for part in parts]
            if rng.random() < 0.1:
                parts[victim] = damaged_bytes(rng, parts[victim])
            formula.write_bytes(parts[0])
            proof.write_bytes(parts[1])
            try:
                checked = check(formula, proof)
            except ValueError:
                continue
            answers += 1
            if checked.verified and "no solution" in checked.claim:
                content = parts[0]
                content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
                with contextlib.suppress(ValueError):  # the checker reads some more
                    assert not models(Formula.from_text(content.decode())).any()
    assert answers > 100


def damaged_bytes(rng, data):
    data, place = bytearray(data), rng.integers(len(data))
    kind = rng.integers(4)
    if kind == 0:
        data[place] = rng.choice(list(b"0123456789- \n#<>=dpc\x00\xff"))
    elif kind == 1:
        del data[place : place + rng.integers(1, 6)]
    elif kind == 2:
        del data[place:]
    else:
        data[place:place] = rng.choice(
            [b"-", b" 7 ", b" 0\n", b"99999999999999999999", b"\nd 1 0\n"]
        )
    return bytes(data)


def digest(data):
    return hashlib.sha256(data).hexdigest().encode()


@pytest.mark.parametrize(
    ("formula", "verified"),
    [
        ("p cnf 0 1\n0\n", True),  # an empty clause
        ("p cnf 0 0\n", False),
        ("p cnf 1 1\n>= 1 # 1\n", False),  # an empty sum: not 1
        ("p cnf 1 2\n>= 1 # 1\n1 0\n", True),
        ("p cnf 1 2\n>= 0 # -1\n1 0\n", True),
        ("p cnf 2 2\n1 -1 >= 1 # 2\n-2 0\n", True),  # opposite literals are always 1
        ("p cnf 2 3\n1 1 >= 2 # 2\n2 0\n-1 0\n", True),
        ("p cnf 1 2\n1 1 -1 >= 2 # 1\n1 0\n", False),
        ("p cnf 2 3\n1 1 0\n-1 2 2 0\n-2 -2 -1 0\n", True),  # literals that repeat
        ("p cnf 2 1\n1 -1 0\n", False),
        ("p cnf 1 2\n1 >= 999999999999999999 # 1\n1 0\n", True),
        ("p cnf 1 2\n1 >= -99999999999999999 # -1\n1 0\n", True),
    ],
)
def test_corners(formula, verified, tmp_path):
    assert answer(tmp_path, formula, [("claim", [])]) == verified
    assert verifies(formula, [("claim", [])]) == verified


def test_a_repeated_literal_is_watched_once(tmp_path):
    text = "p cnf 4 3\n1 2 3 1 0\n-1 4 0\n-1 -4 0\n"
    assert answer(tmp_path, text, [("claim", [2, 3])])


def test_clauses_that_repeat_literals(tmp_path):
    """In formulas and steps, true and false ones among them: as the twin says."""
    rng, found = np.random.default_rng(7), []
    for _ in range(300):
        clauses = [random_clause(rng) for _ in range(12)]
        text = "p cnf 4 12\n" + "".join(" ".join(map(str, [*c, 0])) + "\n" for c in clauses)
        rows = [("", random_clause(rng)) for _ in range(3)] + [("claim", random_clause(rng)[:2])]
        found.append(verifies(text, rows))
        assert answer(tmp_path, text, rows) == found[-1], (text, rows)
    assert 30 < sum(found) < 270


def random_clause(rng):
    """Three to five literals, of three of four variables, in any order."""
    lits = (rng.choice(4, 3, replace=False) + 1) * rng.choice([-1, 1], 3)
    return rng.choice(lits, rng.integers(3, 6)).tolist()


def test_what_is_said(tmp_path):
    formula, proof = tmp_path / "f.cnf", tmp_path / "f.proof"
    formula.write_text("p cnf 2 1\n1 2 0\n")
    proof.write_text(write_proof([("", [1, 2, -2]), ("", [1]), ("claim", [])], formula.read_text()))
    checked = check(formula, proof)
    assert checked.reason == "step 2, [1], does not follow by unit propagation"
    proof.write_text(write_proof([("claim", [2, 1])], formula.read_text()))
    assert check(formula, proof).claim == f"the clause [2, 1] follows: {formula}"
    formula.write_text("p cnf 2 1\n1 2  0\n")
    assert "another formula" in check(formula, proof).reason


def test_it_shares_no_code_with_what_it_checks():
    rooms = "solvers", "formula", "verification", "network", "quantiser", "kernels"
    script = "import sys, bnnkit.checker; print(*(m for m in sys.modules if 'bnnkit' in m))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert not [
        name for name in loaded.stdout.decode().split() if f"{name}.".split(".")[1] in rooms
    ]
    assert b"bnnkit.checker.rup" in loaded.stdout


def test_deleted_clauses_are_gone(tmp_path):
    text = "p cnf 3 4\n1 2 3 0\n1 2 -3 0\n1 -2 3 0\n1 -2 -3 0\n"
    steps = [("", [1, 2]), ("", [1, -2])]
    assert answer(tmp_path, text, [*steps, ("claim", [1])])
    assert not answer(tmp_path, text, [*steps, ("d", [1, 2]), ("claim", [1])])
    # but not what has followed from them for ever
    assert answer(tmp_path, text, [*steps, ("", [1]), ("d", [1, 2, 3]), ("claim", [1])])


def test_settled_sums_are_dropped():
    """The formulas of certificates have thousands of constant neurons."""
    from bnnkit.checker.text import parse

    text = b"1 2 >= 1 # 3\n1 2 4 >= 2 # 5\n1 0\n"
    rows = rows_from(parse, text, n_vars=5, proof=False)
    claim = rows_from(parse, b"claim 0\n", n_vars=5, proof=True)
    state = new_state(rows, claim)
    assert state.term_end.tolist() == [0, 2]
    assert state.terms[:2].tolist() == [4, 8]


def rows_from(parse, text, n_vars, proof):
    from bnnkit.checker.text import Rows

    room = len(text)
    types = np.uint8, np.int64, np.int32, np.int64, np.int32
    kind, end, numbers, bound, output = rows = Rows(*(np.zeros(room, t) for t in types))
    n, used, stop = parse(np.frombuffer(text, np.uint8), 0, n_vars, proof, rows)
    assert stop == len(text)
    return Rows(kind[:n], end[:n], numbers[:used], bound[:n], output[:n])
