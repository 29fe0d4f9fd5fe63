"""Train a network and write the exact integer network to a file."""

import argparse
import time

from bnnkit.cli import options

EXAMPLES = """\
examples:
  bnnkit train --dataset mnist --architecture mlp-small --epochs 20 --out mlp-small.npz
  bnnkit train --dataset mnist --architecture conv-small --quant-step 0.61 --mask-decay 2e-4 \\
      --epochs 20 --eps 0.1 --validation 0.1 --folder runs/a --out robust.npz
"""


def add_arguments(parser):
    """Arguments of ``bnnkit train``."""
    options.add_data(parser)
    options.add_training(parser)
    _add_robust_training(parser)
    parser.add_argument("--out", required=True, metavar="FILE", help="the network, a .npz file")
    options.add_json(parser)


def _add_robust_training(parser):
    group = parser.add_argument_group("robust training")
    group.add_argument(
        "--eps",
        type=options.fraction,
        metavar="E",
        help="train on adversarial images of this radius (on the [0, 1] scale: 0.1 or 8/255), "
        "grown from 0 over the first half of the epochs",
    )
    group.add_argument(
        "--steps",
        type=options.positive,
        metavar="N",
        help="steps of PGD for each batch, with --eps (default: 10)",
    )
    group.add_argument(
        "--adaptive",
        action="store_true",
        help="tune the surrogate of each layer to where the attack is strongest, with --eps",
    )
    group.add_argument(
        "--bound-decay",
        type=float,
        metavar="C",
        help="penalise cardinality bounds above 5 with this coefficient, e.g. 5e-4",
    )
    group.add_argument(
        "--interval-loss",
        type=float,
        default=0.0,
        metavar="W",
        help="add the loss of the worst logits that interval bounds allow, times this, e.g. 0.1; "
        "with --eps",
    )
    group.add_argument(
        "--validation",
        type=_number,
        default=0,
        metavar="V",
        help="hold out so many training images, or this share, and take the epoch that is best "
        "on them: certified with --eps, else by accuracy (default: 0, the last epoch)",
    )
    group.add_argument(
        "--patience",
        type=options.positive,
        metavar="N",
        help="stop after N judged epochs without a better one, with --validation",
    )
    group.add_argument(
        "--folder",
        metavar="DIR",
        help="write each epoch down here; the same command goes on after the last one",
    )


def _number(text):
    """Parse a number of images, or a share of them in [0, 1)."""
    if text.isdecimal():
        return int(text)
    if text.removeprefix("-").isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return options.share(text)


def _robust_settings(args):
    """What the arguments of `_add_robust_training` ask BNNClassifier for."""
    from bnnkit.nn import BoundDecay, PGDTraining
    from bnnkit.robust import Certified

    asks = [args.steps is not None, args.adaptive, args.interval_loss != 0]
    if args.eps is None and any(asks):
        option = ("--steps", "--adaptive", "--interval-loss")[asks.index(True)]
        raise ValueError(f"{option} is about the balls of --eps; give it, too")
    settings = {
        "validation": args.validation,
        "patience": args.patience,
        "interval_loss": args.interval_loss,
    }
    if args.bound_decay is not None:
        settings["bound_decay"] = BoundDecay(args.bound_decay)
    if args.eps is not None:
        eps = float(args.eps)
        settings["adversary"] = PGDTraining(eps, steps=args.steps or 10)
        if args.adaptive:
            settings["surrogate_scale"] = "adaptive"
        if args.validation:
            settings["monitor"] = Certified(eps)
    return settings


def run(args):
    """Train, save, report the accuracy on all test images."""
    options.check_file(args.out)
    options.check_folder(args.folder)
    data = options.load_data(args)
    classifier = options.make_classifier(args, data).set_params(**_robust_settings(args))
    started = time.perf_counter()
    classifier.fit(data.train.images, data.train.labels, folder=args.folder)
    seconds = time.perf_counter() - started
    network = classifier.network_
    network.save(args.out)
    accuracy = float((network.predict(data.test.images) == data.test.labels).mean())
    text = (
        f"{network.summary()}\n"
        f"trained on {len(data.train)} images of {data.name} in {seconds:.1f} s"
        f"{_best(classifier)}\n"
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
        "best_epoch": classifier.best_epoch_,
        "epochs": classifier.history_,
    }
    options.show(args, text, report)
    return 0


def _best(classifier):
    if not classifier.validation:
        return ""
    score = classifier.history_[classifier.best_epoch_ - 1]["validation"]["score"]
    return f"; epoch {classifier.best_epoch_} is the best, validation score {score:.2%}"
