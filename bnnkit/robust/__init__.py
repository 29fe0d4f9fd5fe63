"""Adversarial training: attack the model, add what fooled it, train again."""

from bnnkit.robust.certified import Certified
from bnnkit.robust.exact_training import ExactTraining
from bnnkit.robust.history import Counts, History, Round
from bnnkit.robust.loop import train
from bnnkit.robust.sources import Drawn, Live, Pool, Source

__all__ = [
    "Certified",
    "Counts",
    "Drawn",
    "ExactTraining",
    "History",
    "Live",
    "Pool",
    "Round",
    "Source",
    "train",
]
