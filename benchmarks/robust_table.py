"""The networks of the zoo beside the published ones; and their proofs once more.

    python benchmarks/robust_table.py [--zoo DIR]
    python benchmarks/robust_table.py --verify NAME [--quick] [--data-home DIR] [--jobs 2]
                                      [--zoo DIR]

The first prints a Markdown table from the cards. The second classifies and verifies all test
images anew with the network of the package, and compares with its card; the exit code is 1 if
they contradict each other. What is unknown to either run, being a matter of time, does not.
With --quick, all are classified, and the first 1,000 verified.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

from robust_evaluation import FIRST, certify, images_digest, mean_ms

from bnnkit import datasets
from bnnkit.zoo import Zoo
from bnnkit.zoo.cards import radius_text
from bnnkit.zoo.catalog import PACKAGED


class Published(NamedTuple):
    """A row of Jia & Rinard, NeurIPS 2020: accuracies in %, mean seconds of a question."""

    certified: float
    clean: float
    pgd: float
    build: float
    solve: float


# 10,000 test images each, 200 epochs on a GPU
PUBLISHED = {
    "mnist-conv-small-eps0.1": Published(89.29, 97.44, 93.47, 0.0158, 0.0004),
    "mnist-conv-small-eps0.3": Published(66.42, 94.31, 80.70, 0.0140, 0.0006),
    "mnist-conv-large-eps0.1": Published(91.68, 97.46, 95.47, 0.1090, 0.0025),
    "mnist-conv-large-eps0.3": Published(77.59, 96.36, 87.90, 0.1140, 0.0039),
    "cifar10-conv-small-eps2": Published(26.13, 46.58, 33.70, 0.0258, 0.0013),
    "cifar10-conv-small-eps8": Published(18.93, 37.75, 24.60, 0.0313, 0.0014),
}

_HEADER = ("network", "eps", "images", "clean %", "PGD %", "certified %")
_HEADER += ("robust / falsified / unknown", "ms", "zeros %", "epochs", "min")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--verify", metavar="NAME", help="verify this network anew")
    parser.add_argument("--quick", action="store_true", help=f"verify the first {FIRST:,} images")
    parser.add_argument("--data-home", metavar="DIR")
    parser.add_argument("--jobs", type=int, default=2, help="processes that verify")
    parser.add_argument("--zoo", type=Path, default=PACKAGED.folder, metavar="DIR")
    options = parser.parse_args()
    zoo = Zoo(options.zoo)
    if options.verify is None:
        print(markdown(_HEADER, rows(zoo)))
        return 0
    card = zoo.card(options.verify)
    test = datasets.load(card.dataset, data_home=options.data_home).test
    return verify_again(card, zoo.load(card.name), test, options.jobs, options.quick)


def rows(zoo):
    """A row for each network, followed by that of the published one where there is one."""
    cards = [zoo.card(name) for name in zoo.names()]
    return [row for card in cards for row in (_row(card), *_published(card))]


def _row(card):
    found = card.evaluation
    shares = (found.clean_accuracy, found.pgd_accuracy, found.certified_accuracy)
    return (
        *(card.name, radius_text(card.eps), f"{found.images:,}"),
        *(f"{100 * share:.2f}" for share in shares),
        f"{found.robust} / {found.falsified} / {found.unknown}",
        *(f"{found.verify_ms:.2f}", f"{100 * card.total_sparsity:.1f}"),
        *(card.training.epochs, f"{card.training.minutes:.0f}"),
    )


def _published(card):
    row = PUBLISHED.get(card.name)
    if row is None:
        return []
    accuracies = (f"{share:.2f}" for share in (row.clean, row.pgd, row.certified))
    milliseconds = f"{1e3 * (row.build + row.solve):.1f}"
    return [("published", "", "10,000", *accuracies, "", milliseconds, "", 200, "")]


def markdown(header, rows):
    """A Markdown table; the first column to the left, the others to the right."""
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def verify_again(card, network, test, jobs, quick=False):
    """Compare a network's card with what is computed now; the exit code."""
    found = card.evaluation
    if images_digest(test) != found.images_digest:
        raise SystemExit(
            f"the card of {card.name} is about {found.images} other test images than the "
            f"{len(test)} of {card.dataset} here; --data-home names another folder"
        )
    correct = int((network.predict(test.images) == test.labels).sum())
    verdicts = certify(network, test.first(FIRST) if quick else test, card.eps, jobs)
    now = verdicts.counts
    then = found.first if quick else {status: getattr(found, status) for status in now}
    print(f"card: {found.correct} correct, {then}, {found.verify_ms:.2f} ms an image")
    print(f"now:  {correct} correct, {now}, {mean_ms(verdicts):.2f} ms an image")
    agree = correct == found.correct and consistent(then, now)
    print("they agree" if agree else "they contradict each other")
    return int(not agree)


def consistent(one, other):
    """Whether two countings of verdicts can be about the same questions.

    What is unknown to one of them may be anything to the other.
    """
    return all(
        a[status] <= b[status] + b["unknown"]
        for a, b in ((one, other), (other, one))
        for status in ("robust", "falsified")
    )


if __name__ == "__main__":
    raise SystemExit(main())
