"""Arguments that several commands share, and what they mean."""

import argparse
import contextlib
import json
import math
import os
import re
import sys
from fractions import Fraction
from pathlib import Path

from bnnkit._names import unknown


def fraction(text):
    """Parse a number on the [0, 1] scale: "0.1" or "8/255"."""
    try:
        if len(text) > 40 or re.search(r"e[+-]?\d{3}", text, re.IGNORECASE):
            raise ValueError("a number of absurd length")  # Fraction would write it out in full
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number; write 0.1 or 8/255") from None


def shape(text):
    """Parse the shape of an image: "1x28x28"."""
    if re.fullmatch(r"\d{1,9}x\d{1,9}x\d{1,9}", text, re.ASCII):
        return tuple(map(int, text.split("x")))
    raise argparse.ArgumentTypeError(f"{text!r} is not channels x height x width; write 1x28x28")


def share(text):
    """Parse a share of images in [0, 1]."""
    value = fraction(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share in [0, 1]; 90 % is 0.9")
    return float(value)


def seed(text):
    """Parse a seed: a whole number of at least 0."""
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0")


def seconds(text):
    """Parse a positive number of seconds."""
    with contextlib.suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")


def one_of(what, names):
    """Return a parser of one of `names`, which answers others with the nearest one."""

    def parse(text):
        if text in names:
            return text
        raise argparse.ArgumentTypeError(unknown(what, text, names))

    return parse


def jobs(text):
    """Parse a number of processes as joblib counts them: -1 for all cores."""
    if re.fullmatch(r"-?\d{1,9}", text) and int(text) != 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes, nor -1 for all cores")


def n_bytes(text):
    """Parse an amount of memory: "4GiB", "500 MB", or bytes."""
    units = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)\s?([kmg]i?b|)", text.lower())
    if match is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an amount of memory; write 4GiB or 500MB"
        )
    return int(Fraction(match[1]) * units[match[2]])


def check_file(path):
    """Complain about a `path` that no file can be written to, before any work is done."""
    if path is not None and Path(path).is_dir():
        raise ValueError(f"{path} is a folder; name a file in it")


def check_outputs(csv, plot, *inputs):
    """Complain about files for rows and plot that cannot be written, or would overwrite others."""
    inputs = {os.path.realpath(path) for path in inputs}
    for path in filter(None, (csv, plot)):
        if os.path.realpath(path) in inputs:
            raise ValueError(f"{path} is one of the questions and would be overwritten")
        check_file(path)
    if plot and Path(plot).suffix.lower() not in ("", ".png", ".pdf", ".svg"):
        raise ValueError(f"{plot}: a plot is a .png, .pdf or .svg")
    if csv and plot and os.path.realpath(csv) in map(os.path.realpath, (plot, f"{plot}.csv")):
        raise ValueError(f"{csv} is named twice, for the rows and for the plot")


def check_folder(path):
    """Complain about a `path` that cannot be a folder, before any work is done."""
    if path is not None and Path(path).exists() and not Path(path).is_dir():
        raise ValueError(f"{path} is a file; name a folder for the results")


def positive(text):
    """Parse a whole number of at least 1."""
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")


def add_network(parser, nargs=None):
    """MODEL, for `load_network`."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        nargs=nargs,
        help="a file that bnnkit train wrote or bnnkit convert reads, or zoo:NAME for one that "
        "bnnkit zoo lists",
    )


def load_network(text, real=False):
    """The network of a file, or of the zoo where `text` is "zoo:NAME".

    A RealNetwork is refused unless `real` says that the command can do with it.
    """
    if text.startswith("zoo:"):
        from bnnkit import zoo

        return zoo.load(text.removeprefix("zoo:"))
    from bnnkit import BinaryNetwork
    from bnnkit.interop import read_network

    network = read_network(text)
    if not real and not isinstance(network, BinaryNetwork):
        raise ValueError(
            f"{text} reads real pixels, and this command is for networks that round them to "
            "levels; bnnkit evaluate and bnnkit convert take it"
        )
    return network


def add_data(parser, default="digits"):
    """--dataset, --data-home, --limit."""
    parser.add_argument(
        "--dataset",
        default=default,
        metavar="NAME",
        help="digits, mnist, fashion-mnist or cifar10 (default: %(default)s)",
    )
    parser.add_argument(
        "--data-home", metavar="DIR", help="folder of the data (default: $BNNKIT_DATA, the cache)"
    )
    parser.add_argument(
        "--limit", type=positive, metavar="N", help="use the first N images of each split only"
    )


def load_data(args):
    """The Dataset that the arguments of `add_data` name."""
    from bnnkit import datasets

    return datasets.load(args.dataset, data_home=args.data_home, limit=args.limit)


def add_training(parser):
    """--architecture, --quant-step, --epochs, --mask-decay, --seed."""
    parser.add_argument(
        "--architecture",
        default="mlp-small",
        metavar="NAME",
        help="a name (mlp-small, mlp-medium, mlp-large, cnn, conv-small, conv-large) or a "
        "specification such as 512-100 or conv16k4s2p1-100 (default: %(default)s)",
    )
    parser.add_argument(
        "--quant-step",
        type=fraction,
        default=Fraction(1, 10),
        metavar="S",
        help="width of an input level on the [0, 1] scale (default: 0.1)",
    )
    parser.add_argument("--epochs", type=positive, default=20, metavar="N", help="default: 20")
    parser.add_argument(
        "--mask-decay",
        type=float,
        default=0.0,
        metavar="D",
        help="pull towards sparse weights, e.g. 1e-4 (default: 0)",
    )
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="same seed, same network (default: 0)"
    )


def make_classifier(args, data):
    """A new BNNClassifier for `data` from the arguments of `add_training`."""
    from bnnkit import BNNClassifier

    return BNNClassifier(
        args.architecture,
        quant_step=args.quant_step,
        epochs=args.epochs,
        mask_decay=args.mask_decay,
        n_classes=len(data.classes),
        random_state=args.seed,
    )


def add_attack_settings(parser):
    """--steps, --solver."""
    parser.add_argument(
        "--steps",
        type=positive,
        default=20,
        metavar="N",
        help="steps of pgd, tries of noise (default: 20)",
    )
    parser.add_argument(
        "--solver",
        default="native",
        metavar="NAME",
        help="of the exact attack: one that bnnkit solvers lists (default: native)",
    )


def add_question(parser, nargs=None, required=True):
    """--eps (several with ``nargs="+"``), --jobs, --timeout, --first."""
    parser.add_argument(
        "--eps",
        nargs=nargs,
        type=fraction,
        required=required,
        metavar="E",
        help="radius of the ball on the [0, 1] scale: 0.1 or 8/255",
    )
    parser.add_argument(
        "--jobs", type=jobs, default=1, metavar="N", help="processes, -1 for all cores (default: 1)"
    )
    add_limits(parser)


def add_campaign(parser):
    """--store, --retry, --memory-limit."""
    parser.add_argument(
        "--store",
        metavar="FILE",
        help="write each verdict to this file as soon as it is known; what is there already is "
        "not asked again, so the same command goes on after an end of any kind",
    )
    parser.add_argument(
        "--retry",
        action="store_true",
        help="ask again what is unknown in the store because a process ended over it",
    )
    parser.add_argument(
        "--memory-limit",
        type=n_bytes,
        metavar="M",
        help="for each process that answers, such as 4GiB; what needs more is unknown",
    )


def add_limits(parser):
    """--timeout, --first."""
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=60.0,
        metavar="S",
        help="seconds for each question and solver (default: 60)",
    )
    parser.add_argument(
        "--first",
        type=positive,
        default=100,
        metavar="N",
        help="take the first N test images (default: %(default)s)",
    )


def add_json(parser):
    """--json."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def show(args, text, data):
    """Print `text`, or `data` as JSON where --json was given."""
    if args.json:
        json.dump(data, sys.stdout, indent=2)
        print()
    else:
        print(text)
