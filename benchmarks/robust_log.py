"""How a training run went, from the log in its folder: validation over minutes.

    python benchmarks/robust_log.py FOLDER [--plot FILE]

Prints a line for each epoch of FOLDER/log.jsonl, of a run that goes on too. The validation
values are those of the held-out training images; attacks find them, nothing is proved there
(`robust_curve.py` has certified accuracies).
"""

import argparse
import itertools
import json
from pathlib import Path

from bnnkit._table import table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the accuracies")
    options = parser.parse_args()
    rows = progress_of(read(options.folder / "log.jsonl"))
    print(table(rows[0], [map(_short, row.values()) for row in rows]))
    if options.plot:
        draw(rows, options.folder.name, options.plot)


def read(path):
    """The records of a log, an epoch each."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if not records:
        raise SystemExit(f"{path} has no finished epoch yet")
    return records


def progress_of(records):
    """For each epoch: its number, the minutes until its end, loss, accuracy, validation values."""
    minutes = itertools.accumulate(record["seconds"] / 60 for record in records)
    return [
        {"epoch": record["epoch"], "minutes": spent}
        | {key: record[key] for key in ("loss", "accuracy")}
        | {f"validation {key}": value for key, value in record.get("validation", {}).items()}
        for record, spent in zip(records, minutes, strict=True)
    ]


def draw(rows, title, path):
    """Accuracies over minutes as a picture."""
    from bnnkit.plots import plt

    _, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    for name in sorted(rows[0].keys() - {"epoch", "minutes", "loss"}):
        ax.plot([row["minutes"] for row in rows], [row[name] for row in rows], label=name)
    ax.set_xlabel("minutes of training", fontsize=13)
    ax.set_ylabel("share of images", fontsize=13)
    ax.set_title(title, fontsize=15)
    ax.legend(fontsize=12)
    ax.figure.savefig(path, dpi=120)
    plt.close(ax.figure)


def _short(value):
    return f"{value:.4g}" if isinstance(value, float) else value


if __name__ == "__main__":
    main()
