"""The adversary of training: batches made adversarial on the fly, on levels.

A network sees an image only through the levels of its pixels, so an attack in training needs no
image: it climbs in *positions*, pixels in units of the quantiser's step, and rounds them to
levels. The ends of a ball are float32 numbers that round to exactly the lowest and the highest
level that the ball reaches; whatever lies between them then has a level that some real pixel of
the ball has, too.
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from bnnkit._checks import as_eps
from bnnkit._options import ROUNDING, check_count, check_range
from bnnkit.kernels import ascent
from bnnkit.kernels.training import from_lanes
from bnnkit.nn.loss import cross_entropy
from bnnkit.quantiser import Quantiser


class Plan(NamedTuple):
    """What an adversary does in an epoch.

    Attributes
    ----------
    eps : float
        Radius of the balls, on the [0, 1] scale.
    steps : int
    exact : bool
        Whether images that withstand are asked about exactly (`bnnkit.robust.ExactTraining`).
    """

    eps: float
    steps: int
    exact: bool = False


class LevelBall(NamedTuple):
    """The balls around a batch of n images of K pixels.

    Attributes
    ----------
    pixels : ndarray of uint8 or float64, shape (n, H, W, C)
    quantiser : Quantiser
    eps : Fraction
    low, high : ndarray of float32, shape (n, K)
        Ends in units of the quantiser's step; rounded to integers (half to even), they are the
        lowest and the highest level that is reached.
    """

    pixels: np.ndarray
    quantiser: Quantiser
    eps: Fraction
    low: np.ndarray
    high: np.ndarray

    @property
    def levels(self):
        """Levels of the images themselves: uint8 (n, H, W, C)."""
        return self.quantiser.levels(self.pixels)

    @property
    def ends(self):
        """Lowest and highest level that each pixel reaches: two of uint8 (n, H, W, C)."""
        ends = self.low, self.high
        return [np.rint(end).astype(np.uint8).reshape(self.pixels.shape) for end in ends]

    def rest(self, first):
        """The balls from image `first` on."""
        arrays = self.pixels[first:], self.low[first:], self.high[first:]
        return LevelBall(arrays[0], self.quantiser, self.eps, *arrays[1:])


class LevelBalls:
    """The balls around training images.

    Parameters
    ----------
    pixels : ndarray of uint8 or float64, shape (N, H, W, C)
        As the user gave them: a grey value v stands for v / 255 exactly.
    quantiser : Quantiser
    """

    def __init__(self, pixels, quantiser):
        self.pixels, self.quantiser = pixels, quantiser
        self._eps, self._tables = None, None

    def of(self, batch, eps):
        """The `LevelBall` of radius `eps` around the images with the indices `batch`."""
        pixels, eps = self.pixels[batch], as_eps(eps)
        rows = pixels.reshape(len(pixels), -1)
        if pixels.dtype == np.uint8:
            ends = (np.take(table, rows, mode="clip") for table in self._grey_ends(eps))
        else:
            ends = _ends(rows, self.quantiser, eps)
        return LevelBall(pixels, self.quantiser, eps, *ends)

    def _grey_ends(self, eps):
        """Both ends for each of the 256 grey values, kept as long as eps stays the same."""
        if self._eps != eps:
            greys = np.arange(256, dtype=np.uint8)
            self._eps, self._tables = eps, _ends(greys, self.quantiser, eps)
        return self._tables


def _ends(pixels, quantiser, eps):
    """Both ends of the balls around pixels, as float32 that round to their levels."""
    values = pixels / 255 if pixels.dtype == np.uint8 else pixels
    ends = np.maximum(values - float(eps), 0), np.minimum(values + float(eps), 1)
    reached = quantiser.ball(pixels, eps)
    return [
        _in_cell((end / float(quantiser.step)).astype(np.float32), levels)
        for end, levels in zip(ends, reached, strict=True)
    ]


def _in_cell(positions, levels):
    """Move positions that a rounding error took out of the cells of `levels` back into them."""
    all_levels = np.arange(256, dtype=np.float32)
    low, high = all_levels - np.float32(0.5), all_levels + np.float32(0.5)
    low[1::2] = np.nextafter(low[1::2], np.float32(np.inf))  # half-way goes to the even level
    high[1::2] = np.nextafter(high[1::2], np.float32(-np.inf))
    return np.clip(positions, low[levels], high[levels])


@dataclass(frozen=True)
class PGDTraining:
    """Projected gradient ascent on each batch, with eps and the number of steps ramped up.

    Parameters
    ----------
    eps : float
        Radius of the balls at the end of the ramp, on the [0, 1] scale, above 0.
    steps : int
        Of the ascent, at the end of their ramp.
    eps_ramp, steps_ramp : float
        Share of the training, in [0, 1], over which eps and the steps grow linearly: eps from
        near 0, the steps from 1. 0 for full size from the beginning.
    step_size : float, optional
        Length of a step while eps is full, on the [0, 1] scale; it grows with eps. By default
        max(min(1.5 / steps, 1), 0.3) * eps.
    clean_share : float
        Share of each batch that is left as it is, in [0, 1).

    Raises
    ------
    TypeError, ValueError
        For a parameter out of its range.

    Notes
    -----
    The ascent starts at a random point of the ball and sees the network as the training step
    will, normalised by the statistics of the batch. Its last iterate is what is trained on: to keep
    the one of greatest loss takes another forward pass, and made no difference that was measured.

    References
    ----------
    Madry, Makelov, Schmidt, Tsipras, Vladu. Towards deep learning models resistant to
    adversarial attacks. ICLR 2018. With these ramps and steps: Jia, Rinard. Efficient exact
    verification of binarized neural networks. NeurIPS 2020.

    Examples
    --------
    >>> from bnnkit.nn import PGDTraining
    >>> adversary = PGDTraining(eps=0.3, eps_ramp=0.5, steps_ramp=0.25)
    >>> [adversary.at(epoch / 10)[:2] for epoch in (1, 2, 5, 10)]
    [(0.06, 4), (0.12, 8), (0.3, 10), (0.3, 10)]
    """

    eps: float
    steps: int = 10
    eps_ramp: float = 0.5
    steps_ramp: float = 0.25
    step_size: float | None = None
    clean_share: float = 0.0

    def __post_init__(self):
        if as_eps(self.eps) == 0:
            raise ValueError("eps must be above 0, got 0; leave the adversary out")
        check_count("steps", self.steps)
        late = ": a ramp that ends after the training never reaches "
        check_range("eps_ramp", self.eps_ramp, "[0, 1]", late + "eps")
        check_range("steps_ramp", self.steps_ramp, "[0, 1]", late + "the number of steps")
        if self.step_size is not None:
            check_range("step_size", self.step_size, "(0, 1]")
        without = "; with nothing left to attack, leave the adversary out"
        check_range("clean_share", self.clean_share, "[0, 1)", without)

    @property
    def full(self):
        """The adversary that attacks every image of a batch, to measure a network by."""
        return replace(self, clean_share=0.0)

    def at(self, share):
        """The plan for an epoch.

        Parameters
        ----------
        share : float
            Of the training that is done when the epoch ends, in (0, 1]: of epochs 0, 1, ... that
            is (epoch + 1) / epochs. So eps is above 0 in the first epoch, and full in the one
            that ends the ramp.

        Returns
        -------
        Plan
        """
        check_range("share", share, "(0, 1]", "; pass (epoch + 1) / epochs")
        eps = float(self.eps)
        if share < self.eps_ramp:
            eps *= share / self.eps_ramp
        steps = self.steps
        if share < self.steps_ramp:
            steps = math.ceil(steps * share / self.steps_ramp - ROUNDING)
        return Plan(eps, steps)

    def n_clean(self, n_images):
        """How many images of a batch are left clean."""
        return int(self.clean_share * n_images + ROUNDING)

    def batch(self, network, ball, labels, plan, rng, batch_statistics=True):
        """The levels that a batch is trained on.

        Parameters
        ----------
        network : LatentNetwork
        ball : LevelBall
            Of radius ``plan.eps`` around the images; the first ones are those left clean.
        labels : ndarray of int64, shape (n,)
        plan : Plan
        rng : numpy.random.Generator
            Draws the start.
        batch_statistics : bool
            Attack the network normalised by the statistics of the batch, which its batch-norms
            then keep, as in training; otherwise as it is at inference.

        Returns
        -------
        ndarray of uint8, shape (n, H, W, C)
        """
        levels, clean = np.empty(ball.pixels.shape, np.uint8), self.n_clean(len(labels))
        if clean:
            levels[:clean] = ball.levels[:clean]
        climb = _Ascent(network, ball.rest(clean), labels[clean:], rng, batch_statistics)
        climb.go(plan.steps, self._step(plan) / float(ball.quantiser.step))
        climb.write(levels[clean:])
        return levels

    def _step(self, plan):
        """Length of a step on the [0, 1] scale."""
        if self.step_size is not None:
            return self.step_size * plan.eps / float(self.eps)
        return max(min(1.5 / plan.steps, 1), 0.3) * plan.eps


class _Ascent:
    """A batch on its way up, in lanes."""

    def __init__(self, network, ball, labels, rng, batch_statistics):
        self._network, self._labels = network, labels
        self._batch_statistics = batch_statistics
        # random numbers are below 1 by enough for no rounding to lead beyond the high end
        start = ball.low + (ball.high - ball.low) * rng.random(ball.low.shape, np.float32)
        levels = np.rint(start).astype(np.uint8)
        self._x = network.layers[0].lanes(levels.reshape(ball.pixels.shape))
        self._levels = self._x.reshape(len(self._x), levels.shape[1], -1)  # the same memory
        self._space = network.layers[0].space
        self._position = self._lanes("position", start)
        self._low, self._high = self._lanes("low", ball.low), self._lanes("high", ball.high)

    def _lanes(self, name, rows):
        lanes = self._space.lanes(name, *rows.shape, 1, np.float32)[:, :, 0]
        ascent.float_lanes(rows, lanes)
        return lanes

    def go(self, steps, length):
        """Make `steps` steps of a length in units of the quantiser's step."""
        n_images, length = len(self._labels), np.float32(length)
        for _ in range(steps):
            gradient, _ = self._network.lane_gradient(
                self._x, n_images, self._loss, self._batch_statistics
            )
            arrays = self._position, self._low, self._high, gradient
            ascent.climb(*(lanes.reshape(-1) for lanes in arrays), length)
            ascent.nearest_levels(self._position, self._levels)

    def write(self, levels):
        """Write the levels to uint8 `levels` (n, H, W, C)."""
        from_lanes(self._levels, levels.reshape(len(levels), -1))

    def _loss(self, logits):
        return cross_entropy(logits, self._labels)
