"""Train robustly: attack the network, add what fooled it, train again, a few rounds."""

import time
from pathlib import Path

from bnnkit._progress import say
from bnnkit.cli import options
from bnnkit.cli.attack import NAMES, make_attack

EXAMPLES = """\
examples:
  bnnkit harden --dataset mnist --architecture mlp-small --eps 0.05 --rounds 3 --out hard
  bnnkit harden --eps 0.1 --attack pgd --images-per-round 500 --out hard

Writes the network of each round, the adversarial images, history.json and rounds.png.
The verdicts are those of the exact attack on the first test images.
"""


def add_arguments(parser):
    """Arguments of ``bnnkit harden``."""
    options.add_data(parser)
    options.add_training(parser)
    options.add_question(parser)
    options.add_attack_settings(parser)
    parser.add_argument("--attack", choices=NAMES, default="exact", help="default: exact")
    parser.add_argument(
        "--rounds",
        type=options.positive,
        default=3,
        metavar="N",
        help="rounds of attack and training after the first (default: 3)",
    )
    parser.add_argument(
        "--images-per-round",
        type=options.positive,
        default=200,
        metavar="N",
        help="training images that a round attacks (default: 200)",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the results")
    options.add_json(parser)


def run(args):
    """Run the loop; each finished round is printed and on disk before the next begins."""
    from bnnkit import attacks, robust

    options.check_folder(args.out)
    data = options.load_data(args)
    folder = Path(args.out)
    started = time.perf_counter()
    history = robust.train(
        lambda: options.make_classifier(args, data),
        make_attack(args.attack, args),
        data,
        eps=args.eps,
        rounds=args.rounds,
        images_per_round=args.images_per_round,
        judge=attacks.Exact(solver=args.solver, timeout=args.timeout, n_jobs=args.jobs),
        n_judge=args.first,
        random_state=args.seed,
        on_round=Rounds(folder, quiet=args.json),
    )
    text = f"written to {folder} after {time.perf_counter() - started:.1f} s"
    options.show(args, text, history.to_dict())
    return 0


class Rounds:
    """Print a line and write all results so far as each round of robust training ends."""

    _COLUMNS = ("round", "images", "added", "clean", "robust", "falsified", "unknown", "s")

    def __init__(self, folder, quiet=False):
        self.folder, self.quiet = folder, quiet

    def __call__(self, history):
        write_round(self.folder, history)
        if self.quiet:
            return
        finished = history.rounds[-1]
        (counts,) = finished.judged.values()
        cells = (
            finished.index,
            finished.n_train,
            finished.n_added,
            f"{finished.clean_accuracy:.2%}",
            counts.robust,
            counts.falsified,
            counts.unknown,
            f"{sum(finished.seconds.values()):.1f}",
        )
        if finished.index == 0:
            say("  ".join(f"{name:>9}" for name in self._COLUMNS))
        say("  ".join(f"{cell:>9}" for cell in cells))


def write_round(folder, history):
    """Write the last round's network, history.json, all adversarial images, and the curve."""
    from bnnkit import plots
    from bnnkit._files import write_npz
    from bnnkit.cli.pictures import write_figure

    history.model.network_.save(folder / f"round-{history.rounds[-1].index}.npz")
    history.to_json(folder / "history.json")
    images, labels = history.pool
    write_npz(folder / "adversarial.npz", {"images": images, "labels": labels})
    write_figure(folder / "rounds.png", plots.rounds(history))
