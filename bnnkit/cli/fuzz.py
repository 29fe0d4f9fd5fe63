"""Ask about random formulas or networks in many ways, which must not contradict each other."""

from bnnkit.cli import options

EXAMPLES = """\
examples:
  bnnkit fuzz formulas --count 10000
  bnnkit fuzz networks --seconds 600 --seed 7 --out findings
  bnnkit fuzz formulas --count 1000000 --journal run.json      # again to go on
  bnnkit fuzz replay findings/formula-0123456789ab.json

Every solver, every mode of the native one, and where it is small the list of all possibilities
must give the same answer. A case on which they do not is made as small as possible and saved.

exit codes: 0 all agree; 1 something does not, the file says on what; 2 wrong use.
"""


def add_arguments(parser):
    """Arguments of ``bnnkit fuzz``."""
    parser.add_argument("what", choices=("formulas", "networks", "replay"))
    parser.add_argument("file", nargs="*", metavar="FILE", help="of replay: what was saved")
    parser.add_argument(
        "--count", type=options.positive, metavar="N", help="number of cases (default: 1000)"
    )
    parser.add_argument("--seconds", type=options.seconds, metavar="S", help="end after this time")
    parser.add_argument(
        "--seed", type=options.seed, default=0, metavar="N", help="same seed, same cases"
    )
    parser.add_argument(
        "--solver",
        nargs="+",
        metavar="NAME",
        help="of those that bnnkit solvers lists (default: native minicard cadical cp-sat); those "
        "in child processes are asked about one of a hundred cases",
    )
    parser.add_argument(
        "--out", default="findings", metavar="DIR", help="where findings go (default: %(default)s)"
    )
    parser.add_argument(
        "--journal", metavar="FILE", help="keep count there, and go on from there next time"
    )
    options.add_json(parser)


def run(args):
    """Ask and print a table; or ask about saved cases again."""
    from bnnkit import fuzz
    from bnnkit.fuzz.findings import SOLVERS

    solvers = tuple(args.solver or SOLVERS)
    if (args.what == "replay") != bool(args.file):
        raise ValueError("replay takes the files that were saved, the others take none")
    if args.what == "replay":
        return _replay(args.file, solvers)
    options.check_folder(args.out)
    count = 1000 if args.count is None and args.seconds is None else args.count
    limits = {"count": count, "seconds": args.seconds, "seed": args.seed}
    report = fuzz.run(
        args.what.removesuffix("s"),
        **limits,
        solvers=solvers,
        folder=args.out,
        journal=args.journal,
    )
    options.show(args, str(report), vars(report))
    return int(bool(report.findings))


def _replay(paths, solvers):
    from bnnkit import fuzz

    wrong = 0
    for path in paths:
        said = fuzz.replay(path, solvers)
        bad = fuzz.contradictory(said)
        print(f"{path}: {'they disagree' if bad else 'all agree'}")
        for name, answers in said.items():
            print(f"  {name}: {', '.join(answers) or 'not asked'}")
        wrong += bad
    return int(wrong > 0)
