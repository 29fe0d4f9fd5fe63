"""Shares and means of a sample of images, and what they say about all images.

The images of a test are a sample of those that a network will meet, however many of the test
images were taken. So there is no correction for a finite population, and a share of all 10,000
test images has an interval, too.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

CONFIDENCE = 0.95


def wilson(count, n, confidence=CONFIDENCE):
    """Wilson's score interval of a share.

    Parameters
    ----------
    count, n : int or array_like of int
        So many of n independent images; 0 <= count <= n.
    confidence : float
        In (0, 1).

    Returns
    -------
    low, high : float64, or ndarray of float64
        In [0, 1]; (0, 1) where n is 0.

    Raises
    ------
    ValueError
        For counts and a confidence out of range.

    Notes
    -----
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (JASA
    1927), which Brown, Cai and DasGupta recommend for its coverage with few images ("Interval
    estimation for a binomial proportion", Statistical Science 2001).

    Examples
    --------
    >>> from bnnkit.assess import wilson
    >>> low, high = wilson(0, 100)
    >>> float(low), round(float(high), 3)
    (0.0, 0.037)
    """
    count, n = np.asarray(count, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if not (np.isfinite(n).all() and (count >= 0).all() and (count <= n).all()):
        raise ValueError(f"count must be from 0 to n, got {count} of {n}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), got {confidence}; 95 % is 0.95")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    size = np.maximum(n, 1)  # without images the answer is set below
    share = count / size
    middle = share + z * z / (2 * size)
    reach = z * np.sqrt(share * (1 - share) / size + (z / (2 * size)) ** 2)
    scale = 1 + z * z / size
    low = np.where(count == 0, 0.0, (middle - reach) / scale)
    high = np.where(count == n, 1.0, (middle + reach) / scale)
    return low[()], high[()]


@dataclass(frozen=True)
class Rate:
    """So many of n images, with the interval for the share of all images.

    Attributes
    ----------
    count, n : int

    Examples
    --------
    >>> from bnnkit.assess import Rate
    >>> print(Rate(90, 100))
    90.0 % (82.6 to 94.5)
    """

    count: int
    n: int

    def __post_init__(self):
        wilson(self.count, self.n)  # which checks them

    @property
    def share(self):
        """The share of the sample; NaN without images."""
        return self.count / self.n if self.n else math.nan

    @property
    def interval(self):
        """`wilson` with 95 % confidence: (low, high)."""
        return tuple(map(float, wilson(self.count, self.n)))

    def __str__(self):
        return f"{_percent(self.share)} % ({_percents(self.interval)})" if self.n else "-"


@dataclass(frozen=True)
class Between:
    """A share of n images of which bounds are known: at least `least`, at most `most` of them.

    Attributes
    ----------
    least, most, n : int

    Examples
    --------
    >>> from bnnkit.assess import Between
    >>> print(Between(10, 15, 100))
    10.0 to 15.0 % (5.5 to 23.3)
    """

    least: int
    most: int
    n: int

    def __post_init__(self):
        if self.least > self.most:
            raise ValueError(f"least must not be above most, got {self.least} and {self.most}")
        wilson(self.most, self.n)
        wilson(self.least, self.n)

    @property
    def share(self):
        """Both bounds as shares of the sample: (least, most)."""
        return Rate(self.least, self.n).share, Rate(self.most, self.n).share

    @property
    def interval(self):
        """From the lower end of `wilson` for `least` to the upper end for `most`."""
        return Rate(self.least, self.n).interval[0], Rate(self.most, self.n).interval[1]

    def __str__(self):
        return f"{_percents(self.share)} % ({_percents(self.interval)})" if self.n else "-"


@dataclass(frozen=True)
class Mean:
    """The mean of a figure over n images, with the interval for the mean over all images.

    Attributes
    ----------
    share : float
    interval : tuple of float
        (low, high), 95 %.
    n : int

    Examples
    --------
    >>> from bnnkit.assess import Mean
    >>> print(Mean(0.9312, (0.9, 0.96123), 100))
    0.9312 (0.9 to 0.9612)
    """

    share: float
    interval: tuple[float, float]
    n: int

    def __str__(self):
        low, high = self.interval
        return f"{self.share:.4g} ({low:.4g} to {high:.4g})"


def _percent(share):
    return f"{100 * share:.1f}"


def _percents(shares):
    return " to ".join(dict.fromkeys(map(_percent, shares)))
