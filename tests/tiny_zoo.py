"""A zoo with one small network, made by the machinery that makes the package's."""

from types import SimpleNamespace

from robust_recipes import Recipe, describe, train

from bnnkit import datasets
from bnnkit.nn import PGDTraining
from bnnkit.robust import Certified, ExactTraining
from bnnkit.zoo import Zoo

NAME = "digits-tiny"
SETTINGS = {
    "architecture": "24",
    "quant_step": 0.5,
    "epochs": 3,
    "validation": 0.2,
    "mask_decay": 1e-3,
    "adversary": ExactTraining(PGDTraining(0.05, steps=2), start=0.7),
    "monitor": Certified(0.05, n_images=20, timeout=60),  # never reached: no matter of speed
    "random_state": 0,
}


def make(folder):
    """recipe, data, folder (of the run), classifier, card, zoo."""
    recipe, data = Recipe("digits", 0.05, SETTINGS), datasets.load("digits", limit=300)
    run, zoo = folder / "run", Zoo(folder / "zoo")
    classifier = train(recipe, data, run)
    card = describe(NAME, recipe, classifier, run, data, jobs=1)
    zoo.add(card, classifier.network_)
    return SimpleNamespace(
        recipe=recipe, data=data, folder=run, classifier=classifier, card=card, zoo=zoo
    )
