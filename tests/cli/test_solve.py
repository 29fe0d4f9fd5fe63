"""bnnkit solve: what a SAT competition expects of a solver."""

import gzip
import os
import signal
import subprocess
import sys
import time

import pytest
from families_counting import pigeon_hole

from bnnkit.cli import main
from bnnkit.formula import Formula

SATISFIABLE = "c a comment\np cnf 4 4\n1 -2 0 2 3\n0\n-1 4 0\n1 2 3 >= 2 # -4\n"
UNSATISFIABLE = "p cnf 2 4\n1 2 0\n-1 2 0\n1 -2 0\n-1 -2 0\n"


HARD = pigeon_hole(11)  # no solver decides it within the time that these tests give it


@pytest.fixture
def solve(tmp_path, capsys):
    """A function that solves a text; gives the exit code, and the printed lines by their letter."""

    def run(text, *options, name="formula.cnf"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        code = main(["solve", str(path), *options])
        return code, by_letter(capsys.readouterr().out)

    return run


def by_letter(output):
    lines = {"c": [], "s": [], "v": []}
    for line in output.splitlines():
        lines[line.split()[0]].append(line)
    return lines


def literals(lines):
    return [int(word) for line in lines["v"] for word in line.split()[1:]]


@pytest.mark.parametrize("name", ["formula.cnf", "formula.cnf.gz"])
@pytest.mark.parametrize("solver", ["native", "minicard", "minisat22", "cp-sat"])
def test_satisfiable(solver, name, solve):
    code, lines = solve(SATISFIABLE, "--solver", solver, name=name)
    *values, end = literals(lines)
    assert (code, lines["s"], end) == (10, ["s SATISFIABLE"], 0)
    assert [abs(value) for value in values] == [1, 2, 3, 4]
    assert Formula.from_text(SATISFIABLE).holds([value > 0 for value in values])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* #variable= 3 #constraint= 2\n+2 x1 -1 ~x2 >= 1 ;\n+1 x1 +1 x3 = 1 ;\n", 10),
        ("+1 x1 +1 x2 >= 2;\n+1 x1 +1 x2 <= 1;\n", 20),
        ("p cnf 3 2\nb 1 2 3 0 2 0\nb 1 -2 0 1 -3 0\n", 10),
        ("p cnf 2 2\nb 1 2 0 2 0\n-1 0\n", 20),
    ],
)
@pytest.mark.parametrize("solver", ["native", "minicard", "minisat22", "cp-sat"])
def test_other_formats(solver, text, expected, solve):
    code, lines = solve(text, "--solver", solver, name="formula")
    assert code == expected
    if code == 10:
        *values, _ = literals(lines)
        assert Formula.from_text(text).holds([value > 0 for value in values])


@pytest.mark.parametrize("solver", ["native", "minicard", "minisat22", "cp-sat"])
def test_unsatisfiable(solver, solve):
    code, lines = solve(UNSATISFIABLE, "--solver", solver)
    assert (code, lines["s"], lines["v"]) == (20, ["s UNSATISFIABLE"], [])


@pytest.mark.parametrize("solver", ["native", "minisat22"])
def test_out_of_time(solver, solve):
    code, lines = solve(HARD.to_text(), "--solver", solver, "--timeout", "0.2")
    assert (code, lines["s"], lines["v"]) == (0, ["s UNKNOWN"], [])
    assert "c unknown: timeout" in lines["c"]


def test_comments_tell_sizes_and_statistics(solve):
    _, lines = solve(UNSATISFIABLE)
    said = "\n".join(lines["c"])
    assert "2 variables, 4 clauses, 0 sums" in said
    assert "c conflicts " in said


@pytest.mark.parametrize("n_vars", [1, 38, 1000])
def test_values_are_wrapped(n_vars, solve):
    code, lines = solve(f"p cnf {n_vars} 1\n1 0\n")
    values = literals(lines)
    assert code == 10
    assert list(map(abs, values)) == [*range(1, n_vars + 1), 0]
    assert max(map(len, lines["v"])) <= 78
    assert all(len(line) > 65 for line in lines["v"][:-1]), "lines should be full"


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input(packed):
    content = UNSATISFIABLE.encode()
    command = [sys.executable, "-m", "bnnkit", "solve", "-"]
    done = subprocess.run(
        command, input=gzip.compress(content) if packed else content, capture_output=True
    )
    assert done.returncode == 20
    assert b"s UNSATISFIABLE" in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("p cnf 2 2\n1 0\n1 x 0\n", (), "formula.cnf: line 3 ('1 x 0'): a literal must be"),
        ("p cnf 2 2\n1 0\n", (), "formula.cnf: the text announces 2 constraints and has 1"),
        (UNSATISFIABLE, ("--solver", "minisat2"), "did you mean 'minisat"),
    ],
)
def test_mistakes_are_one_sentence(text, options, says, tmp_path, capsys):
    path = tmp_path / "formula.cnf"
    path.write_text(text)
    assert main(["solve", str(path), *options]) == 2
    output = capsys.readouterr()
    assert output.err.startswith("bnnkit solve: error: ")
    assert says in output.err
    assert output.err.count("\n") == 1
    assert by_letter(output.out)["s"] == []


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT to send")
@pytest.mark.parametrize("solver", ["native", "minisat22"])
def test_ctrl_c(solver, tmp_path):
    path = tmp_path / "hard.cnf"
    HARD.save(path)
    command = [sys.executable, "-m", "bnnkit", "solve", str(path), "--solver", solver]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        for line in process.stdout:
            if line.startswith("c solver"):
                break
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert output.splitlines()[-1] == "s UNKNOWN"
    assert error == "bnnkit: interrupted\n"
