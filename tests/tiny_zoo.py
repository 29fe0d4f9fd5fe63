"""A zoo with one small network, made by the machinery that makes the package's."""

from types import SimpleNamespace

from robust_recipes import Recipe, describe, train

from bnnkit import datasets
from bnnkit.zoo import Zoo

NAME = "digits-tiny"
SETTINGS = {
    "architecture": "24",
    "quant_step": 0.5,
    "epochs": 3,
    "validation": 0.2,
    "mask_decay": 1e-3,
    "random_state": 0,
}


def make(folder):
    """recipe, data, folder (of the run), classifier, card, zoo."""
    recipe, data = Recipe("digits", 0.05, SETTINGS), datasets.load("digits", limit=300)
    classifier = train(recipe, data, folder / "run")
    card = describe(NAME, recipe, classifier, data, jobs=1)
    zoo = Zoo(folder / "zoo")
    zoo.add(card, classifier.network_)
    return SimpleNamespace(
        recipe=recipe, data=data, folder=folder / "run", classifier=classifier, card=card, zoo=zoo
    )
