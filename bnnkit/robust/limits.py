"""When a robust training stops."""

import math
from dataclasses import dataclass

from bnnkit._options import check_count, check_range


@dataclass(frozen=True)
class Limits:
    """When a run stops: after so many rounds or seconds, or with these shares for these judges."""

    rounds: int
    seconds: float | None
    target: dict

    def __post_init__(self):
        check_count("rounds", self.rounds, least=0)
        if self.seconds is not None:
            check_range("seconds", self.seconds, "(0, inf)")
        if not isinstance(self.target, dict):
            raise TypeError(f"target must be a dict such as {{'PGD': 0.9}}, got {self.target!r}")
        for name, share in self.target.items():
            check_range(f"target[{name!r}]", share, "[0, 1]")

    def left(self, history):
        """Seconds that are left after the rounds so far."""
        return math.inf if self.seconds is None else self.seconds - history.seconds

    def reached(self, history, stock, source):
        """Why the run ends after the last round, or None if it goes on."""
        last = history.rounds[-1]
        found = last.clean | last.judged
        if self.target and all(found[name].share >= share for name, share in self.target.items()):
            return "target"
        if last.index == self.rounds:
            return "rounds"
        if self.left(history) <= 0:
            return "seconds"
        if source.takes_training_images and not stock.left:
            return "images"
        return None
