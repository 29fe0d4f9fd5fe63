"""What each part of a recipe is worth: train it with one part changed at a time.

    python benchmarks/robust_ablation.py [NAME] [--only VARIANT ...] [--data-home DIR] [--jobs 2]
                                         [--first 1000] [--timeout 1] [--folder runs/ablation]

Prints a row of a Markdown table for each variant, with the verdicts on the first test images;
a short time limit, since networks that were not trained to be verified would take days. "held
out" is the score that chose the epoch: certified, of up to 1,000 held-out training images. Runs
that were interrupted go on.
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path

from robust_evaluation import mean_ms, sparsities
from robust_minutes import minutes
from robust_recipes import RECIPES, train

from bnnkit import BNNClassifier, datasets, verify_all
from bnnkit.nn import BoundDecay

HEADER = """\
| variant | clean % | certified % | robust / falsified / unknown | ms | zeros % | held out % | min |
| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |"""


def variants(recipe):
    """Settings by the name of the variant; each changes one thing of `recipe`."""
    exact = recipe.settings["adversary"]
    pgd = exact.adversary
    early = math.nextafter(pgd.eps_ramp, 0)  # an epoch that ends with the ramp has full eps
    settings = {
        "the recipe": {},
        "PGD alone, no solver": {"adversary": pgd},
        "the solver in all epochs of full eps": {"adversary": replace(exact, start=early)},
        "no search before the solver": {"adversary": replace(exact, searches=0)},
        "one step of PGD": {"adversary": with_pgd(exact, steps=1)},
        "ten steps of PGD": {"adversary": with_pgd(exact, steps=10)},
        "half of each batch clean": {"adversary": with_pgd(exact, clean_share=0.5)},
        "clean training": {"adversary": None, "interval_loss": 0.0},
        "plain ternary quantiser": {"weights": "ternary"},
        "binary weights": {"weights": "binary", "mask_decay": 0.0},
        "no mask decay": {"mask_decay": 0.0},
        "mask decay times 4": {"mask_decay": fourfold(recipe.settings["mask_decay"])},
        "bound decay 1e-4": {"bound_decay": BoundDecay(1e-4)},
        "bound decay 1e-3": {"bound_decay": BoundDecay(1e-3)},
        "interval loss 0.1": {"interval_loss": 0.1},
        "interval loss 0.3": {"interval_loss": 0.3},
        "interval loss 1": {"interval_loss": 1.0},
        "adaptive surrogates": {"surrogate_scale": "adaptive"},
        "surrogates twice as narrow": {"surrogate_scale": 2.0},
        "hard tanh": {"surrogate": "hardtanh"},
        "input step 1": {"quant_step": 1.0},
        "seed 1": {"random_state": 1},
        "seed 2": {"random_state": 2},
        "no interval loss": {"interval_loss": 0.0},
    }
    own = BNNClassifier(**recipe.settings).get_params()
    return {
        name: changes for name, changes in settings.items() if not changes or own | changes != own
    }


def fourfold(decay):
    """Four times a mask decay, or that of each layer."""
    return tuple(4 * one for one in decay) if isinstance(decay, tuple) else 4 * decay


def with_pgd(exact, **changes):
    """An ExactTraining with another PGDTraining."""
    return replace(exact, adversary=replace(exact.adversary, **changes))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", default="mnist-conv-small-eps0.3", choices=RECIPES)
    parser.add_argument("--only", nargs="+", metavar="VARIANT")
    parser.add_argument("--data-home", metavar="DIR")
    parser.add_argument("--folder", type=Path, default=Path("runs/ablation"), metavar="DIR")
    parser.add_argument("--first", type=int, default=1000, help="test images that are verified")
    parser.add_argument("--timeout", type=float, default=1.0, help="seconds for each of them")
    parser.add_argument("--jobs", type=int, default=2, help="processes that verify")
    options = parser.parse_args()
    recipe = RECIPES[options.name]
    data = datasets.load(recipe.dataset, data_home=options.data_home)
    print(HEADER, flush=True)
    for name, changes in variants(recipe).items():
        if options.only is None or name in options.only:
            changed = replace(recipe, settings=recipe.settings | changes)
            folder = options.folder / options.name / name.replace(" ", "-")
            print(row(name, changed, train(changed, data, folder), data.test, options), flush=True)


def row(name, recipe, classifier, test, options):
    """A row of the table for a trained network."""
    network = classifier.network_
    verdicts = verify_all(
        *(network, test.images[: options.first], test.labels[: options.first], recipe.eps),
        timeout=options.timeout,
        n_jobs=options.jobs,
    )
    clean = (network.predict(test.images) == test.labels).mean()
    counts = " / ".join(str(count) for count in verdicts.counts.values())
    held_out = classifier.history_[classifier.best_epoch_ - 1]["validation"]["score"]
    return (
        f"| {name} | {clean:.2%} | {verdicts.certified_accuracy:.1%} | {counts} "
        f"| {mean_ms(verdicts):.2f} | {sparsities(network)[1]:.1%} | {held_out:.1%} "
        f"| {minutes(classifier.history_)[-1]:.1f} |"
    ).replace("%", "")


if __name__ == "__main__":
    main()
