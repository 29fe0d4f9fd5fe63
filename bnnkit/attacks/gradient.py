"""Attacks that follow the gradient of the loss."""

from dataclasses import dataclass

import numpy as np

from bnnkit._options import check_count, check_number, check_seed
from bnnkit._progress import progress
from bnnkit.attacks.base import Attack
from bnnkit.attacks.models import gradient_of, predict


@dataclass(frozen=True)
class FGSM(Attack):
    """Fast gradient sign method: one step of size eps along the sign of the gradient.

    The model needs ``loss_gradient(images, labels) -> (gradient, loss)``; for a
    BinaryNetwork a straight-through gradient stands in (see `Surrogate`).

    References
    ----------
    Goodfellow, Shlens, Szegedy. Explaining and harnessing adversarial examples. ICLR 2015.

    Examples
    --------
    >>> import bnnkit
    >>> from bnnkit.attacks import FGSM
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> images = np.zeros((2, 1, 28, 28), np.uint8)
    >>> labels = network.predict(images)
    >>> FGSM()(network, images, labels, eps=0.2).success.tolist()
    [True, True]
    """

    def _perturb(self, model, ball, labels):
        gradient, _ = gradient_of(model)(ball.center, labels)
        return ball.center + np.float32(ball.eps) * np.sign(gradient), False


@dataclass(frozen=True)
class PGD(Attack):
    """Projected gradient descent: many small signed steps, each clipped into the ball.

    Parameters
    ----------
    steps : int
    step_size : float, optional
        On the [0, 1] scale. None means 2.5 * eps / steps, which reaches every corner.
    restarts : int
        Runs from different starts, for the images that are not fooled yet.
    random_start : bool
        Start from uniform noise in the ball; otherwise from the image itself.
    random_state : int, optional
        Seed of the starts. None draws new ones in each call.

    Notes
    -----
    An image stops as soon as it is fooled. Where nothing fools the model, the iterate of
    the highest loss is returned. The model needs what `FGSM` needs.

    References
    ----------
    Madry, Makelov, Schmidt, Tsipras, Vladu. Towards deep learning models resistant to
    adversarial attacks. ICLR 2018.

    Examples
    --------
    >>> import bnnkit
    >>> from bnnkit.attacks import PGD
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> images = np.zeros((2, 1, 28, 28), np.uint8)
    >>> labels = network.predict(images)
    >>> PGD(steps=5, random_state=0)(network, images, labels, eps=0.2).success.tolist()
    [True, True]
    """

    steps: int = 10
    step_size: float | None = None
    restarts: int = 1
    random_start: bool = True
    random_state: int | None = None

    def __post_init__(self):
        check_count("steps", self.steps)
        check_count("restarts", self.restarts)
        check_seed("random_state", self.random_state)
        if self.step_size is not None:
            check_number("step_size", self.step_size)
            if not 0 < self.step_size <= 1:
                raise ValueError(f"step_size must be in (0, 1], got {self.step_size}")
        if self.restarts > 1 and not self.random_start:
            raise ValueError("restarts without random_start would all be the same run")

    def _perturb(self, model, ball, labels):
        generator = np.random.default_rng(self.random_state)
        best, best_loss = ball.center.copy(), np.full(len(labels), -np.inf)
        for _ in range(self.restarts):
            active = np.flatnonzero(best_loss < np.inf)
            if not len(active):
                break
            part = ball.take(active)
            start = part.noise(generator) if self.random_start else part.center
            found, loss = self._ascend(model, part, labels[active], start)
            better = loss > best_loss[active]
            best[active[better]], best_loss[active[better]] = found[better], loss[better]
        return best, False

    def _ascend(self, model, ball, labels, x):
        """The worst iterate for each image and its loss; inf where the model is fooled."""
        gradient_at = gradient_of(model)
        step = np.float32(self.step_size or 2.5 * float(ball.eps) / self.steps)
        best, best_loss = x.copy(), np.full(len(labels), -np.inf)
        active = np.arange(len(labels))  # x holds the iterates of these images only
        for _ in progress(range(self.steps), "PGD"):
            gradient, loss = gradient_at(x, labels[active])
            better = loss > best_loss[active]
            best[active[better]], best_loss[active[better]] = x[better], loss[better]
            x = ball.take(active).clip(x + step * np.sign(gradient))
            fooled = predict(model, x) != labels[active]
            best[active[fooled]], best_loss[active[fooled]] = x[fooled], np.inf
            active, x = active[~fooled], x[~fooled]
            if not len(active):
                break
        return best, best_loss
