"""Trained and certified networks that come with the package, each with its card.

Every file here was made by ``benchmarks/robust_recipes.py``, and by nothing else.

>>> from bnnkit import zoo
>>> all(zoo.load(name).digest == zoo.card(name).digest for name in zoo.names())
True
"""

from bnnkit.zoo.cards import Card, Evaluation, Training
from bnnkit.zoo.catalog import Zoo, card, load, names

__all__ = ["Card", "Evaluation", "Training", "Zoo", "card", "load", "names"]
