"""The studies `loop` and `resistance`, in full size, beside the figures of the study they repeat.

    bnnkit study run loop --size full --jobs 2 --out runs/loop
    bnnkit study run resistance --size full --jobs 2 --out runs/resistance
    python benchmarks/study_table.py runs/loop runs/resistance

Prints Markdown tables for docs/results/study.md. The first folder is enough. What was attacked
and counted is in the words of the study: a joint attack makes all five networks choose one wrong
class, and that there is none does not make any of them, or their vote, robust.
"""

import argparse
import csv
import json
from pathlib import Path

from bnnkit.study.wording import WORDINGS

# accuracy of the vote on adversarial images at first, after one round, at last; clean at the ends
LOOP = {
    "sampling": ("19.4 → 60.6 → 79.9", "95.7 → 95.5"),
    "gen": ("19.4 → 61.6 → 78.3", "95.7 → 95.7"),
}
# of 1,000 images: an image was found, none was found within 90 s
ATTACKED = {"none": ("92.0", "8.0"), "sampling": ("86.3", "13.7"), "gen": ("72.4", "27.6")}
GEN_HOURS = 88
# share of 100 images for which an image was found, by eps
EPS = ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6")
CURVES = {
    "none": (16, 59, 85, 97, 98, 100),
    "sampling": (9, 18, 42, 61, 90, 95),
    "gen": (7, 13, 26, 45, 73, 93),
    "type-1": (16, 59, 85, 97, 98, 100),
    "type-2": (84, 99, 100, 100, 100, 100),
    "type-3": (49, 83, 95, 100, 100, 100),
    "type-4": (1, 42, 52, 58, 60, 58),
}


def main():
    """Print the tables of one or two folders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("loop", type=Path, help="folder of the study loop, size full")
    parser.add_argument("resistance", type=Path, nargs="?", help="of the study resistance")
    args = parser.parse_args()
    print(loop(args.loop), attacked(args.loop), curves(args.loop, "resistance"), sep="\n\n")
    if args.resistance:
        print("", curves(args.resistance, "joint"), curves(args.resistance, "single"), sep="\n\n")
        print("", beside(args.resistance), sep="\n")


def loop(folder):
    """Accuracies over the rounds, and times."""
    lines = ["| run | adversarial %, first → second → last | before | clean % | before | hours |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name, before in LOOP.items():
        history = json.loads((folder / "runs" / name / "history.json").read_text())["rounds"]
        judged = [each["judged"]["judge"] for each in history]
        shares = [100 * each["robust"] / _size(each) for each in judged]
        ends = " → ".join(f"{shares[i]:.1f}" for i in (0, 1, -1))
        clean = " → ".join(f"{100 * history[i]['clean_accuracy']:.1f}" for i in (0, -1))
        hours = sum(sum(each["seconds"].values()) for each in history) / 3600
        lines.append(f"| {name} | {ends} | {before[0]} | {clean} | {before[1]} | {hours:.2f} |")
    lines.append(f"\nThe study needed about {GEN_HOURS} hours of solving for its run gen.")
    return "\n".join(lines)


def attacked(folder):
    """The white-box re-attack: joint attacks."""
    words = WORDINGS["joint"]
    header = (f"{words.falsified} %", "before", f"{words.robust} (proved) %", "unknown %")
    header += ("before: not found %", "mean s")
    lines = [f"| run | images | {' | '.join(header)} |", "| --- " * (len(header) + 2) + "|"]
    for row in _rows(folder / "measures" / "re-attack" / "counts.csv"):
        found, missed = ATTACKED[row["run"]]
        n = int(row["images"])
        share = {
            key: f"{100 * int(row[getattr(words, key)]) / n:.1f}"
            for key in ("falsified", "robust", "unknown")
        }
        cells = (share["falsified"], found, share["robust"], share["unknown"], missed)
        lines.append(f"| {row['run']} | {n} | {' | '.join(cells)} | {float(row['mean s']):.2f} |")
    return "\n".join(lines)


def curves(folder, measure):
    """The three counts for each eps, and what the study found of joint attacks, in %."""
    question = "first" if measure == "single" else "joint"
    words, found, sizes = WORDINGS[question], {}, set()
    for row in _rows(folder / "measures" / measure / "resistance.csv"):
        counts = "/".join(row[key] for key in (words.falsified, words.robust, words.unknown))
        sizes.add(row["n"])
        found.setdefault(row["run"], {})[row["eps"]] = counts
    radii = list(next(iter(found.values())))
    of = " or ".join(sorted(sizes, key=int))
    what = f"{words.falsified} / {words.robust} (proved) / {words.unknown}"
    lines = [f"{measure}: {what}, of {of} images; before: % of 100 images", ""]
    lines.append(f"| networks | {' | '.join(f'eps {eps}' for eps in radii)} |")
    lines.append("| --- " * (len(radii) + 1) + "|")
    for name, cells in found.items():
        lines.append(f"| {name} | {' | '.join(cells.values())} |")
        if tuple(radii) == EPS:
            lines.append(f"| {name}, before | {' | '.join(map(str, CURVES[name]))} |")
    return "\n".join(lines)


def beside(folder):
    """Transfer, white-box and certified numbers side by side."""
    rows = _rows(folder / "measures" / "comparison" / "overview.csv")
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", "| --- " * len(names) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row.values())} |" for row in rows)])


def _size(counts):
    return sum(counts[key] for key in ("robust", "falsified", "unknown", "detected"))


def _rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
