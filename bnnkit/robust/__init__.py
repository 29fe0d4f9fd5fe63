"""Adversarial training: attack the model, add what fooled it, train again."""

from bnnkit.robust.history import Counts, History, Round
from bnnkit.robust.loop import train
from bnnkit.robust.sources import Drawn, Live, Pool, Source

__all__ = ["Counts", "Drawn", "History", "Live", "Pool", "Round", "Source", "train"]
