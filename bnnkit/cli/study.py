"""Run a whole study from one file: train, attack, measure, and write a report."""

from pathlib import Path

from bnnkit._progress import say
from bnnkit.cli import options

EXAMPLES = """\
examples:
  bnnkit study list
  bnnkit study show loop > my-study.toml        # to change it
  bnnkit study keys                             # what a study may say
  bnnkit study run loop --out loop --jobs 2     # the first size, "lesson": minutes, no downloads
  bnnkit study run loop --size full --out loop-full --jobs 2
  bnnkit study run my-study.toml --quick        # does it run at all? Numbers mean nothing

The folder gets all settings, networks, verdicts, tables (CSV), pictures (PNG and CSV) and one
report.html that needs nothing else. The same command goes on where it was killed, and makes a
measure that was added or changed from the networks that are there.
"""


def add_arguments(parser):
    """Arguments of ``bnnkit study``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="the studies that come with bnnkit")
    show = actions.add_parser("show", help="print the file of a study")
    show.add_argument("study", metavar="STUDY", help="a name that list prints, or a file")
    actions.add_parser("keys", help="print all keys that a study may have, with their meanings")
    run_ = actions.add_parser("run", help="do what a study says")
    run_.add_argument("study", metavar="STUDY", help="a name that list prints, or a file")
    run_.add_argument("--size", metavar="NAME", help="such as full (default: the file's first)")
    run_.add_argument(
        "--out", metavar="DIR", help="folder (default: the study's name and size, study-NAME-SIZE)"
    )
    run_.add_argument(
        "--jobs", type=options.jobs, default=1, metavar="N", help="processes, -1 for all cores"
    )
    run_.add_argument("--quick", action="store_true", help="a few images and epochs of everything")
    run_.add_argument(
        "--data-home", metavar="DIR", help="folder of the data (default: $BNNKIT_DATA, the cache)"
    )


def run(args):
    """Do one of the actions."""
    return {"list": _list, "keys": _keys, "show": _show, "run": _run}[args.action](args)


def _list(_):
    from bnnkit import study
    from bnnkit._table import table

    rows = []
    for name in study.names():
        title = study.load(name)["title"]
        rows.append((name, ", ".join(study.sizes(name)), title))
    print(table(("study", "sizes", "title"), rows, left=(0, 1, 2)))
    return 0


def _keys(_):
    from bnnkit import study

    print(study.reference(), end="")
    return 0


def _show(args):
    from bnnkit import study

    print(study.source(args.study), end="")
    return 0


def _run(args):
    from bnnkit import study

    loaded = study.load(args.study, args.size, args.quick)
    words = ("study", loaded.name, loaded.size, "quick" if loaded.quick else None)
    folder = Path(args.out or "-".join(filter(None, words)))
    options.check_folder(folder)
    say(f"report: {study.run(loaded, folder, args.jobs, args.data_home)}")
    return 0
