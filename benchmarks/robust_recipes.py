"""Make a network of the zoo: train it by its recipe, evaluate it, write it with its card.

    python benchmarks/robust_recipes.py NAME [--data-home DIR] [--folder runs/NAME] [--out DIR]
                                             [--jobs 2] [--only-evaluate]
    python benchmarks/robust_recipes.py --list

Training writes a checkpoint after each epoch into --folder; the same command goes on where it
was interrupted, and a finished run is not trained again. Evaluation takes all test images: as
they are, attacked, and verified. --out is the zoo's folder in the package unless given.
--only-evaluate refuses to train: for a run that is finished.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

from robust_evaluation import evaluate, origin, sparsities
from robust_minutes import minutes

from bnnkit import BNNClassifier, datasets
from bnnkit._files import write_text
from bnnkit.nn import PGDTraining
from bnnkit.robust import Certified, ExactTraining
from bnnkit.zoo import Card, Training, Zoo
from bnnkit.zoo.catalog import PACKAGED

NETWORK = "network.npz"  # of a finished run, in its folder
ORIGIN = "origin.json"  # where and when it was finished, written last


@dataclass(frozen=True)
class Recipe:
    """A data set, the radius to evaluate for, and the arguments of BNNClassifier."""

    dataset: str
    eps: float
    settings: dict


def mnist(architecture, eps, *, quant_step=0.61, **settings):
    """Recipe for MNIST; of 5,000 held-out training images, 1,000 choose the epoch."""
    settings |= {"quant_step": quant_step, "validation": 5000}
    return Recipe("mnist", eps, _settings(architecture, eps, **settings))


def cifar10(architecture, grey_levels, **settings):
    """Recipe for CIFAR-10, or a sample of it; of a tenth held out, 1,000 choose the epoch."""
    eps = grey_levels / 255
    settings |= {"quant_step": 0.064, "validation": 0.1}
    return Recipe("cifar10", eps, _settings(architecture, eps, **settings))


def _settings(architecture, eps, *, steps=3, exact=None, limit=0.02, **settings):
    common = {
        "architecture": architecture,
        "epochs": 16,
        "batch_size": 128,
        "learning_rate": 1e-3,
        "mask_scale": 0.01,
        "adversary": ExactTraining(
            PGDTraining(eps, steps=steps), **{"start": 0.75} | (exact or {})
        ),
        "monitor": Certified(eps, timeout=limit),
        "random_state": 0,
    }
    return common | settings


# six hidden layers learn to look robust to gradients; intervals see what these do not
DEEP = {
    "steps": 1,
    "exact": {"share": 0.5, "conflicts": 100, "searches": 0},
    "limit": 0.1,
}
# gradients are smaller in dense layers, and so is the decay that they bear
DECAY = (3.5e-5, 5e-5, 5e-5, 5e-5, 1.5e-5, 1.5e-5, 1.5e-5)

RECIPES = {
    "mnist-conv-small-eps0.1": mnist(
        "conv-small", 0.1, mask_decay=7e-5, interval_loss=0.1, epochs=20
    ),
    "mnist-conv-small-eps0.3": mnist("conv-small", 0.3, mask_decay=1.4e-4, interval_loss=0.1),
    "mnist-conv-large-eps0.1": mnist(
        "conv-large", 0.1, mask_decay=DECAY, interval_loss=0.1, **DEEP
    ),
    "mnist-conv-large-eps0.3": mnist(
        "conv-large", 0.3, mask_decay=DECAY, interval_loss=0.3, **DEEP
    ),
    "mnist-mlp-eps0.1": mnist(
        "500-300-200-100",
        0.1,
        quant_step=0.1,
        mask_decay=1e-4,
        interval_loss=0.3,
        steps=7,
        epochs=20,
    ),
    "cifar10-conv-small-eps2": cifar10(
        "conv-small", 2, mask_decay=2e-4, interval_loss=0.3, epochs=30
    ),
    "cifar10-conv-small-eps8": cifar10(
        "conv-small", 8, mask_decay=2e-4, interval_loss=0.3, epochs=30
    ),
}


def main():
    options = arguments()
    if options.list:
        for name, recipe in RECIPES.items():
            print(name, recipe, sep="\n    ")
        return
    recipe = RECIPES[options.name]
    data = datasets.load(recipe.dataset, data_home=options.data_home)
    folder = options.folder or Path("runs") / options.name
    if options.only_evaluate and not finished(folder):
        raise SystemExit(f"{folder} holds no finished run; leave out --only-evaluate to train")
    classifier = train(recipe, data, folder)
    card = describe(options.name, recipe, classifier, folder, data, options.jobs)
    Zoo(options.out).add(card, classifier.network_)
    print(card)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("name", nargs="?", choices=RECIPES, metavar="NAME")
    what.add_argument("--list", action="store_true", help="show the recipes")
    parser.add_argument("--data-home", metavar="DIR")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="of the run")
    parser.add_argument("--out", type=Path, default=PACKAGED.folder, metavar="DIR")
    parser.add_argument("--jobs", type=int, default=2, help="processes that verify")
    parser.add_argument("--only-evaluate", action="store_true", help="never train")
    return parser.parse_args()


def train(recipe, data, folder):
    """A classifier fitted by `recipe`; goes on with a run that `folder` holds."""
    folder, classifier = Path(folder), BNNClassifier(**recipe.settings, n_classes=len(data.classes))
    was_finished = finished(folder)
    if not was_finished:
        (folder / ORIGIN).unlink(missing_ok=True)  # of a run whose checkpoint is gone
    classifier.fit(data.train.images, data.train.labels, folder=folder)
    if not was_finished:
        classifier.network_.save(folder / NETWORK)
        write_text(folder / ORIGIN, json.dumps(origin()))
    return classifier


def finished(folder):
    """Whether `folder` holds a run that `train` has finished."""
    return all((folder / name).exists() for name in ("checkpoint.npz", NETWORK, ORIGIN))


def describe(name, recipe, classifier, folder, data, jobs):
    """Evaluate a network that was trained in `folder`; its card."""
    network = classifier.network_
    layers, total = sparsities(network)
    history = classifier.history_
    return Card(
        name=name,
        dataset=recipe.dataset,
        architecture=classifier.architecture,
        quant_step=float(classifier.quant_step),
        input_shape=list(network.input_shape),
        eps=float(recipe.eps),
        sparsity=layers,
        total_sparsity=total,
        digest=network.digest,
        training=Training(
            settings=settings_of(classifier),
            images=len(data.train),
            epochs=len(history),
            best_epoch=classifier.best_epoch_,
            minutes=round(minutes(history)[-1], 2),
            **json.loads((folder / ORIGIN).read_text(encoding="utf-8")),
            command=f"python benchmarks/robust_recipes.py {name}",
        ),
        evaluation=evaluate(
            classifier,
            data.test,
            recipe.eps,
            jobs,
            f"python benchmarks/robust_table.py --verify {name}",
        ),
    )


def settings_of(classifier):
    """All arguments of a classifier by name: as JSON has them, or as text."""
    plain = (str, int, float, bool, type(None))
    return {
        name: value if isinstance(value, plain) else repr(value)
        for name, value in classifier.get_params().items()
    }


if __name__ == "__main__":
    main()
