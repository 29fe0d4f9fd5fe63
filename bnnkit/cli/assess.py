"""Measure how robust networks are: every measure, for one eps or several."""

from pathlib import Path

from bnnkit.cli import options

EXAMPLES = """\
examples:
  bnnkit assess mlp-small.npz --dataset mnist --eps 0.02 0.05 0.1 --first 100
  bnnkit assess small.npz large.npz --dataset mnist --eps 0.05
  bnnkit assess zoo:mnist-mlp-eps0.1 --dataset mnist --eps 0.1 0.2 --plot curve.png --csv table.csv

In brackets: the 95 % interval for all images of which those asked about are a sample. Vulnerable
are the falsified images at least, and the unknown ones at most. Robust for one eps means robust
for smaller ones, falsified means falsified for larger ones, so not every question is asked.
Absolute robustness and the ratios are of the softmax of the scores of all test images, in units of
one weight of the head: each network has its own scale, so compare the ratios of one alone. Their
intervals are made by the bootstrap.
"""


def add_arguments(parser):
    """Arguments of ``bnnkit assess``."""
    options.add_network(parser, nargs="+")
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
    """Measure each network, print a table of all, and one by class for each; write files."""
    from bnnkit import assess

    options.check_outputs(args.csv, args.plot, *args.model)
    networks = {name: options.load_network(name) for name in args.model}
    data = options.load_data(args)
    found = {name: _Assessed(args, network, data) for name, network in networks.items()}
    overview = assess.Overview({name: each.measures for name, each in found.items()})
    text = "\n\n".join([str(overview), *(f"{n}: {each.classes()}" for n, each in found.items())])
    options.show(args, text, _report(args, data, overview, found))
    if args.csv:
        overview.to_csv(args.csv)
    if args.plot:
        from bnnkit import plots
        from bnnkit.cli.pictures import write_figure

        curves = {Path(name).name: each.curve for name, each in found.items()}
        if len(curves) < len(found):  # files of one name in several folders
            curves = {name: each.curve for name, each in found.items()}
        write_figure(args.plot, plots.resistance(curves)[0])
    return 0


_SOFTMAX = {"absolute robustness": "absolute", "ratio": "ratio", "inverse ratio": "inverse_ratio"}


class _Assessed:
    """What was found out about one network."""

    def __init__(self, args, network, data):
        from bnnkit import assess
        from bnnkit.assess._radius import eps_text

        test, n = data.test, min(args.first, len(data.test))
        labels = test.labels[:n]
        asked = (args.eps, args.solver, args.timeout, args.jobs)
        self.curve = assess.resistance_curve(network, test.images[:n], labels, *asked)
        scores = assess.logits(network, test.images)
        right = scores.argmax(axis=1) == test.labels
        confidence = assess.softmax_robustness(scores, test.labels)
        self.measures = {
            "clean accuracy": assess.Rate(int(right.sum()), len(right)),
            **{
                name: assess.Mean(getattr(confidence, key), confidence.intervals[key], len(right))
                for name, key in _SOFTMAX.items()
            },
            "images with guarded ratios": confidence.n_guarded,
        }
        for eps in self.curve.eps:
            self.measures |= assess.whitebox_measures(self.curve.at(eps), eps)
        self.right = assess.by_class(right[:n], labels, data.classes)
        self.verdicts = {
            eps_text(eps): assess.by_class(status, labels, data.classes)
            for eps, status in zip(self.curve.eps, self.curve.status, strict=True)
        }

    def classes(self):
        """A table with a row for each class that there is an image of."""
        from bnnkit._table import table

        header = ("class", "images", "right", *(f"eps {eps}" for eps in self.verdicts))
        rows = [
            (
                *(name, self.right.n[i], self.right.counts[i, 0]),
                *("/".join(map(str, each.counts[i])) for each in self.verdicts.values()),
            )
            for i, name in enumerate(self.right.names)
            if self.right.n[i]
        ]
        return f"robust/falsified/unknown by class\n{table(header, rows)}"

    def by_class(self):
        """The same as plain dicts and numbers."""
        return {
            name: {
                "n": int(self.right.n[i]),
                "right": int(self.right.counts[i, 0]),
                "eps": {
                    eps: dict(zip(each.outcomes, each.counts[i].tolist(), strict=True))
                    for eps, each in self.verdicts.items()
                },
            }
            for i, name in enumerate(self.right.names)
        }


def _report(args, data, overview, found):
    measures = overview.to_dict()
    return {
        "dataset": data.name,
        "n_test": len(data.test),
        "n": min(args.first, len(data.test)),
        "solver": args.solver,
        "timeout": args.timeout,
        "models": {
            name: {
                "measures": measures[name],
                "by_class": each.by_class(),
                "seconds": float(each.curve.seconds.sum()),
            }
            for name, each in found.items()
        },
    }
