"""Say how far the campaigns of a store are, or export their verdicts."""

import sys

from bnnkit.cli import options

EXAMPLES = """\
examples:
  bnnkit verify mlp-small.npz --dataset mnist --eps 0.1 --first 10000 --jobs 2 --store run.sqlite
  bnnkit campaign status run.sqlite
  bnnkit campaign export run.sqlite --csv rows.csv

A campaign is one network, eps, solver and list of images. Missing questions are asked by the
command that began it. Lost ones, over which a process has ended, are unknown; verify --retry
asks them again. Wrong ones are unknown, too: an answer failed its check, which is a defect in the
solver or in bnnkit. If there are any, the exit code of status is 70; export has them under the
stage "wrong", with the reason.
"""


def add_arguments(parser):
    """Arguments of ``bnnkit campaign``."""
    parser.add_argument("action", choices=["status", "export"])
    parser.add_argument("store", metavar="STORE", help="a file that bnnkit verify --store wrote")
    parser.add_argument(
        "--csv", metavar="FILE", help="export to this file (default: standard output)"
    )
    parser.add_argument("--jsonl", metavar="FILE", help="export a JSON object for each verdict")
    options.add_json(parser)


def run(args):
    """Print a table of the campaigns, or write all rows."""
    if args.action == "status":
        return _status(args)
    return _export(args)


def _status(args):
    from bnnkit.campaign import report

    if args.csv or args.jsonl:
        raise ValueError("--csv and --jsonl are for export; status has --json")
    found = report.status(args.store)
    options.show(args, _text(found), found)
    return 70 if any(row["wrong"] for row in found["campaigns"]) else 0


def _export(args):
    from bnnkit.campaign import report

    if args.json:
        raise ValueError("--json is for status; export has --jsonl")
    for path in filter(None, (args.csv, args.jsonl)):
        options.check_file(path)
    if args.csv:
        report.export(report.write_csv, args.store, args.csv)
    if args.jsonl:
        report.export(report.write_jsonl, args.store, args.jsonl)
    if not (args.csv or args.jsonl):
        report.write_csv(args.store, sys.stdout)
    return 0


def _text(found):
    from bnnkit._table import table

    counts = ("images", "robust", "falsified", "unknown", "missing", "lost", "wrong")
    rows = [
        (
            *(row["campaign"], row["network"][:12], row["eps"], row["solver"]),
            row["options"].get("timeout") or "none",
            *(row[name] for name in counts),
            row["latest"] or "",
        )
        for row in found["campaigns"]
    ]
    header = ("campaign", "network", "eps", "solver", "timeout s", *counts, "latest")
    lines = [table(header, rows, left=(1, 2, 3))]
    for number, made in found["environments"].items():
        said = (f"{name} {made.get(name)}" for name in ("bnnkit", "python", "system", "cpu"))
        lines.append(f"environment {number}: {', '.join(said)}")
    return "\n".join(lines)
