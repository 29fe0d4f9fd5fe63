"""Where the images come from that a round adds.

A source says what to take; it keeps no count of what was taken. That is the run's `Stock`, so
that one source can serve many runs, and a run can go on after a kill.
"""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from bnnkit._checks import as_eps, unit_floats
from bnnkit._options import check_count, check_range
from bnnkit.attacks import Ball
from bnnkit.robust.opponents import check_against, check_attack, opponents


@dataclass(frozen=True, eq=False)
class Drawn:
    """Images that a source gives to one round.

    Attributes
    ----------
    images : ndarray of float32, shape (n, ...)
    labels : ndarray of int64, shape (n,)
        What the models are to learn: the true labels, unless a source says otherwise.
    n_attacked, n_undecided : int
        Images that it tried, and how many of these got no answer in time.
    origin : ndarray of int64, shape (n,), optional
        The training image that each was made from, -1 where that is not known.

    Examples
    --------
    >>> from bnnkit.robust import Drawn
    >>> one = Drawn(np.zeros((1, 1, 2, 2), np.float32), np.array([3]), n_attacked=5, n_undecided=1)
    >>> both = Drawn.join([one, one])
    >>> both.labels.tolist(), both.n_attacked
    ([3, 3], 10)
    """

    images: np.ndarray
    labels: np.ndarray
    n_attacked: int
    n_undecided: int
    origin: np.ndarray | None = None

    def __post_init__(self):
        if self.origin is None:
            object.__setattr__(self, "origin", np.full(len(self.labels), -1))

    @classmethod
    def join(cls, parts):
        """All `parts` (at least one) as one."""
        return cls(
            np.concatenate([part.images for part in parts]),
            np.concatenate([part.labels for part in parts]),
            sum(part.n_attacked for part in parts),
            sum(part.n_undecided for part in parts),
            np.concatenate([part.origin for part in parts]),
        )


class Stock:
    """What one run draws from: its training images, each taken at most once.

    Attributes
    ----------
    images, labels : ndarray
        All training images, uint8 or float64, and their labels.
    eps : float
    new : bool
        Whether the images that can be taken are not in the training set.
    round : int
        From 1.
    rng : numpy.random.Generator
        Of this round.
    used : int
        Images that were taken.

    Parameters
    ----------
    order : ndarray of int
        Indices of the images that can be taken.
    seed : int
        Of the generators of the rounds.

    Examples
    --------
    >>> from bnnkit.robust import Stock
    >>> images, order = np.zeros((9, 1, 2, 2), np.uint8), np.array([7, 2, 5])
    >>> stock = Stock(images, np.arange(9), eps=0.1, order=order, new=True, seed=0)
    >>> stock.take(2).tolist(), stock.left
    ([7, 2], 1)
    """

    def __init__(self, images, labels, eps, order, new, seed):
        self.images, self.labels, self.eps, self.new = images, labels, eps, new
        self.used, self._order, self._seed = 0, order, seed

    @property
    def left(self):
        """Images that can still be taken."""
        return len(self._order) - self.used

    @property
    def nothing(self):
        """A `Drawn` without images."""
        return Drawn(unit_floats(self.images[:0]), self.labels[:0], 0, 0)

    @property
    def out_of_time(self):
        """Whether the run's seconds are over."""
        return time.perf_counter() >= self._deadline

    def begin(self, index, seconds):
        """Start round `index`, with that many seconds left for the run."""
        self.round, self.rng = index, np.random.default_rng([self._seed, index])
        self._deadline = time.perf_counter() + seconds

    def take(self, count):
        """Use up the next `count` images, or all that are left; return their indices."""
        index = self._order[self.used : self.used + count]
        self.used += len(index)
        return index


class Source(ABC):
    """What `train` draws from. A subclass writes `draw`.

    Attributes
    ----------
    takes_training_images : bool
        Whether `draw` takes images from the stock, one or more for each that it gives.
    detector : int or None
        The class that stands for "adversarial", where images are added as one.

    Examples
    --------
    Mirrored training images, of which the labels stay:

    >>> from bnnkit.robust import Drawn, Source, Stock
    >>> class Mirrored(Source):
    ...     takes_training_images = True
    ...     def draw(self, models, count, stock):
    ...         index = stock.take(count)
    ...         images = stock.images[index, :, :, ::-1] / np.float32(255)
    ...         return Drawn(images, stock.labels[index], len(index), 0, index)
    >>> images, order = np.zeros((9, 1, 2, 2), np.uint8), np.array([7, 2, 5])
    >>> stock = Stock(images, np.zeros(9, int), eps=0.1, order=order, new=True, seed=0)
    >>> Mirrored().draw([], 2, stock).origin.tolist()
    [7, 2]
    """

    takes_training_images = False
    detector = None

    def parts(self, count):
        """The single sources behind it, and how many of `count` images each gives."""
        return [(self, count)]

    @abstractmethod
    def draw(self, models, count, stock):
        """The images of one round.

        Parameters
        ----------
        models : list
            Of the round before.
        count : int
            Images asked for.
        stock : Stock

        Returns
        -------
        Drawn
        """


@dataclass(frozen=True)
class Live(Source):
    """Attack training images with the models as they are now; give those that fool them.

    Parameters
    ----------
    attack : Attack
    refill : bool
        Go on until as many images were found as the round asks for, or the training images
        or the seconds of the run are used up. Otherwise as many are tried, and fewer found.
    against : "each", "all" or "vote"
        Of k models each is attacked by itself, on every k-th image; or the attack gets the
        list of all, as `JointExact` and `VoteExact` want; or it gets their `Vote`.

    Examples
    --------
    >>> from bnnkit.attacks import RandomNoise
    >>> from bnnkit.robust import Live
    >>> Live(RandomNoise(tries=10), refill=True)
    Live(attack=RandomNoise(tries=10, low=0.0, random_state=None), refill=True, against='each')
    """

    attack: object
    refill: bool = False
    against: str = "each"

    takes_training_images = True

    def __post_init__(self):
        check_attack(self.attack)
        check_against(self.against)

    def draw(self, models, count, stock):
        """Attack the next images of the stock."""
        drawn = stock.nothing
        missing = count
        while missing and stock.left > 0:
            index = stock.take(missing)
            drawn = Drawn.join([drawn, *self._attack(models, index, stock)])
            missing = count - len(drawn.images)
            if not self.refill or stock.out_of_time:
                break
        return drawn

    def _attack(self, models, index, stock):
        """A Drawn for each opponent that has something to do."""
        targets = opponents(models, self.against)
        for i, target in enumerate(targets):
            part = index[i :: len(targets)]
            if len(part):
                labels = stock.labels[part]
                result = self.attack(target, stock.images[part], labels, stock.eps)
                found, n_undecided = result.success, int(result.undecided.sum())
                images = result.adversarial[found]
                yield Drawn(images, labels[found], len(part), n_undecided, part[found])


@dataclass(frozen=True)
class Noise(Source):
    """Training images with noise, whether it fools a model or not.

    Parameters
    ----------
    low : float
        The magnitude n of a pixel's noise is uniform in [low * eps, eps], as for
        `bnnkit.attacks.RandomNoise`: 0 is uniform noise, 0.7 "high noise".
    sign : "random" or "positive"
        "random" gives clip(x + n) or clip(x - n) into [0, 1], each with probability 1/2.
        "positive" gives x + n, and where this is above 1, max(0, x - 0.3 n).

    Examples
    --------
    >>> from bnnkit.robust import Noise
    >>> Noise(low=0.7)
    Noise(low=0.7, sign='random')
    """

    low: float = 0.0
    sign: str = "random"

    takes_training_images = True

    def __post_init__(self):
        check_range("low", self.low, "[0, 1]", "; it is a share of eps")
        if self.sign not in ("random", "positive"):
            raise ValueError(f"sign must be random or positive, got {self.sign!r}")

    def draw(self, models, count, stock):
        """Add noise to the next images of the stock."""
        index = stock.take(count)
        ball = Ball.around(stock.images[index], as_eps(stock.eps))
        noisy = ball.noise(stock.rng, self.low) if self.sign == "random" else self._up(ball, stock)
        return Drawn(noisy, stock.labels[index], len(index), 0, index)

    def _up(self, ball, stock):
        uniform = stock.rng.random(ball.center.shape, dtype=np.float32)
        noise = np.float32(ball.eps) * (np.float32(self.low) + np.float32(1 - self.low) * uniform)
        up = ball.center + noise
        return ball.clip(np.where(up > 1, ball.center - np.float32(0.3) * noise, up))


@dataclass(frozen=True)
class Originals(Source):
    """A control: training images as they are, which the training set does not have yet.

    It has no options; `train` needs a `start` that leaves some.

    Examples
    --------
    >>> from bnnkit.robust import Originals, Stock
    >>> images, order = np.full((9, 1, 2, 2), 255, np.uint8), np.array([7, 2, 5])
    >>> stock = Stock(images, np.arange(9), eps=0.1, order=order, new=True, seed=0)
    >>> drawn = Originals().draw([], 2, stock)
    >>> drawn.labels.tolist(), float(drawn.images[0, 0, 0, 0])
    ([7, 2], 1.0)
    """

    takes_training_images = True

    def draw(self, models, count, stock):
        """The next images of the stock."""
        index = stock.take(count)
        images = unit_floats(stock.images[index])
        return Drawn(images, stock.labels[index], len(index), 0, index)


@dataclass(frozen=True)
class Mixed(Source):
    """Several sources, each with its share of every round.

    Parameters
    ----------
    sources : sequence of Source
    shares : sequence of float
        One for each source, above 0, with the sum 1. What is asked of them is rounded so that
        it adds up.

    Examples
    --------
    >>> from bnnkit.attacks import RandomNoise
    >>> from bnnkit.robust import Live, Mixed, Noise, Originals
    >>> mixed = Mixed([Originals(), Noise(), Live(RandomNoise())], [0.5, 0.25, 0.25])
    >>> [count for _, count in mixed.parts(10)]
    [5, 3, 2]
    """

    sources: tuple
    shares: tuple

    def __post_init__(self):
        object.__setattr__(self, "sources", tuple(self.sources))
        object.__setattr__(self, "shares", tuple(self.shares))
        for source in self.sources:
            if not isinstance(source, Source):
                raise TypeError(f"sources must be sources such as Live(PGD()), got {source!r}")
            if source.detector is not None:
                raise TypeError(f"relabel the mixture, not a part of it: Relabelled({self!r}, ...)")
        for share in self.shares:
            check_range("each of shares", share, "(0, 1]")
        if len(self.shares) != len(self.sources) or abs(sum(self.shares) - 1) > 1e-9:
            raise ValueError(
                f"shares must be one for each of {len(self.sources)} sources, with the sum 1, "
                f"got {self.shares}"
            )

    @property
    def takes_training_images(self):
        """Whether one of the sources does."""
        return any(source.takes_training_images for source in self.sources)

    def parts(self, count):
        """The single sources, and how many images each gives."""
        return [
            part
            for source, share in zip(self.sources, self._counts(count), strict=True)
            for part in source.parts(share)
        ]

    def draw(self, models, count, stock):
        """Draw from each source in turn."""
        counts = zip(self.sources, self._counts(count), strict=True)
        return Drawn.join([source.draw(models, share, stock) for source, share in counts])

    def _counts(self, count):
        ends = np.floor(np.cumsum(self.shares) * count + 0.5).astype(int)
        return np.diff(ends, prepend=0).tolist()


@dataclass(frozen=True)
class Relabelled(Source):
    """Another source's images, all labelled as a class of their own: "adversarial".

    Models learn to detect such images. The class must come after those of the data; models
    that are made with a number of classes need one more. See `train` for how detection counts.
    To a `Live` attack an image that is detected counts as found.

    Parameters
    ----------
    source : Source
    label : int

    Examples
    --------
    >>> from bnnkit.robust import Noise, Relabelled
    >>> Relabelled(Noise(), label=10).detector
    10
    """

    source: Source
    label: int

    def __post_init__(self):
        if not isinstance(self.source, Source):
            raise TypeError(f"source must be a source such as Live(PGD()), got {self.source!r}")
        check_count("label", self.label)

    @property
    def takes_training_images(self):
        """Whether the source does."""
        return self.source.takes_training_images

    @property
    def detector(self):
        """The label."""
        return int(self.label)

    def parts(self, count):
        """Those of the source."""
        return self.source.parts(count)

    def draw(self, models, count, stock):
        """Draw from the source and put the label in."""
        drawn = self.source.draw(models, count, stock)
        return replace(drawn, labels=np.full_like(drawn.labels, self.label))
