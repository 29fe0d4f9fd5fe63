"""Certificates of the robust verdicts of the reference sets: how many check, and what they cost.

    python benchmarks/certificates.py FOLDER [--sets NAME ...] [--timeout 60] [--every 1]
                                      [--csv FILE]

FOLDER holds one folder for each set (see `reference.load_set`). Each question is asked with a
certificate, and each certificate that comes of it is checked. For questions that bounds left open,
the solver is run once more on their formula without and with a log, so that the cost of the log is
not mixed up with turns that other stages take. Times are CPU seconds, but for "write":

    solve    the solver without a log
    log      the solver with one, and writing the proof, gzipped; of solve
    write    the whole certificate, wall: the formula by definition, its text, the proof, gzip
    check    the checker on formula and proof: reading them, and each step; of solve, and medians
    encode   making the formula anew from network and image, and comparing it
"""

import argparse
import csv
import tempfile
import time
from pathlib import Path

from reference import load_set

from bnnkit import verify
from bnnkit._table import table
from bnnkit.checker import check, check_certificate
from bnnkit.checker.certificate import FORMULA, PROOF
from bnnkit.solvers import get
from bnnkit.verification.pipeline import priorities
from bnnkit.verification.questions import encode_question

COLUMNS = ["set", "eps", "index", "stage", "verified", "solve_s", "log_s", "conflicts"]
COLUMNS += ["write_s", "check_s", "encode_s", "formula_bytes", "proof_bytes"]
TIMES = "solve_s", "log_s", "check_s"
HEADER = "set,robust,verified,by solver,solve s,log,check,write ms,check ms,encode ms,formula kB"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="*", help="names of sets (default: all)")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for each question")
    parser.add_argument("--every", type=int, default=1, help="only each n-th question")
    parser.add_argument("--csv", type=Path, help="write a row for each robust verdict")
    options = parser.parse_args()
    names = options.sets or sorted(path.parent.name for path in options.folder.glob("*/net.npz"))
    rows = []
    for name in names:
        rows += certificates(options, name)
        print(name, len(rows), "robust so far", flush=True)
        if options.csv:
            with open(options.csv, "w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS)
                writer.writeheader()
                writer.writerows(rows)
    print(table([*HEADER.split(","), "proof kB"], list(summaries(rows))))


def certificates(options, name):
    """Ask the questions of one set; a row for each robust verdict."""
    network, images, labels, asked = load_set(options.folder / name)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for question in asked[:: options.every]:
            i, eps = question["index"], question["eps"]
            asking = network, images[i], labels[i], eps
            verdict = verify(*asking, timeout=options.timeout, certificate=folder)
            if verdict.status == "robust":
                row = {"set": name, "eps": round(eps, 4), "index": i, "stage": verdict.stage}
                row["write_s"] = verdict.timings["certificate"]
                row |= checking(Path(folder))
                if verdict.stage == "solver":
                    row |= solving(*asking, options.timeout, Path(folder))
                rows.append(row)
    return rows


def checking(folder):
    """Check a certificate, and then its formula and proof alone."""
    whole_s, checked = timed(check_certificate, folder)
    check_s, _ = timed(check, folder / FORMULA, folder / PROOF)
    return {
        "verified": checked.verified,
        "check_s": check_s,
        "encode_s": whole_s - check_s,
        "formula_bytes": (folder / FORMULA).stat().st_size,
        "proof_bytes": (folder / PROOF).stat().st_size,
    }


def solving(network, image, label, eps, timeout, folder):
    """The solver on the formula that the bounds leave, without a log and with one."""
    question = encode_question(network, image, label, eps)
    row = {}
    for name, log in (("solve_s", False), ("log_s", True)):
        with get("native")(question.formula, priorities=priorities(question), log=log) as solver:
            row[name], outcome = timed(solver.solve, timeout=timeout)
            row["conflicts"] = solver.statistics["conflicts"]
            if outcome.status != "unsat":  # in the pipeline, another run was faster
                return {}
            if log:
                save = solver.proof(outcome).save
                row[name] += timed(save, folder / "again.gz", folder / FORMULA)[0]
    return row


def timed(function, *arguments, **options):
    start = time.process_time()
    result = function(*arguments, **options)
    return round(time.process_time() - start, 6), result


def summaries(rows):
    """A line for each set, and one for all: of the solver totals and ratios, then medians."""
    sets = {row["set"]: [] for row in rows} | {"all": rows}
    for row in rows:
        sets[row["set"]].append(row)
    for name, group in sets.items():
        solved = [row for row in group if row.get("solve_s")]
        solve, log, check_s = (sum(row[key] for row in solved) for key in TIMES)
        ratios = (f"{part / solve:.2f}" if solve else "" for part in (log, check_s))
        yield [
            *(name, len(group), sum(row["verified"] for row in group), len(solved)),
            *(f"{solve:.3f}", *ratios),
            *(f"{median(group, key) * 1e3:.1f}" for key in ("write_s", "check_s", "encode_s")),
            *(f"{median(group, key) / 1e3:.1f}" for key in ("formula_bytes", "proof_bytes")),
        ]


def median(rows, key):
    values = sorted(row[key] for row in rows)
    return values[len(values) // 2] if values else 0.0


if __name__ == "__main__":
    main()
