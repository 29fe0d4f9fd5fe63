"""Train a network and write the exact integer network to a file."""

import time

from bnnkit.cli import options

EXAMPLES = """\
example:
  bnnkit train --dataset mnist --architecture mlp-small --epochs 20 --out mlp-small.npz
"""


def add_arguments(parser):
    """Arguments of ``bnnkit train``."""
    options.add_data(parser)
    options.add_training(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="the network, a .npz file")
    options.add_json(parser)


def run(args):
    """Train, save, report the accuracy on all test images."""
    options.check_file(args.out)
    data = options.load_data(args)
    classifier = options.make_classifier(args, data)
    started = time.perf_counter()
    classifier.fit(data.train.images, data.train.labels)
    seconds = time.perf_counter() - started
    network = classifier.network_
    network.save(args.out)
    accuracy = float((network.predict(data.test.images) == data.test.labels).mean())
    text = (
        f"{network.summary()}\n"
        f"trained on {len(data.train)} images of {data.name} in {seconds:.1f} s\n"
        f"accuracy on {len(data.test)} test images: {accuracy:.2%}\n"
        f"written to {args.out}"
    )
    report = {
        "file": args.out,
        "dataset": data.name,
        "architecture": args.architecture,
        "n_train": len(data.train),
        "n_test": len(data.test),
        "accuracy": accuracy,
        "seconds": seconds,
        "epochs": classifier.history_,
    }
    options.show(args, text, report)
    return 0
