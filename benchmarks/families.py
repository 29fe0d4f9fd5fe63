"""Classic families of formulas, the solvers one after another on each formula.

    python benchmarks/families.py [--solvers native,minisat22] [--limit 60] [--csv FILE]
    python benchmarks/families.py --folder DIR

prints how many seconds (wall, loading included) each solver takes for each family, after a check
that no answer is wrong where it is known, and none differs from another solver's. With --folder,
the formulas are the files ``*.cnf`` and ``*.cnf.gz`` of a folder, such as the original ones of the
second DIMACS challenge; the letters that a file's name begins with are its family.
"""

import argparse
import csv
import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from families_circuits import random_fault
from families_counting import pigeon_hole, pigeon_sums, random_sums
from families_parity import dubois, minimal_disagreement, parity_chain, pret
from families_planning import hanoi, inductive_inference
from families_random import aim, jnh, random_3sat

from bnnkit import solvers
from bnnkit._table import table
from bnnkit.formula import Formula


class Case(NamedTuple):
    """A formula to be built, and its answer if it is known: "sat", "unsat" or ""."""

    family: str
    name: str
    answer: str
    build: Callable[[], Formula]


GENERATED = [
    ("pigeon hole", "unsat", pigeon_hole, [(7,), (8,), (9,)]),
    ("pigeon sums", "unsat", pigeon_sums, [(7,), (8,)]),
    ("dubois", "unsat", dubois, [(20,), (50,), (100,)]),
    ("pret", "unsat", pret, [(40, 0), (40, 1), (60, 0)]),
    ("parity chains, odd", "unsat", parity_chain, [(12, 1), (16, 1)]),
    ("parity chains, even", "sat", parity_chain, [(40, 0), (60, 0)]),
    ("par8", "sat", minimal_disagreement, [(8, seed) for seed in range(5)]),
    ("par16", "sat", minimal_disagreement, [(16, seed) for seed in range(5)]),
    ("random 3-SAT, 150", "", random_3sat, [(150, seed) for seed in range(10)]),
    ("random 3-SAT, 200", "", random_3sat, [(200, seed) for seed in range(5)]),
    ("jnh", "", jnh, [(850, seed) for seed in range(10)]),
    ("aim, one model", "sat", aim, [(n, r, True, 0) for n in (50, 100, 200) for r in (1.6, 2, 6)]),
    ("aim, no model", "unsat", aim, [(n, r, False, 0) for n in (50, 100, 200) for r in (1.6, 2)]),
    ("hanoi, solvable", "sat", hanoi, [(4, 15), (5, 31), (6, 63)]),
    ("hanoi, a move short", "unsat", hanoi, [(4, 14), (5, 30), (6, 62)]),
    ("ii", "sat", inductive_inference, [(8, 4, 60, 0), (16, 6, 150, 0), (32, 6, 300, 0)]),
    ("ssa", "", random_fault, [("stuck-at", 500, seed) for seed in range(10)]),
    ("bf", "", random_fault, [("bridging", 500, seed) for seed in range(10)]),
    ("random sums", "sat", random_sums, [(30, 50, 12, seed) for seed in range(10)]),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--solvers", default="native,minisat22", help="separated by commas")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for each formula")
    parser.add_argument("--folder", type=Path, help="solve the files of this folder instead")
    parser.add_argument("--csv", type=Path, help="write a row for each formula to this file")
    options = parser.parse_args()
    names = options.solvers.split(",")
    cases = in_folder(options.folder) if options.folder else generated()
    rows = [measure(case, names, options.limit) for case in cases]
    print(summary(rows, names))
    if options.csv:
        with open(options.csv, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


def generated():
    """The cases that the generators make."""
    return [
        Case(family, " ".join(map(str, arguments)), answer, functools.partial(make, *arguments))
        for family, answer, make, several in GENERATED
        for arguments in several
    ]


def in_folder(folder):
    """The cases of the files in a folder."""
    cases = []
    for path in sorted([*folder.glob("*.cnf"), *folder.glob("*.cnf.gz")]):
        family = re.match("[A-Za-z]*", path.name)[0] or folder.name
        cases.append(Case(family, path.name, "", functools.partial(Formula.load, path)))
    if not cases:
        raise SystemExit(f"{folder} has no files *.cnf or *.cnf.gz")
    return cases


def measure(case, names, limit):
    """One formula through all solvers; a row of results."""
    formula = case.build()
    row = {
        "family": case.family,
        "formula": case.name,
        "variables": formula.n_vars,
        "clauses": len(formula.clauses),
        "sums": len(formula.sums),
    }
    answers = {case.answer} - {""}
    for name in names:
        with solvers.get(name)(formula) as solver:
            outcome = solver.solve(timeout=limit)
        row |= {name: outcome.status, f"{name}_s": round(outcome.seconds, 4)}
        answers |= {outcome.status} - {"unknown"}
    if len(answers) > 1:
        raise SystemExit(f"{case.family} {case.name}: a wrong answer, {row}")
    print(*row.values(), flush=True)
    return row


def summary(rows, names):
    """A line for each family: how many formulas, their answers, and the seconds of each solver."""
    lines = []
    for family in dict.fromkeys(row["family"] for row in rows):
        group = [row for row in rows if row["family"] == family]
        answers = [{row[name] for name in names} for row in group]
        counts = [sum(status in found for found in answers) for status in ("sat", "unsat")]
        lines.append([family, len(group), *counts, *(seconds(group, name) for name in names)])
    return table(["family", "formulas", "sat", "unsat", *(f"{name} s" for name in names)], lines)


def seconds(group, name):
    total = f"{sum(row[f'{name}_s'] for row in group):.2f}"
    undecided = sum(row[name] == "unknown" for row in group)
    return f"{total} ({undecided} undecided)" if undecided else total


if __name__ == "__main__":
    main()
