"""The set of float32 images within eps of given images, with its bounds rounded inwards."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bnnkit._checks import as_eps, as_images, unit_floats


@dataclass(frozen=True, eq=False)
class Ball:
    """All float32 images f with ``|f - x| <= eps`` in every pixel, and in [0, 1].

    A pixel v of a uint8 image stands for the rational v/255, a float for its exact binary
    value, and eps for the fraction that was written, as in `bnnkit.verify`. The bounds are
    the outermost float32 numbers inside: a clipped image is in the ball as real numbers, so
    what is proved robust cannot be fooled by a rounding. Where no float32 lies inside for
    some pixel (v/255 at eps 0), the image cannot be changed at all: its ball is the nearest
    float32 image, its stand-in.

    Attributes
    ----------
    images : ndarray of uint8 or float64, shape (N, ...)
        As they were given.
    eps : Fraction
    center, low, high : ndarray of float32, the shape of `images`
        The images and the two ends of their balls.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from bnnkit.attacks import Ball
    >>> ball = Ball.around(np.array([[0.0, 0.5, 1.0]]), Fraction(1, 4))
    >>> ball.low, ball.high
    (array([[0.  , 0.25, 0.75]], dtype=float32), array([[0.25, 0.75, 1.  ]], dtype=float32))
    """

    images: np.ndarray
    eps: Fraction
    center: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def around(cls, images, eps):
        """The ball of radius `eps` (a Fraction) around uint8 or float64 `images`."""
        bounds = _grey_bounds if images.dtype == np.uint8 else _float_bounds
        low, high = bounds(images, eps)
        center = unit_floats(images)
        pixels = tuple(range(1, images.ndim))
        empty = (low > high).any(axis=pixels, keepdims=True)
        return cls(images, eps, center, np.where(empty, center, low), np.where(empty, center, high))

    def take(self, index):
        """The ball around some of the images."""
        parts = (self.center[index], self.low[index], self.high[index])
        return Ball(self.images[index], self.eps, *parts)

    def clip(self, images):
        """The points of the ball nearest to `images`, as float32."""
        return np.clip(np.asarray(images, dtype=np.float32), self.low, self.high)

    def clip_outwards(self, images):
        """Like `clip`, but to bounds that lie one float32 number further out.

        A level of a quantiser may begin at the very end of the ball, where no float32 is;
        the number that stands for this end then lies beyond it by rounding.
        """
        low = np.maximum(np.nextafter(self.low, np.float32(-1)), np.float32(0))
        high = np.minimum(np.nextafter(self.high, np.float32(2)), np.float32(1))
        return np.clip(np.asarray(images, dtype=np.float32), low, high)

    def noise(self, generator, low=0.0):
        """The images plus noise of magnitude uniform in [low * eps, eps] and random sign."""
        uniform = generator.random(self.center.shape, dtype=np.float32)
        noise = np.float32(low) + np.float32(1 - low) * uniform
        noise *= np.float32(self.eps)
        negative = generator.random(self.center.shape, dtype=np.float32) < 0.5
        return self.clip(self.center + np.where(negative, -noise, noise))


def clip_to_ball(adversarial, images, eps):
    """Move images to the nearest float32 images within `eps` of others, and in [0, 1].

    Parameters
    ----------
    adversarial : array_like of float, the shape of `images`
    images : array_like
        uint8 in 0..255 or floats in [0, 1].
    eps : float
        Radius on the [0, 1] scale.

    Returns
    -------
    ndarray of float32, the shape of `images`
        Within `eps` as real numbers, not only up to rounding; see `Ball`.

    Examples
    --------
    >>> from bnnkit.attacks import clip_to_ball
    >>> clip_to_ball([[0.0, 0.45, 0.9]], [[0.5, 0.5, 0.5]], 0.125)
    array([[0.375, 0.45 , 0.625]], dtype=float32)
    """
    checked = as_images(images).reshape(np.shape(images))
    if np.shape(adversarial) != checked.shape:
        raise ValueError(
            f"adversarial has shape {np.shape(adversarial)}, images have {checked.shape}"
        )
    if np.isnan(adversarial).any():
        raise ValueError("adversarial contains NaN, which no ball is near to")
    return Ball.around(checked, as_eps(eps)).clip(adversarial)


def _grey_bounds(images, eps):
    greys = [Fraction(v, 255) for v in range(256)]
    low = [_inner(max(grey - eps, Fraction(0)), math.inf) for grey in greys]
    high = [_inner(min(grey + eps, Fraction(1)), -math.inf) for grey in greys]
    return np.array(low)[images], np.array(high)[images]


def _inner(bound, inwards):
    """The float32 nearest to the rational `bound` on its side towards `inwards`."""
    value = np.float32(float(bound))
    while (Fraction(float(value)) < bound) if inwards > 0 else (Fraction(float(value)) > bound):
        value = np.nextafter(value, np.float32(inwards))
    return value


def _float_bounds(images, eps):
    radius = float(eps)
    if Fraction(radius) > eps:
        radius = math.nextafter(radius, 0.0)  # the largest float64 that is not beyond eps
    low = -_rounded_down(-images, radius)
    return np.maximum(low, np.float32(0)), np.minimum(_rounded_down(images, radius), np.float32(1))


def _rounded_down(x, radius):
    """The largest float32 <= x + radius, exactly.

    The float64 sum has an error, which is itself a float64 and can be had exactly
    (Knuth's two-sum); so is the distance from the sum to the nearest float32.
    """
    total = x + radius
    virtual = total - x
    error = (x - (total - virtual)) + (radius - virtual)
    nearest = total.astype(np.float32)
    beyond = nearest.astype(np.float64) - total > error
    return np.where(beyond, np.nextafter(nearest, np.float32(-np.inf)), nearest)
