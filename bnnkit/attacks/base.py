"""The attack protocol: what every attack promises, and the code that checks it."""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from bnnkit._checks import as_eps, as_images, as_labels
from bnnkit.attacks.ball import Ball
from bnnkit.attacks.models import n_classes_of, predict, predict_clean


@dataclass(frozen=True, eq=False)
class AttackResult:
    """What an attack found for N images.

    Attributes
    ----------
    adversarial : ndarray of float32, the shape of the images
        In the ball (see `Ball`) and in [0, 1]; where `success` is False, the attack's last attempt.
    success : ndarray of bool, shape (N,)
        The model does not give `adversarial` its label: checked by ``model.predict``. Where
        `adversarial` is the image itself, the answer for the image as given counts.
    undecided : ndarray of bool, shape (N,)
        The attack ran out of time before it had an answer. Never True where `success` is.
    seconds : float

    Examples
    --------
    >>> from bnnkit.attacks import AttackResult
    >>> images = np.zeros((4, 1, 1, 1), np.float32)
    >>> success = np.array([True, False, False, False])
    >>> undecided = np.array([False, True, False, False])
    >>> result = AttackResult(images, success, undecided, seconds=0.1)
    >>> result.withstood.tolist(), result.success_rate
    ([False, False, True, True], 0.25)
    """

    adversarial: np.ndarray
    success: np.ndarray
    undecided: np.ndarray
    seconds: float

    @property
    def withstood(self):
        """Neither fooled nor undecided: bool (N,). A proof only if the attack is complete."""
        return ~(self.success | self.undecided)

    @property
    def success_rate(self):
        """Share of the images for which the attack succeeded."""
        return float(self.success.mean())

    def __repr__(self):
        return (
            f"AttackResult({len(self.success)} images: {self.success.sum()} fooled, "
            f"{self.withstood.sum()} withstood, {self.undecided.sum()} undecided, "
            f"{self.seconds:.1f} s)"
        )


class Attack(ABC):
    """Base class of the attacks. A subclass writes `_perturb` and nothing else.

    Calling an attack checks the arguments, sets aside the images that the model already gets
    wrong, lets `_perturb` look for images that fool it, and then judges these itself: each
    is clipped into the ball as float32 and given to ``model.predict``. So no attack can
    report a success that is none.

    Unchanged images are judged as given, uint8 where they are, if the model has an exact
    network (it is a BinaryNetwork or keeps one as ``network_``): a grey value right between
    two levels has another level than the float32 nearest to it.

    Attributes
    ----------
    complete : bool
        Whether "not fooled" of this attack is a proof that no image in the ball does. The
        images of a complete attack stand for points of the real ball, so they may lie
        beyond it by one float32 rounding (`Ball.clip_outwards`); all others lie inside.
        They are all judged as they are returned, so an image that stands for an unchanged
        one must have its levels.

    Examples
    --------
    An attack that makes all pixels as bright as the ball allows, on a model for which bright
    images are class 1:

    >>> from bnnkit.attacks import Attack
    >>> class Brighter(Attack):
    ...     def _perturb(self, model, ball, labels):
    ...         return ball.high, False  # nothing is undecided
    >>> class Brightness:
    ...     def predict(self, images):
    ...         return (images.mean(axis=(1, 2, 3)) > 0.5).astype(int)
    >>> images = np.array([[[[0.2]]], [[[0.45]]]])
    >>> Brighter()(Brightness(), images, labels=[0, 0], eps=0.1).success.tolist()
    [False, True]
    """

    complete = False

    def __call__(self, model, images, labels, eps):
        """Attack a model on some images.

        Parameters
        ----------
        model : object
            With ``predict(images)``; it is given float32 images in [0, 1], of the shape in
            which they came, and the unchanged ones as they came if it has an exact network.
            Some attacks ask for more, and say so.
        images : array_like, shape (N, C, H, W), (N, H, W) or (N, features)
            uint8 in 0..255 or floats in [0, 1].
        labels : array_like of int, shape (N,)
            Below the number of classes, where the model says how many it has.
        eps : float
            Largest change of a pixel, on the [0, 1] scale.

        Returns
        -------
        AttackResult
            An image that the model gets wrong as it is counts as a success, with itself as
            the adversarial image: the rule that `bnnkit.verify` has, too.

        Raises
        ------
        TypeError, ValueError
            For a model that lacks a method, and for images, labels or eps out of range.
        """
        started = time.perf_counter()
        images = as_images(images).reshape(np.shape(images))
        labels = as_labels(labels, len(images), n_classes_of(model))
        ball = Ball.around(images, as_eps(eps))
        adversarial, undecided = ball.center.copy(), np.zeros(len(images), dtype=bool)
        right = predict_clean(model, images) == labels
        asked = self.complete | right
        if asked.any():
            part = ball.take(asked)
            found, undecided[asked] = self._perturb(model, part, labels[asked])
            if np.isnan(found).any():
                raise ValueError(f"{type(self).__name__} made NaN: is the model's gradient finite?")
            adversarial[asked] = part.clip_outwards(found) if self.complete else part.clip(found)
        success = self._is_fooled(model, adversarial, labels)
        if not self.complete:  # which may need the very float32 that stands for the image
            unchanged = (adversarial == ball.center).reshape(len(images), -1).all(axis=1)
            success[unchanged] = ~right[unchanged]
        seconds = time.perf_counter() - started
        return AttackResult(adversarial, success, undecided & ~success, seconds)

    def _is_fooled(self, model, images, labels):
        """What makes an attack a success, for each image: a class that is not its label."""
        return predict(model, images) != labels

    @abstractmethod
    def _perturb(self, model, ball, labels):
        """Look for images in the ball that the model gets wrong.

        Parameters
        ----------
        model : object
        ball : Ball
            Around N >= 1 images; those that the model gets right, unless the attack is
            complete.
        labels : ndarray of int64, shape (N,)

        Returns
        -------
        adversarial : ndarray of float, the shape of ``ball.center``
            The best attempts.
        undecided : ndarray of bool, shape (N,), or bool
            Which images the attack had no time to answer.
        """
