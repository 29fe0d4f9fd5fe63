"""The questions of the reference sets through the whole pipeline, beside the published system.

    python benchmarks/reference_sets.py FOLDER [--sets NAME ...] [--timeout 60] [--solver native]
                                        [--every 1] [--fallback NAME] [--csv FILE]

FOLDER holds one folder for each set (see `reference.load_set`). For each set and eps it prints
the answers, the mean and median seconds of a question (wall, one core), and PAR-2: the mean with
an undecided question at twice the limit. The reference's columns are its CPU seconds (building
the formula and solving it) and its wall seconds. An answer that differs from it ends the run.
"""

import argparse
import csv
import os
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from reference import load_set

from bnnkit import verify
from bnnkit._table import table

ANSWERS = {"SAT": "falsified", "UNSAT": "robust", "TLE": "unknown"}
COLUMNS = ["set", "eps", "index", "reference", "status", "stage"]
COLUMNS += ["seconds", "reference_s", "wall_s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="*", help="names of sets (default: all)")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for each question")
    parser.add_argument("--solver", default="native")
    parser.add_argument("--fallback", help="a second solver for what is open after 15 s")
    parser.add_argument("--every", type=int, default=1, help="only each n-th question")
    parser.add_argument("--csv", type=Path, help="write a row for each question, as they come")
    options = parser.parse_args()
    names = options.sets or sorted(path.parent.name for path in options.folder.glob("*/net.npz"))
    with open(options.csv or os.devnull, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for name in names:
            rows = []
            for row in questions(options, name):
                rows.append(row)
                writer.writerow(row)
                file.flush()
            print(summary(rows, options.timeout), flush=True)


def questions(options, name):
    """Ask the questions of one set; yields rows."""
    network, images, labels, asked = load_set(options.folder / name)
    for question in asked[:: options.every]:
        i, eps = question["index"], question["eps"]
        verdict = verify(
            network,
            images[i],
            labels[i],
            eps,
            options.solver,
            options.timeout,
            fallback=options.fallback,
        )
        known = ANSWERS[question["status_exact"] or question["status"]]
        if {known, verdict.status} == {"robust", "falsified"}:
            raise SystemExit(f"{name}, image {i}, eps {eps}: {verdict.status}, not {known}")
        yield {
            "set": name,
            "eps": round(eps, 4),
            "index": i,
            "reference": known,
            "status": verdict.status,
            "stage": verdict.stage,
            "seconds": round(verdict.seconds, 6),
            "reference_s": question["solve_s"] + question["build_s"],
            "wall_s": question["wall_s"],
        }


def summary(rows, timeout):
    """One line for each eps of a set."""
    groups, lines = defaultdict(list), []
    for row in rows:
        groups[row["eps"]].append(row)
    for eps, group in groups.items():
        counts = Counter(row["status"] for row in group)
        times = np.array([row["seconds"] for row in group])
        ours = par2(times, [row["status"] for row in group], timeout)
        reference = np.array([row["reference_s"] for row in group])
        theirs = par2(reference, [row["reference"] for row in group], timeout)
        walls = np.mean([row["wall_s"] for row in group])
        lines.append([
            *(group[0]["set"], eps, len(group)),
            *(counts[status] for status in ("robust", "falsified", "unknown")),
            sum(row["reference"] == "unknown" for row in group),
            *(f"{x * 1e3:.2f}" for x in (times.mean(), np.median(times))),
            *(f"{x:.4g}" for x in (ours, theirs, ours / theirs, times.mean() / walls)),
        ])  # fmt: skip
    header = "set,eps,n,robust,falsified,unknown,of ref.,mean ms,median ms,PAR-2 s,of ref. s"
    return table([*header.split(","), "ratio", "mean / ref. wall"], lines)


def par2(seconds, statuses, timeout):
    unknown = np.array(statuses) == "unknown"
    return float(np.where(unknown, 2 * timeout, seconds).mean())


if __name__ == "__main__":
    main()
