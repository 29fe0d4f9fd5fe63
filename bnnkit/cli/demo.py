"""See everything work in a minute: train, verify with two solvers, harden, verify again."""

import json
import platform
import time
from pathlib import Path

from bnnkit._progress import say
from bnnkit.cli import options

EXAMPLES = """\
example:
  bnnkit demo --out bnnkit-demo

Uses the handwritten digits that come with the package. Writes the networks, a sheet of
adversarial images, the curve over the rounds, and all numbers as JSON.
"""

ARCHITECTURE, QUANT_STEP, EPOCHS, MASK_DECAY = "256", 1.0, 40, 1e-3
EPS, ROUNDS, IMAGES, TIMEOUT = 0.2, 3, 480, 20.0
SOLVERS = ("native", "cp-sat")


def add_arguments(parser):
    """Arguments of ``bnnkit demo``."""
    parser.add_argument(
        "--out", default="bnnkit-demo", metavar="DIR", help="folder (default: %(default)s)"
    )
    parser.add_argument("--seed", type=options.seed, default=0, metavar="N", help="default: 0")
    options.add_json(parser)


def run(args):
    """Run the whole story and write its folder."""
    started = time.perf_counter()
    options.check_folder(args.out)
    story = _Story(Path(args.out), quiet=args.json)
    history = story.harden(args.seed)
    first, last = history.rounds[0].index, history.rounds[-1].index
    story.say(f"\nbefore and after, {story.n_test} test images, eps {EPS:g}\n{story.table()}")
    if story.disagreements:
        raise RuntimeError(f"the solvers disagree on test images {story.disagreements}")
    story.say(f"\n{' and '.join(SOLVERS)} agree on every image that both decided")
    story.write(history, seconds=time.perf_counter() - started)
    story.say(
        f"written to {story.folder}: networks of rounds {first} to {last}, adversarial.png, "
        f"rounds.png, demo.json\n{time.perf_counter() - started:.0f} s in all"
    )
    if args.json:
        print((story.folder / "demo.json").read_text(), end="")
    return 0


class _Story:
    """What the demo has found so far, and where it goes."""

    def __init__(self, folder, quiet):
        from bnnkit import datasets

        self.folder, self.quiet = folder, quiet
        self.data = datasets.load("digits")
        self.n_test = len(self.data.test)
        self.rows, self.verdicts, self.disagreements = [], {}, []
        self.say(f"digits: {len(self.data.train)} training images, {self.n_test} test images, 8x8")

    def say(self, text):
        if not self.quiet:
            say(text)

    def harden(self, seed):
        """Train, then attack and train again; every round is verified by the first solver."""
        from bnnkit import BNNClassifier, attacks, robust

        exact = attacks.Exact(solver=SOLVERS[0], timeout=TIMEOUT, falsify=0)
        return robust.train(
            lambda: BNNClassifier(
                ARCHITECTURE,
                quant_step=QUANT_STEP,
                epochs=EPOCHS,
                mask_decay=MASK_DECAY,
                n_classes=len(self.data.classes),
                random_state=seed,
            ),
            exact,
            self.data,
            eps=EPS,
            rounds=ROUNDS,
            images_per_round=IMAGES,
            judge=exact,
            n_judge=self.n_test,
            random_state=seed,
            on_round=self.on_round,
        )

    def on_round(self, history):
        from bnnkit.cli.harden import write_round

        write_round(self.folder, history)
        finished, network = history.rounds[-1], history.model.network_
        if finished.index == 0:
            self.say(f"\nthe exact network, after {finished.seconds['fit']:.1f} s of training")
            self.say(network.summary())
            self.say("\nrounds of robust training")
        (counts,) = finished.judged.values()
        self.say(
            f"  round {finished.index}: {finished.n_train} images ({finished.n_added} new "
            f"adversarial ones), clean accuracy {finished.clean_accuracy:.1%}, robust "
            f"{counts.robust}, falsified {counts.falsified}, unknown {counts.unknown}"
        )
        if finished.index in (0, ROUNDS):
            self._compare("before" if finished.index == 0 else "after", finished, network)

    def _compare(self, when, finished, network):
        """Verify all test images with each solver, and put the answers side by side."""
        from bnnkit import verify_all
        from bnnkit.verification import combine

        test = self.data.test
        found = {
            solver: verify_all(network, test.images, test.labels, EPS, solver, TIMEOUT)
            for solver in SOLVERS
        }
        self.disagreements += combine(found.values())[1]
        for solver, verdicts in found.items():
            clean = f"{finished.clean_accuracy:.1%}"
            counts = verdicts.counts.values()
            self.rows.append((when, solver, clean, *counts, f"{verdicts.seconds:.1f}"))
        self.verdicts[when] = found

    def table(self):
        from bnnkit._table import table

        return table(
            ("", "solver", "clean", "robust", "falsified", "unknown", "seconds"), self.rows
        )

    def write(self, history, seconds):
        """Write the pictures and the numbers."""
        import numpy as np

        from bnnkit._files import write_text
        from bnnkit.cli.pictures import write_sheet

        verdicts = self.verdicts["before"][SOLVERS[0]]
        found = np.flatnonzero(verdicts.status == "falsified")
        images, labels = self.data.test.images[found], self.data.test.labels[found]
        adversarial = np.array([verdicts[i].adversarial for i in found]).reshape(images.shape)
        sheet = self.folder / "adversarial.png"
        write_sheet(sheet, history.models[0].network_, images, adversarial, labels)
        write_text(self.folder / "demo.json", json.dumps(self._numbers(history, seconds), indent=2))

    def _numbers(self, history, seconds):
        from importlib.metadata import version

        from bnnkit import __version__

        packages = ("numpy", "numba", "python-sat", "ortools")
        versions = {"bnnkit": __version__, "python": platform.python_version()}
        return {
            "eps": EPS,
            "solvers": {
                when: {
                    solver: {**verdicts.counts, "seconds": verdicts.seconds}
                    for solver, verdicts in found.items()
                }
                for when, found in self.verdicts.items()
            },
            "disagreements": self.disagreements,
            **history.to_dict(),
            "seconds": seconds,
            "versions": versions | {name: version(name) for name in packages},
        }
