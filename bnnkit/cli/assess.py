"""Measure how robust a network is: every measure, for one eps or several."""

from bnnkit.cli import options

EXAMPLES = """\
examples:
  bnnkit assess mlp-small.npz --dataset mnist --eps 0.02 0.05 0.1 --first 100
  bnnkit assess zoo:mnist-mlp-eps0.1 --dataset mnist --eps 0.1 0.2 --plot curve.png --csv table.csv

In brackets: the 95 % interval for all images of which those asked about are a sample. Vulnerable
are the falsified images at least, and the unknown ones at most. Robust for one eps means robust
for smaller ones, falsified means falsified for larger ones, so not every question is asked.
"""


def add_arguments(parser):
    """Arguments of ``bnnkit assess``."""
    options.add_network(parser)
    options.add_data(parser)
    options.add_question(parser, nargs="+")
    parser.add_argument(
        "--solver",
        default="native",
        metavar="NAME",
        help="one that bnnkit solvers lists (default: native)",
    )
    parser.add_argument("--csv", metavar="FILE", help="write a row for each measure")
    parser.add_argument(
        "--plot",
        metavar="FILE",
        help="write the verdicts over eps, a .png, .pdf or .svg, and their numbers as FILE.csv",
    )
    options.add_json(parser)


def run(args):
    """Measure, print two tables, write files."""
    from bnnkit import assess

    options.check_outputs(args.csv, args.plot, args.model)
    network = options.load_network(args.model)
    data = options.load_data(args)
    test, n = data.test, min(args.first, len(data.test))
    images, labels = test.images[:n], test.labels[:n]
    curve = assess.resistance_curve(
        network, images, labels, args.eps, args.solver, args.timeout, args.jobs
    )
    scores = assess.logits(network, test.images)
    right = scores.argmax(axis=1) == test.labels
    confidence = assess.softmax_robustness(scores, test.labels)
    measures = {
        "clean accuracy": assess.Rate(int(right.sum()), len(right)),
        "absolute robustness": confidence.absolute,
        "ratio": confidence.ratio,
        "inverse ratio": confidence.inverse_ratio,
        "images with guarded ratios": confidence.n_guarded,
    }
    for eps in curve.eps:
        measures |= assess.whitebox_measures(curve.at(eps), eps)
    overview = assess.Overview({args.model: measures})
    tables = {
        f"{eps:g}": assess.by_class(status, labels, data.classes)
        for eps, status in zip(curve.eps, curve.status, strict=True)
    }
    right_by_class = assess.by_class(right[:n], labels, data.classes)
    text = f"{overview}\n\n{_classes(right_by_class, tables)}"
    options.show(args, text, _report(args, data, curve, overview, right_by_class, tables))
    if args.csv:
        overview.to_csv(args.csv)
    if args.plot:
        from bnnkit import plots
        from bnnkit.cli.pictures import write_figure

        write_figure(args.plot, plots.resistance(curve))
    return 0


def _classes(right, tables):
    from bnnkit._table import table

    header = ("class", "images", "right", *(f"eps {eps}" for eps in tables))
    rows = [
        (
            *(name, right.n[i], right.counts[i, 0]),
            *("/".join(map(str, each.counts[i])) for each in tables.values()),
        )
        for i, name in enumerate(right.names)
        if right.n[i]
    ]
    return f"robust/falsified/unknown by class\n{table(header, rows)}"


def _report(args, data, curve, overview, right, tables):
    return {
        "model": args.model,
        "dataset": data.name,
        "n_test": len(data.test),
        "n": curve.n,
        **curve.settings,
        "measures": overview.to_dict()[args.model],
        "by_class": {
            name: {
                "n": int(right.n[i]),
                "right": int(right.counts[i, 0]),
                "eps": {
                    eps: dict(zip(each.outcomes, each.counts[i].tolist(), strict=True))
                    for eps, each in tables.items()
                },
            }
            for i, name in enumerate(right.names)
        },
        "seconds": float(curve.seconds.sum()),
    }
