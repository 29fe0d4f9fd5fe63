"""Stand-ins for the derivative of the step [y >= 0], which is zero almost everywhere.

The forward pass uses the step itself. The backward pass multiplies the gradient of a bit
by one of these functions of y instead (the straight-through estimator), so that values
near the threshold, which could flip, pass their gradient on and saturated ones do not.
"""

import numpy as np


def tanh(y, scale):
    """1 - tanh(scale * y)**2: the soft window of Jia & Rinard (2020)."""
    return 1 - np.square(np.tanh(y * np.asarray(scale, y.dtype)))


def hardtanh(y, scale):
    """[abs(scale * y) <= 1]: the window of Hubara et al. (2016)."""
    return (np.abs(y * np.asarray(scale, y.dtype)) <= 1).astype(y.dtype)


SURROGATES = {"tanh": tanh, "hardtanh": hardtanh}


def get(name):
    """Return the surrogate called `name`, or raise ValueError with the names there are."""
    if not isinstance(name, str) or name not in SURROGATES:
        raise ValueError(f"surrogate must be one of {', '.join(SURROGATES)}, got {name!r}")
    return SURROGATES[name]
