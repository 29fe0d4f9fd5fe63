"""How much an attack finds on a trained recipe, beside what is proved.

    python benchmarks/robust_attacks.py NAME [--first 500] [--data-home DIR] [--folder runs/NAME]

Prints a row of a Markdown table for each attack: test images that withstand it, and the seconds
that it took. PGD follows the gradient of the latent network, so the recipe's run is needed; if it
is not finished, it is trained first. The last row is exact.
"""

import argparse
import time
from pathlib import Path

from robust_recipes import RECIPES, train

from bnnkit import datasets, verify_all
from bnnkit.attacks import PGD, RandomNoise

ATTACKS = {
    "PGD, 1 step": PGD(steps=1, random_state=0),
    "PGD, 3 steps": PGD(steps=3, random_state=0),
    "PGD, 10 steps": PGD(steps=10, random_state=0),
    "PGD, 100 steps": PGD(steps=100, random_state=0),
    "PGD, 1 step, 16 starts": PGD(steps=1, restarts=16, random_state=0),
    "PGD, 3 steps, 16 starts": PGD(steps=3, restarts=16, random_state=0),
    "1 random corner": RandomNoise(tries=1, low=1, random_state=0),
    "16 random corners": RandomNoise(tries=16, low=1, random_state=0),
    "64 random corners": RandomNoise(tries=64, low=1, random_state=0),
    "256 random corners": RandomNoise(tries=256, low=1, random_state=0),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--first", type=int, default=500, help="test images that are attacked")
    parser.add_argument("--data-home", metavar="DIR")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="of the run")
    options = parser.parse_args()
    recipe = RECIPES[options.name]
    data = datasets.load(recipe.dataset, data_home=options.data_home)
    classifier = train(recipe, data, options.folder or Path("runs") / options.name)
    print("| attack | withstand it, % | s |\n| --- | --: | --: |")
    first = slice(options.first)
    for row in rows(classifier, data.test.images[first], data.test.labels[first], recipe.eps):
        print(row, flush=True)


def rows(classifier, images, labels, eps):
    """A row for each attack, then the exact one."""
    for name, attack in ATTACKS.items():
        model = classifier if isinstance(attack, PGD) else classifier.network_
        attack(model, images[:1], labels[:1], eps)  # compiles
        started = time.perf_counter()
        withstand = 1 - attack(model, images, labels, eps).success.mean()
        yield f"| {name} | {100 * withstand:.1f} | {time.perf_counter() - started:.2f} |"
    started = time.perf_counter()
    verdicts = verify_all(classifier.network_, images, labels, eps)
    proved, counts = 100 * verdicts.certified_accuracy, verdicts.counts
    seconds = time.perf_counter() - started
    yield f"| exact, {counts['unknown']} unknown | {proved:.1f} | {seconds:.2f} |"


if __name__ == "__main__":
    main()
