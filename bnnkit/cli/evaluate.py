"""Measure the accuracy of a saved network on the test images."""

from bnnkit.cli import options

EXAMPLES = """\
example:
  bnnkit evaluate mlp-small.npz --dataset mnist --at-least 0.9
"""


def add_arguments(parser):
    """Arguments of ``bnnkit evaluate``."""
    options.add_network(parser)
    options.add_data(parser)
    parser.add_argument(
        "--at-least", type=options.share, metavar="A", help="exit code 1 if the accuracy is below A"
    )
    options.add_json(parser)


def run(args):
    """Print accuracy, overall and for each class."""
    from bnnkit._table import table

    network = options.load_network(args.model, real=True)
    data = options.load_data(args)
    right = network.predict(data.test.images) == data.test.labels
    accuracy = float(right.mean())
    by_class = {
        name: (int(here.sum()), float(right[here].mean()))
        for i, name in enumerate(data.classes)
        if (here := data.test.labels == i).any()
    }
    rows = [(name, n, f"{share:.2%}") for name, (n, share) in by_class.items()]
    rows.append(("all", len(right), f"{accuracy:.2%}"))
    report = {
        "model": args.model,
        "dataset": data.name,
        "n_test": len(right),
        "accuracy": accuracy,
        "by_class": {name: share for name, (_, share) in by_class.items()},
    }
    options.show(args, table(("class", "images", "accuracy"), rows), report)
    return int(args.at_least is not None and accuracy < args.at_least)
