"""Adversarial training: take images that should be learned, add them, train again."""

from bnnkit.robust.certified import Certified
from bnnkit.robust.exact_training import ExactTraining
from bnnkit.robust.history import Counts, History, Round
from bnnkit.robust.judges import Judge
from bnnkit.robust.loop import train
from bnnkit.robust.pool import Pool
from bnnkit.robust.sources import (
    Drawn,
    Live,
    Mixed,
    Noise,
    Originals,
    Relabelled,
    Source,
    Stock,
)

__all__ = [
    "Certified",
    "Counts",
    "Drawn",
    "ExactTraining",
    "History",
    "Judge",
    "Live",
    "Mixed",
    "Noise",
    "Originals",
    "Pool",
    "Relabelled",
    "Round",
    "Source",
    "Stock",
    "train",
]
