"""The checker's readers: the same rows as the package's own reader, and an error for the rest."""

import gzip
import tracemalloc

import numpy as np
import pytest
from solvers.formulas import random_formula

from bnnkit.checker import text
from bnnkit.checker.text import SUM, read_formula, read_proof
from bnnkit.formula import Formula

HEADER = "p bnnkit-proof 1 " + "0" * 64 + "\n"


@pytest.fixture
def read(tmp_path):
    """A function that reads a text as a formula."""

    def formula(text):
        (tmp_path / "f.cnf").write_bytes(text.encode())
        return read_formula(tmp_path / "f.cnf")

    return formula


def test_the_same_as_the_other_reader(read):
    rng = np.random.default_rng(0)
    for _ in range(300):
        text = random_formula(rng).to_text()
        n_vars, rows, _ = read(text)
        expected = Formula.from_text(text)
        assert n_vars == expected.n_vars
        is_sum = rows.kind == SUM
        bounds = np.clip(rows.bound[is_sum], -(2**31), 2**31)  # where no sum gets, as it has them
        np.testing.assert_array_equal(bounds, expected.sums.bounds)
        np.testing.assert_array_equal(rows.output[is_sum], expected.sums.outputs)
        lits = np.concatenate([expected.clauses.lits, expected.sums.lits])
        np.testing.assert_array_equal(rows.numbers, lits)
        lengths = np.concatenate([expected.clauses.lengths, expected.sums.lengths])
        np.testing.assert_array_equal(np.diff(rows.end, prepend=0), lengths)


@pytest.mark.parametrize(
    "text",
    [
        "c a comment\n\nc p cnf 9 9\np cnf 3 2\n1 2 0 -3 0\n",
        "p cnf 3 2\n1\n2 0 -3\nc between\n0",
        "p cnf 3 2\r\n1\t2 0\r\n-3 0\r\n",
        "p cnf 3 2\n1 2 0\n-3 0\n%\n0\n",
        "\ufeffp  cnf\t3 2 \n 1 2 0\n-3 0\n",
    ],
)
def test_layouts(text, read):
    n_vars, rows, _ = read(text)
    assert (n_vars, rows.numbers.tolist(), rows.end.tolist()) == (3, [1, 2, -3], [2, 3])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no line 'p cnf"),
        ("1 0\np cnf 1 1\n", "no line 'p cnf"),
        ("p cnf 99999999999 0\n", "more than"),
        ("p cnf 2 2\n1 2 0\n", "2 constraints announced, 1 found"),
        *(
            (f"p cnf 2 1\n{line}\n", "line 2")
            for line in (
                *(
                    "1 2",
                    "1 3 0",
                    "1 x 0",
                    "1- 0",
                    "- 0",
                    "1 --2 0",
                    "+1 0",
                    "1 9999999999999999999 0",
                ),
                *("1 >= 1", "1 >= # 2", "1 >=  # 2", "1 >= 1 # 0", "1 >= 1 # 3", "1 >= 1 # 2 2"),
                *(
                    "1 >= 1 2",
                    "1 > 1 # 2",
                    "1 >=1 # 2",
                    "1 >= 1 #2",
                    "1 >= 1\n# 2",
                    "1 0 c",
                    "d 1 0",
                ),
                *("1\x002 0", "1 >= 9999999999999999999 # 2", "claim 0", "p cnf 2 1", "= 1 # 2"),
            )
        ),
        ("p cnf 2 1\n1\n2 >= 1 # 2\n", "line 3"),
    ],
)
def test_no_formulas(text, said, read):
    with pytest.raises(ValueError, match=said):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "claim 0\n", HEADER[:-3] + "\nclaim 0\n", HEADER, HEADER + "1 0\n"),
        *(HEADER + "claim 0\n1 0\n", HEADER + "claim 0\nclaim 0\n", HEADER + "claim 0"[:-1]),
        *(HEADER + "d 1 0\n1 0\nclaim 0\n", HEADER + "1 0\nd -1 0\nclaim 0\n"),
        *(HEADER + "1 0\nd 1 2 0\nclaim 0\n", HEADER + "1 d 1 0\nclaim 0\n"),
        *(HEADER + "3 0\nclaim 0\n", HEADER + "1 >= 1 # 2\nclaim 0\n", HEADER + "claims 0\n"),
    ],
)
def test_no_proofs(text, tmp_path):
    (tmp_path / "proof").write_text(text)
    with pytest.raises(ValueError, match="proof"):
        read_proof(tmp_path / "proof", 2)


def test_damaged_gzip(tmp_path):
    data = gzip.compress(b"p cnf 1 1\n1 0\n" * 9)
    for part in (data[:-1], data[:20], data[:12] + b"\xff" * 9):
        (tmp_path / "f.cnf.gz").write_bytes(part)
        with pytest.raises(ValueError, match="damaged gzip"):
            read_formula(tmp_path / "f.cnf.gz")


@pytest.mark.parametrize(
    ("limit", "content"), [("MOST_WORDS", "1 0\n" * 50), ("MOST_BYTES", "\n" * 200)]
)
def test_files_beyond_the_limits_are_refused(limit, content, tmp_path, monkeypatch):
    path = tmp_path / "proof.gz"
    path.write_bytes(gzip.compress((HEADER + content + "claim 0\n").encode()))
    read_proof(path, 1)
    monkeypatch.setattr(text, limit, 99)
    with pytest.raises(ValueError, match=r"proof\.gz: .*more than 99"):
        read_proof(path, 1)


def test_blanks_take_no_memory_of_rows(tmp_path):
    path = tmp_path / "proof.gz"
    path.write_bytes(gzip.compress((HEADER + "\n" * 2**22 + "claim 0\n").encode()))
    tracemalloc.start()
    read_proof(path, 1)
    assert tracemalloc.get_traced_memory()[1] < 5 * 2**22
    tracemalloc.stop()
