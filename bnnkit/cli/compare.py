"""Compare solvers on the same questions: how many each answers, and how fast."""

from bnnkit.cli import options

EXAMPLES = """\
examples:
  bnnkit compare mlp-small.npz --dataset mnist --eps 0.02 0.05 --first 50 --timeout 10
  bnnkit compare mlp-small.npz --dataset mnist --eps 0.1 --solver native cadical:totalizer
  bnnkit compare zoo:mnist-mlp-eps0.1 --dataset mnist --eps 0.1 --plot cactus.png
  bnnkit compare --formulas *.cnf.gz --solver native minicard --csv rows.csv

Every solver gets a question before the next one is asked, and another begins each time.
PAR-2: mean seconds, an undecided question counted as twice the time limit. Exit code 1 if
two solvers contradict each other.
"""

_SOLVERS = ("native", "minicard", "cadical", "cp-sat")


def add_arguments(parser):
    """Arguments of ``bnnkit compare``."""
    options.add_network(parser, nargs="?")
    parser.add_argument(
        "--formulas",
        nargs="+",
        metavar="FILE",
        help="in place of MODEL: files that bnnkit solve reads",
    )
    options.add_data(parser)
    parser.add_argument(
        "--eps",
        nargs="+",
        type=options.fraction,
        metavar="E",
        help="radii of the ball around each image, on the [0, 1] scale: 0.1 or 8/255",
    )
    options.add_limits(parser)
    parser.add_argument(
        "--no-falsify",
        action="store_true",
        help="no search for counterexamples beforehand: what bounds leave open goes to the solvers",
    )
    parser.add_argument(
        "--solver",
        nargs="+",
        default=_SOLVERS,
        metavar="NAME",
        help=f"of those that bnnkit solvers lists (default: {' '.join(_SOLVERS)})",
    )
    parser.add_argument(
        "--csv", metavar="FILE", help="write a row for each question and solver as it comes"
    )
    parser.add_argument("--plot", metavar="FILE", help="write the cactus plot, a .png")
    options.add_json(parser)


def run(args):
    """Ask, print the table, draw the plot; keep what is finished whatever happens."""
    from bnnkit.comparison import Comparison, iter_records, written

    options.check_outputs(args.csv, args.plot, *filter(None, args.formulas or [args.model]))
    records = iter_records(_questions(args), args.solver, args.timeout)
    if args.csv:
        records = written(records, args.csv)
    comparison, stopped = Comparison(args.timeout), None
    try:
        for record in records:
            comparison.records.append(record)
    except (KeyboardInterrupt, ValueError, OSError) as error:  # a late file may be no formula
        if not comparison.records:
            raise
        stopped = error
    options.show(args, str(comparison), comparison.to_dict())
    if args.plot:
        _draw(args.plot, comparison)
    if stopped:
        raise stopped
    return int(bool(comparison.disagreements))


def _questions(args):
    from bnnkit.comparison import formula_questions, network_questions

    if (args.model is None) == (args.formulas is None):
        raise ValueError("name a file of a network, or --formulas: one of the two")
    if args.formulas:
        return formula_questions(args.formulas)
    if args.eps is None:
        raise ValueError("questions about a network need --eps, such as --eps 0.02 0.05")
    network = options.load_network(args.model)
    test = options.load_data(args).test
    images, labels = test.images[: args.first], test.labels[: args.first]
    chosen = {"falsify": 0} if args.no_falsify else {}
    return network_questions(network, images, labels, args.eps, **chosen)


def _draw(path, comparison):
    from bnnkit import plots
    from bnnkit.cli.pictures import write_figure

    write_figure(path, plots.cactus(comparison))
