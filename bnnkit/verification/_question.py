"""What all questions about one image share: checked input, and a clock for their stages."""

import math
import numbers
import time
from fractions import Fraction

import numpy as np

from bnnkit._checks import as_array, as_eps, as_images, as_labels
from bnnkit.network import BinaryNetwork


def checked_image(network, image, label):
    """The image (C, H, W) and the label of a question, or an error that names what is wrong."""
    if not isinstance(network, BinaryNetwork):
        raise TypeError(
            f"network must be a BinaryNetwork, got {type(network).__name__}; "
            "of a trained BNNClassifier pass its network_"
        )
    array = as_array("image", image)
    if array.ndim not in (1, 2, 3):
        raise ValueError(
            "image must be a single image of shape (C, H, W), (H, W) or (features,), "
            f"got {array.shape}; for many images use verify_all"
        )
    image = as_images(array[None], network.input_shape)[0]
    return image, int(as_labels([label], 1, network.n_classes)[0])


def checked_limits(image, eps, timeout, pixels, name="eps"):
    """The radius of a question, called `name`, as a Fraction; or an error about a wrong limit."""
    eps = as_eps(eps, name)
    checked_timeout(timeout)
    if pixels not in ("real", "uint8"):
        raise ValueError(f"pixels must be 'real' or 'uint8', got {pixels!r}")
    if pixels == "uint8":
        if image.dtype != np.uint8:
            raise ValueError("pixels='uint8' needs a uint8 image; convert it, or ask about 'real'")
        eps = Fraction(int(eps * 255), 255)  # grey values move by whole steps
    return eps


def checked_timeout(timeout):
    """A limit in seconds, None for none; or an error."""
    if timeout is not None and not (isinstance(timeout, numbers.Real) and timeout > 0):
        raise ValueError(f"timeout must be a positive number of seconds or None, got {timeout!r}")
    return timeout


def flat(levels):
    """Levels (C, H, W) as a vector in (row, column, channel) order."""
    return levels.transpose(1, 2, 0).ravel()


class Clock:
    """Seconds of each stage so far, and what is left of the limit.

    Parameters
    ----------
    timeout : float or None
        Seconds from now on.
    """

    def __init__(self, timeout):
        self.timings = {}
        self._start = self._lap = time.perf_counter()
        self.deadline = math.inf if timeout is None else self._start + timeout

    @property
    def spent(self):
        """Seconds since the start."""
        return time.perf_counter() - self._start

    @property
    def left(self):
        """Seconds until the deadline, at least 0."""
        return max(self.deadline - time.perf_counter(), 0.0)

    def end_stage(self, name, encoding=0.0):
        """Count the time since the last call to a stage, but for some seconds of encoding."""
        now = time.perf_counter()
        self.timings[name] = self.timings.get(name, 0.0) + now - self._lap - encoding
        if encoding:
            self.timings["encode"] += encoding
        self._lap = now
