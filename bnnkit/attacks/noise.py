"""Random noise: the weakest attack, and the baseline for all others."""

from dataclasses import dataclass

import numpy as np

from bnnkit._options import check_count, check_number, check_seed
from bnnkit._progress import progress
from bnnkit.attacks.base import Attack
from bnnkit.attacks.models import predict


@dataclass(frozen=True)
class RandomNoise(Attack):
    """Add random noise to every pixel, a number of times, and keep what fools the model.

    Parameters
    ----------
    tries : int
        Draws for each image, ended at its first success.
    low : float
        The noise of a pixel has a random sign and a magnitude uniform in [low * eps, eps]:
        0 is uniform noise, 1 takes the corners of the ball, between them lies "high noise".
    random_state : int, optional
        Seed. None draws new noise in each call.

    Examples
    --------
    >>> import bnnkit
    >>> from bnnkit.attacks import RandomNoise
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> images = np.zeros((2, 1, 28, 28), np.uint8)
    >>> labels = network.predict(images)
    >>> attack = RandomNoise(tries=3, random_state=0)
    >>> attack(network, images, labels, eps=0.01).success.tolist()
    [False, False]
    """

    tries: int = 1
    low: float = 0.0
    random_state: int | None = None

    def __post_init__(self):
        check_count("tries", self.tries)
        check_seed("random_state", self.random_state)
        check_number("low", self.low)
        if not 0 <= self.low <= 1:
            raise ValueError(f"low is a share of eps in [0, 1], got {self.low}")

    def _perturb(self, model, ball, labels):
        generator = np.random.default_rng(self.random_state)
        adversarial = ball.center.copy()
        active = np.arange(len(labels))
        for _ in progress(range(self.tries), "noise"):
            adversarial[active] = ball.take(active).noise(generator, self.low)
            active = active[predict(model, adversarial[active]) == labels[active]]
            if not len(active):
                break
        return adversarial, False
