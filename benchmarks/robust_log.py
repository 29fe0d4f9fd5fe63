"""How a training run went, or goes, from the log in its folder.

    python benchmarks/robust_log.py FOLDER [--plot FILE]

Prints a line for each epoch. Validation is by held-out training images, from the epoch on in
which eps is full.
"""

import argparse
import json
import math
from pathlib import Path

from robust_minutes import minutes, picture

from bnnkit._table import table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the accuracies")
    options = parser.parse_args()
    columns = read(options.folder / "log.jsonl")
    rows = zip(*columns.values(), strict=True)
    print(table(columns, [[f"{value:.4g}" for value in row] for row in rows]))
    if options.plot:
        with picture(options.plot, options.folder.name, "share of images") as ax:
            for name in list(columns)[3:]:
                ax.plot(columns["minutes"], columns[name], "o-", label=name)


def read(path):
    """The columns of a log by name; NaN where an epoch was not judged."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if not records:
        raise SystemExit(f"{path} has no finished epoch yet")
    columns = {"epoch": [record["epoch"] for record in records], "minutes": minutes(records)}
    for name in ("loss", "accuracy"):
        columns[name] = [record[name] for record in records]
    judged = [record.get("validation", {}) for record in records]
    for name in dict.fromkeys(name for values in judged for name in values):
        columns[f"validation {name}"] = [values.get(name, math.nan) for values in judged]
    return columns


if __name__ == "__main__":
    main()
