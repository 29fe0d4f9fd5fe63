"""The native solver on formulas with times of a reference solver, and Minicard as the bridge.

    python benchmarks/solver_level.py FOLDER [--limit 60] [--solvers native,minicard] [--csv FILE]

FOLDER holds ``*.cnf.gz`` in the reified-cardinality dialect, and ``reference.csv`` with the
answers and CPU seconds of MiniSatCS. Times are CPU seconds of the whole call, loading included;
a formula that is not decided counts with the limit, on both sides of the ratio. The reference
branches on the variables of the lines ``c vpref`` first; native gets them as priorities. Only
solvers that run in this process can be measured so.
"""

import argparse
import csv
import gzip
import threading
import time
from pathlib import Path

import numpy as np

from bnnkit import solvers
from bnnkit._table import table
from bnnkit.formula import Formula

REFERENCE = "minisatcs"
PREFERENCE = 1.3  # the priority of the variables that the reference prefers


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=float, default=60.0, help="CPU seconds for each formula")
    parser.add_argument("--solvers", default="native,minicard", help="separated by commas")
    parser.add_argument("--csv", type=Path, help="write the rows to this file")
    options = parser.parse_args()
    names = options.solvers.split(",")
    with open(options.folder / "reference.csv", newline="") as file:
        rows = [measure(options.folder, row, names, options.limit) for row in csv.DictReader(file)]
    print(summary(rows, names, options.limit))
    if options.csv:
        with open(options.csv, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


def measure(folder, reference, names, limit):
    """One formula through all solvers; a row of results."""
    path = folder / reference["file"]
    formula = Formula.load(path)
    options = {"native": {"priorities": priorities(path, formula.n_vars)}}
    known = reference[f"{REFERENCE}_status"].lower()
    row = {
        "file": reference["file"].removesuffix(".cnf.gz"),
        REFERENCE: known,
        f"{REFERENCE}_s": min(float(reference[f"{REFERENCE}_cpu_s"]), limit),
    }
    for name in names:
        with solvers.get(name, **options.get(name, {}))(formula) as solver:
            outcome, seconds = solve(solver, limit)
        if {known, outcome.status} == {"sat", "unsat"}:
            raise SystemExit(f"{row['file']}: {name} says {outcome.status}, not {known}")
        row[name] = outcome.status
        row[f"{name}_s"] = limit if outcome.status == "unknown" else round(seconds, 4)
    print(*row.values(), flush=True)
    return row


def solve(solver, limit):
    """An outcome and its CPU seconds, which unlike the timeout's are what is limited here."""
    started, ended = time.process_time(), threading.Event()

    def watch():
        while not ended.wait(0.05):
            if time.process_time() - started > limit:
                solver.interrupt()

    watcher = threading.Thread(target=watch)
    watcher.start()
    outcome = solver.solve()
    seconds = time.process_time() - started
    ended.set()
    watcher.join()
    return outcome, seconds


def priorities(path, n_vars):
    """The priorities that the hints in a file mean."""
    values = np.ones(n_vars)
    with gzip.open(path, "rt") as file:
        for line in file:
            if line.startswith("c vpref "):
                values[int(line.split()[2]) - 1] = PREFERENCE
    return values


def summary(rows, names, limit):
    """Solved counts, total times, and their ratios to the reference."""
    lines = []
    for name in (REFERENCE, *names):
        solved = sum(row[f"{name}_s"] < limit for row in rows)
        total = sum(row[f"{name}_s"] for row in rows)
        ratio = total / sum(row[f"{REFERENCE}_s"] for row in rows)
        lines.append([name, f"{solved} of {len(rows)}", f"{total:.1f}", f"{ratio:.2f}"])
    return table(["solver", "solved", f"seconds ({limit:g} each if not)", "ratio"], lines)


if __name__ == "__main__":
    main()
