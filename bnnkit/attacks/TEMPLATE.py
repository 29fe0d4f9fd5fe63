"""A template for a new attack: copy this file, and replace what this attack does.

An attack proposes images, and that is all: the base class checks the arguments, sets aside the
images that the model already gets wrong, clips what is proposed into the ball, and asks the model
itself which of them fool it. So a new attack can be weak, but its successes are real.

1. Make a frozen dataclass of `Attack`. Its fields are the options, and are checked in
   ``__post_init__``: its ``repr`` then tells runs of other options apart.
2. Write `_perturb`. `ball.center`, `ball.low` and `ball.high` are float32 images in [0, 1];
   `ball.clip` takes images back into the ball.
3. Use it wherever an attack is taken: on its own, in `bnnkit.robust.train`, in
   `bnnkit.assess.make_pool`.

An attack that can *prove* that nothing in the ball fools the model is complete: see `Exact`.
"""

from dataclasses import dataclass

import numpy as np

from bnnkit._options import check_count
from bnnkit.attacks.base import Attack
from bnnkit.attacks.models import predict


@dataclass(frozen=True)
class Lighting(Attack):
    """Make all pixels darker or brighter, by the same amount.

    Parameters
    ----------
    tries : int
        Amounts between 0 and eps, in each direction.
    """

    tries: int = 5

    def __post_init__(self):
        check_count("tries", self.tries)

    def _perturb(self, model, ball, labels):
        adversarial, open_ones = ball.center.copy(), np.ones(len(labels), dtype=bool)
        for share in np.linspace(0, 1, self.tries + 1)[1:]:
            for amount in (share * float(ball.eps), -share * float(ball.eps)):
                proposed = ball.clip(ball.center + np.float32(amount))
                fooled = open_ones & (predict(model, proposed) != labels)
                adversarial[fooled] = proposed[fooled]
                open_ones &= ~fooled
        return adversarial, False  # no image is undecided for want of time
