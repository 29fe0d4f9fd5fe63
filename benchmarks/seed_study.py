"""Networks 1 and 4 of the study that this project began with, and its questions to them.

    python benchmarks/seed_study.py train ../shared/data runs/seed-study
    python benchmarks/seed_study.py verify runs/seed-study --data-home ../shared/data

The study trained without any thought of verification: input step 0.1, Adam at a constant 1e-3,
5 epochs in batches of 64, clean images only, BinMask weights whose masks start within 0.01 of
zero, hardly any decay. Of its questions about 100 test images of MNIST it decided as few as 19 %
within 150 s each. ``train`` makes such networks; ``verify`` asks about the first 100 test images,
one question after the other, appends each answer to ``verify-SOLVER.csv`` beside the networks,
and skips what that file has already.
"""

import argparse
import csv
import time
import zlib
from pathlib import Path

import numpy as np

from bnnkit import BinaryNetwork, BNNClassifier, datasets, verify
from bnnkit._files import write_text
from bnnkit._table import table
from bnnkit.verification.verdict import STAGES, STATUSES

ARCHITECTURES = {"type1": "mlp-large", "type4": "cnn"}
RECIPE = {
    "quant_step": 0.1,
    "epochs": 5,
    "batch_size": 64,
    "learning_rate": 1e-3,
    "schedule": "constant",
    "mask_scale": 0.01,
    "mask_decay": 1e-7,
    "random_state": 0,
}
# share that the study decided within 150 s, by network and eps
BEFORE = {("type1", 0.02): 0.70, ("type1", 0.05): 0.23}
BEFORE |= {("type4", 0.02): 0.48, ("type4", 0.05): 0.19}
KEY = ("network", "crc32", "eps", "timeout", "index")
COLUMNS = (*KEY, "label", "clean", "status", "stage", "reason", "seconds")
COLUMNS += tuple(f"{stage}_s" for stage in STAGES)


def train(args):
    """Train the networks; print accuracy and sparsity."""
    data = datasets.load("mnist", data_home=args.data_home)
    for name in args.networks:
        classifier = BNNClassifier(ARCHITECTURES[name], verbose=True, **RECIPE)
        started = time.perf_counter()
        classifier.fit(data.train.images, data.train.labels)
        seconds = time.perf_counter() - started
        network = classifier.network_
        network.save(args.folder / f"{name}.npz")
        accuracy = (network.predict(data.test.images) == data.test.labels).mean()
        print(network.summary())
        print(f"{name}: {accuracy:.2%} of the test images, {seconds:.0f} s\n", flush=True)


def ask(args):
    """Ask what the file of answers lacks; print the counts."""
    test = datasets.load("mnist", data_home=args.data_home, limit=args.images).test
    path = args.folder / f"verify-{args.solver}.csv"
    answers, rows = read_answers(path), {}
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if not file.tell():
            writer.writeheader()
        for name in args.networks:
            network, checksum = load(args.folder / f"{name}.npz")
            for eps in args.eps:
                rows[name, eps] = []
                for index, question in enumerate(zip(test.images, test.labels, strict=True)):
                    key = tuple(map(str, (name, checksum, eps, args.timeout, index)))
                    if key not in answers:
                        verdict = verify(network, *question, eps, args.solver, args.timeout)
                        answers[key] = dict(zip(KEY, key, strict=True)) | row_of(verdict)
                        writer.writerow(answers[key])
                        file.flush()
                    rows[name, eps].append(answers[key])
                print(name, eps, counts(rows[name, eps]), flush=True)
    print(summary(rows))


def load(path):
    """The network of a file, and the checksum by which its answers are told from another's."""
    return BinaryNetwork.load(path), f"{zlib.crc32(path.read_bytes()):08x}"


def read_answers(path):
    """The answers in a file by their keys; a line that was cut off is removed."""
    if not path.exists():
        return {}
    text = path.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        write_text(path, whole)
    return {tuple(row[name] for name in KEY): row for row in csv.DictReader(whole.splitlines())}


def row_of(verdict):
    """What is written down of a verdict, as text."""
    row = {name: str(getattr(verdict, name)) for name in COLUMNS[len(KEY) : -len(STAGES) - 1]}
    times = {f"{stage}_s": f"{verdict.timings.get(stage, 0):.6f}" for stage in STAGES}
    return row | {"seconds": f"{verdict.seconds:.6f}"} | times


def counts(rows):
    """How many answers of each status."""
    statuses = [row["status"] for row in rows]
    return {status: statuses.count(status) for status in STATUSES}


def summary(rows):
    """A line for each network and eps."""
    lines = []
    for (name, eps), answers in rows.items():
        seconds = [float(row["seconds"]) for row in answers]
        times = (f"{value:.3f}" for value in (np.mean(seconds), np.median(seconds), max(seconds)))
        found = counts(answers)
        decided = 1 - found["unknown"] / len(answers)
        before = f"{BEFORE[name, eps]:.0%}" if (name, eps) in BEFORE else ""
        lines.append((name, f"{eps:g}", *found.values(), *times, f"{decided:.0%}", before))
    header = ("network", "eps", *STATUSES, "mean s", "median s", "max s", "decided", "in the study")
    return table(header, lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("train", help=train.__doc__)
    command.add_argument("data_home", metavar="DATA_HOME", help="folder of the MNIST files")
    command.set_defaults(run=train)
    add_shared(command)
    command = commands.add_parser("verify", help=ask.__doc__)
    command.add_argument("--data-home", metavar="DIR", help="default: $BNNKIT_DATA, the cache")
    command.add_argument("--eps", type=float, nargs="+", default=[0.02, 0.05])
    command.add_argument("--images", type=int, default=100, metavar="N", help="the first N")
    command.add_argument("--timeout", type=float, default=60.0, metavar="S")
    command.add_argument("--solver", default="native", metavar="NAME")
    command.set_defaults(run=ask)
    add_shared(command)
    args = parser.parse_args()
    args.run(args)


def add_shared(command):
    command.add_argument("folder", type=Path, metavar="OUT_FOLDER", help="of the networks")
    names = list(ARCHITECTURES)
    command.add_argument("--networks", nargs="+", choices=names, default=names)


if __name__ == "__main__":
    main()
