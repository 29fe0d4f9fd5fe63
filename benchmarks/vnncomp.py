"""VNN-COMP's traffic_signs_recognition: every instance through the command, every witness replayed.

    python benchmarks/vnncomp.py --folder ../shared/vnncomp --csv vnncomp.csv [--timeout 480]

FOLDER holds instances.csv and the files that it names, plain or gzipped; instances whose files are
not there are skipped. Each instance is one process, and all of its time is counted. What is in the
CSV is not run again. A witness counts if it is in the box and fulfils the condition exactly,
and if onnxruntime, given the same float32 numbers, says so as well; the smallest distance to a
threshold tells how much rounding it would take to be otherwise.
"""

import argparse
import csv
import re
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from bnnkit._files import write_text
from bnnkit._table import table
from bnnkit.interop import onnx, vnnlib

COLUMNS = ("instance", "answer", "stage", "seconds", "cpu_seconds", "class", "lead")
COLUMNS += ("exact", "onnxruntime", "first_margin", "later_margin")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--timeout", type=float, default=480)
    options = parser.parse_args()
    rows = read_rows(options.csv)
    done = {row["instance"] for row in rows}
    for model, specification in instances(options.folder):
        name = specification.name.split(".00000")[0].removeprefix("model_")
        if name not in done:
            row = {"instance": name} | run(model, specification, options.timeout)
            rows.append({column: str(row.get(column, "")) for column in COLUMNS})
            save_rows(options.csv, rows)
            print(*rows[-1].values(), flush=True)
    print(table(COLUMNS, [tuple(row.values()) for row in rows]))
    answers = [row["answer"] for row in rows]
    print({answer: answers.count(answer) for answer in sorted(set(answers))})


def instances(folder):
    """The (model, specification) paths of instances.csv that are there."""
    with open(folder / "instances.csv", encoding="utf-8") as file:
        for model, specification, _ in csv.reader(file):
            paths = [find(folder / name.strip()) for name in (model, specification)]
            if all(paths):
                yield paths


def find(path):
    """A file or its gzipped form; None if there is neither."""
    gzipped = path.with_name(path.name + ".gz")
    return next((found for found in (path, gzipped) if found.exists()), None)


def run(model, specification, timeout):
    """A row about one instance."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer"
        command = [sys.executable, "-m", "bnnkit", "verify", model, specification]
        command += ["--timeout", str(timeout), "--results", answer]
        started, cpu = time.perf_counter(), cpu_seconds()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        times = {"seconds": f"{time.perf_counter() - started:.2f}"}
        times["cpu_seconds"] = f"{cpu_seconds() - cpu:.2f}"
        if not answer.exists():
            return {"answer": "error", "stage": done.stderr.strip()[-200:]} | times
        text = answer.read_text(encoding="utf-8")
    stage = re.search(r"\((\w+)\)", done.stderr)
    row = {"answer": text.split("\n")[0], "stage": stage[1] if stage else ""} | times
    return row | (replay(model, specification, text) if row["answer"] == "sat" else {})


def cpu_seconds():
    """Of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def replay(model, specification, text):
    """What exact arithmetic and onnxruntime say of a written witness."""
    written = [Fraction(value) for value in re.findall(r"\(X_\d+ ([^\s()]+)\)", text)]
    imported, (case,) = onnx.read(model), vnnlib.load(specification).cases
    network, x = imported.network, np.array(written, object)
    image = x[imported.order].reshape(network.input_shape)
    scores = network.scores(image[None])[0].tolist()
    outputs = onnx.replay(model, written)
    margins = network.margins(image)
    label = next(iter(k for k, c in case.condition[0][0].coefficients.items() if c < 0))
    return {
        "class": int(np.argmax(scores)),
        "lead": max(s for k, s in enumerate(scores) if k != label) - scores[label],
        "exact": case.holds(x, scores),
        "onnxruntime": case.holds(x, outputs),
        "first_margin": f"{float(margins.first):.4g}",
        "later_margin": margins.later,
    }


def read_rows(path):
    """Rows of an earlier run."""
    if not path.exists():
        return []
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


def save_rows(path, rows):
    """Write all rows, atomically."""
    lines = [",".join(COLUMNS)]
    lines += [",".join(row[column].replace(",", ";") for column in COLUMNS) for row in rows]
    write_text(path, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
