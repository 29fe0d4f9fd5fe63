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
from dataclasses import dataclass
from pathlib import Path

from robust_evaluation import evaluate, origin, sparsities

from bnnkit import BNNClassifier, datasets
from bnnkit.nn.adversary import PGDTraining
from bnnkit.nn.bound_decay import BoundDecay
from bnnkit.zoo import Card, Training, Zoo
from bnnkit.zoo.catalog import PACKAGED

NETWORK = "network.npz"  # of a finished run, in its folder


@dataclass(frozen=True)
class Recipe:
    """A data set, the radius to evaluate for, and the arguments of BNNClassifier."""

    dataset: str
    eps: float
    settings: dict


def mnist(architecture, eps, **settings):
    """Recipe for MNIST; the last 5,000 of the shuffled training images choose the epoch."""
    return Recipe("mnist", eps, _settings(architecture, eps, validation=5000, **settings))


def cifar10(architecture, grey_levels, **settings):
    """Recipe for CIFAR-10, or a sample of it; a tenth of the training images choose the epoch."""
    eps = grey_levels / 255
    settings = _settings(architecture, eps, quant_step=0.064, validation=0.1, **settings)
    return Recipe("cifar10", eps, settings)


def _settings(architecture, eps, **settings):
    common = {
        "architecture": architecture,
        "epochs": 100,
        "mask_decay": 1e-7,
        "bound_decay": BoundDecay(5e-4),
        "surrogate_scale": "adaptive",
        "adversary": PGDTraining(eps=eps),
        "random_state": 0,
    }
    return common | settings


RECIPES = {
    "mnist-conv-small-eps0.1": mnist("conv-small", 0.1, quant_step=0.61),
    "mnist-conv-small-eps0.3": mnist("conv-small", 0.3, quant_step=0.61),
    "mnist-conv-large-eps0.1": mnist("conv-large", 0.1, quant_step=0.61),
    "mnist-conv-large-eps0.3": mnist("conv-large", 0.3, quant_step=0.61),
    "mnist-mlp-eps0.1": mnist("500-300-200-100", 0.1, quant_step=0.1, mask_decay=1e-5),
    "cifar10-conv-small-eps2": cifar10("conv-small", 2),
    "cifar10-conv-small-eps8": cifar10("conv-small", 8),
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
    if options.only_evaluate and not (folder / NETWORK).exists():
        raise SystemExit(f"{folder} holds no finished run; leave out --only-evaluate to train")
    classifier = train(recipe, data, folder)
    card = describe(options.name, recipe, classifier, data, options.jobs)
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
    classifier = BNNClassifier(**recipe.settings, n_classes=len(data.classes))
    classifier.fit(data.train.images, data.train.labels, folder=folder)
    classifier.network_.save(Path(folder) / NETWORK)
    return classifier


def describe(name, recipe, classifier, data, jobs):
    """Evaluate a trained network; its card."""
    network = classifier.network_
    layers, total = sparsities(network)
    history = classifier.history_
    return Card(
        name=name,
        dataset=recipe.dataset,
        architecture=classifier.architecture,
        quant_step=float(classifier.quant_step),
        eps=float(recipe.eps),
        sparsity=layers,
        total_sparsity=total,
        digest=network.digest,
        training=Training(
            settings={key: _plain(value) for key, value in classifier.get_params().items()},
            images=len(data.train),
            epochs=len(history),
            best_epoch=classifier.best_epoch_,
            minutes=round(minutes(history), 2),
            **origin(),
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


def minutes(history):
    """Minutes of all epochs of a training."""
    return sum(record["seconds"] for record in history) / 60


def _plain(value):
    """A setting as JSON has it, or as text."""
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


if __name__ == "__main__":
    main()
