"""Stand-ins for the derivative of the step [y >= 0], which is zero almost everywhere.

The forward pass uses the step itself. The backward pass multiplies the gradient of a bit
by a window over y instead (the straight-through estimator), so that values near the
threshold, which could flip, pass their gradient on and saturated ones do not.
"""

from typing import NamedTuple


class Window(NamedTuple):
    """A surrogate as `bnnkit.kernels.training.window_gradient` takes it.

    Attributes
    ----------
    scale : float
        y is multiplied by this: larger is narrower.
    soft : bool
        1 - tanh(scale * y)**2, as Jia & Rinard (2020) have it; else [abs(scale * y) <= 1]
        of Hubara et al. (2016).
    """

    scale: float
    soft: bool


SURROGATES = {"tanh": True, "hardtanh": False}  # name -> soft


def window(name, scale):
    """The surrogate called `name`, or ValueError with the names there are."""
    if not isinstance(name, str) or name not in SURROGATES:
        raise ValueError(f"surrogate must be one of {', '.join(SURROGATES)}, got {name!r}")
    return Window(float(scale), SURROGATES[name])
