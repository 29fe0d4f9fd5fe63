"""Show which data sets are on this machine, or download one."""

from bnnkit.cli import options

EXAMPLES = """\
examples:
  bnnkit data
  bnnkit data --download mnist --data-home ~/data
"""


def add_arguments(parser):
    """Arguments of ``bnnkit data``."""
    parser.add_argument("--download", metavar="NAME", help="fetch this data set if it is missing")
    parser.add_argument(
        "--data-home", metavar="DIR", help="folder of the data (default: $BNNKIT_DATA, the cache)"
    )
    options.add_json(parser)


def run(args):
    """Download if asked, then print a table."""
    from bnnkit import datasets
    from bnnkit._table import table

    if args.download:
        datasets.download(args.download, data_home=args.data_home)
    rows = datasets.status(data_home=args.data_home)
    text = table(
        ("data set", "train", "test", "where"),
        [(row.name, row.train, row.test, row.problem or row.where or "not found") for row in rows],
        left=(0, 3),
    )
    as_json = [
        {
            "name": row.name,
            "train": row.train,
            "test": row.test,
            "where": row.where and str(row.where),
            "problem": row.problem,
        }
        for row in rows
    ]
    options.show(args, text, as_json)
    return 0
