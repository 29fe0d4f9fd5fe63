"""Train robustly: attack the network, add what fooled it, train again, a few rounds."""

import time
from pathlib import Path

from bnnkit._progress import say
from bnnkit.cli import options
from bnnkit.cli.attack import NAMES, make_attack

EXAMPLES = """\
examples:
  bnnkit harden --dataset mnist --architecture mlp-small --eps 0.05 --rounds 3 --out hard
  bnnkit harden --eps 0.1 --attack pgd --images-per-round 200 --refill --start 500 --out hard
  bnnkit harden --eps 0.1 --source pool --pool hard/adversarial.npz --models 5 --out pooled
  bnnkit harden --eps 0.1 --models 3 --vote --out vote

Writes the network of each round, the images that were added, history.json, rounds.csv and
rounds.png. The verdicts are those of the exact attack on the first test images. The same
command goes on where it was killed; `run` in the folder has what it needs for that.
"""

SOURCES = ("live", "pool", "noise", "high-noise", "originals")


def add_arguments(parser):
    """Arguments of ``bnnkit harden``."""
    options.add_data(parser)
    options.add_training(parser)
    options.add_question(parser)
    options.add_attack_settings(parser)
    _add_source(parser)
    parser.add_argument(
        "--models",
        type=options.positive,
        default=1,
        metavar="K",
        help="train K networks side by side, from K seeds (default: 1)",
    )
    parser.add_argument(
        "--vote",
        action="store_true",
        help="attack and judge the vote of --models K, and not each network by itself",
    )
    parser.add_argument(
        "--rounds",
        type=options.positive,
        default=3,
        metavar="N",
        help="rounds of adding images and training after the first (default: 3)",
    )
    parser.add_argument(
        "--target",
        type=options.share,
        metavar="SHARE",
        help="stop when this share of the judged images is proved robust (for each network)",
    )
    parser.add_argument(
        "--budget", type=options.seconds, metavar="S", help="stop after the round that ends later"
    )
    parser.add_argument(
        "--judge-pool",
        metavar="FILE",
        help="count the right answers for these images as well (.npz with images and labels)",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the results")
    options.add_json(parser)


def _add_source(parser):
    parser.add_argument(
        "--source",
        type=options.one_of("source", SOURCES),
        metavar="NAME",
        default="live",
        help="what a round adds: images that the attack finds (live; the default), the next ones "
        "of --pool (pool), images with noise (noise, high-noise), or as they are (originals)",
    )
    parser.add_argument(
        "--attack",
        type=options.one_of("attack", NAMES),
        default="exact",
        metavar="NAME",
        help=f"one of {', '.join(NAMES)} (default: exact)",
    )
    parser.add_argument(
        "--pool", metavar="FILE", help="premade adversarial images: .npz with images and labels"
    )
    parser.add_argument(
        "--images-per-round",
        type=options.positive,
        default=200,
        metavar="N",
        help="images that a round attacks or takes (default: 200)",
    )
    parser.add_argument(
        "--refill", action="store_true", help="attack until so many were found, not just tried"
    )
    parser.add_argument(
        "--start",
        type=options.positive,
        metavar="N",
        help="train on the first N training images at first; rounds take from the others",
    )


def run(args):
    """Run the loop; each finished round is printed and on disk before the next begins."""
    from bnnkit import robust

    options.check_folder(args.out)
    source = make_source(args)
    data = options.load_data(args)
    folder = Path(args.out)
    started = time.perf_counter()
    history = robust.train(
        [_maker(args, data, args.seed + i) for i in range(args.models)],
        source,
        data,
        eps=args.eps,
        rounds=args.rounds,
        images_per_round=args.images_per_round,
        start=args.start,
        judge=_judges(args),
        n_judge=args.first,
        seconds=args.budget,
        target=_target(args),
        folder=folder / "run",
        n_jobs=args.jobs,
        random_state=args.seed,
        on_round=Rounds(folder, quiet=args.json),
    )
    text = f"written to {folder} after {time.perf_counter() - started:.1f} s"
    options.show(args, text, history.to_dict())
    return 0


def make_source(args):
    """The source that the arguments name; the pool is read."""
    from bnnkit import robust

    if (args.source == "pool") != (args.pool is not None):
        raise ValueError("--source pool and --pool FILE belong together; give both or neither")
    if args.refill and args.source != "live":
        raise ValueError(f"--refill is about --source live, got --source {args.source}")
    if args.source == "pool":
        return robust.Pool.load(args.pool)
    if args.source == "originals":
        return robust.Originals()
    if args.source == "live":
        attack = _exact(args) if args.attack == "exact" else make_attack(args.attack, args)
        return robust.Live(attack, args.refill, "vote" if args.vote else "each")
    return robust.Noise(low=0.7 if args.source == "high-noise" else 0.0)


def _judges(args):
    from bnnkit import robust

    judges = {"Exact": robust.Judge(_exact(args), against="vote" if args.vote else "each")}
    if args.judge_pool is not None:
        judges["pool"] = robust.Pool.load(args.judge_pool)
    return judges


def _exact(args):
    from bnnkit import attacks

    kind = attacks.VoteExact if args.vote else attacks.Exact
    return kind(solver=args.solver, timeout=args.timeout, n_jobs=args.jobs)


def _target(args):
    from bnnkit.robust.opponents import numbered

    names = numbered("Exact", 1 if args.vote else args.models)
    return {} if args.target is None else dict.fromkeys(names, args.target)


def _maker(args, data, seed):
    return lambda: options.make_classifier(args, data).set_params(random_state=seed)


class Rounds:
    """Print the verdicts and write all results so far as each round of robust training ends."""

    _COLUMNS = ("round", "images", "added", "clean", "judge", "robust", "falsified", "unknown", "s")

    def __init__(self, folder, quiet=False):
        self.folder, self.quiet = folder, quiet

    def __call__(self, history):
        write_round(self.folder, history)
        if self.quiet:
            return
        finished = history.rounds[-1]
        if finished.index == 0:
            self._say(self._COLUMNS)
        for name, counts in finished.judged.items():
            self._say(
                (
                    finished.index,
                    finished.n_train,
                    finished.n_added,
                    f"{finished.clean_accuracy:.2%}",
                    *(name, counts.robust, counts.falsified, counts.unknown),
                    f"{sum(finished.seconds.values()):.1f}",
                )
            )

    @staticmethod
    def _say(cells):
        say("  ".join(f"{cell:>9}" for cell in cells))


def write_round(folder, history):
    """Write the last round's networks, all images that were added, the history and its curve."""
    from bnnkit import plots
    from bnnkit._files import write_npz
    from bnnkit.cli.pictures import write_figure

    name = f"round-{history.rounds[-1].index}"
    members = getattr(history.model, "members", None)
    if members is None:
        history.model.network_.save(folder / f"{name}.npz")
    for i, member in enumerate(members or []):
        member.network_.save(folder / f"{name}-model-{i}.npz")
    history.to_json(folder / "history.json")
    history.to_csv(folder / "rounds.csv")
    images, labels = history.pool
    arrays = {"images": images, "labels": labels, "origin": history.origin}
    write_npz(folder / "adversarial.npz", arrays)
    write_figure(folder / "rounds.png", plots.rounds(history))
