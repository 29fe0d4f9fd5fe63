"""Steps of projected gradient ascent on lanes, so that an attack never leaves them.

Positions are real numbers in units of the quantiser's step: the level of a position is the
nearest integer. They, their limits and the gradient are float32 (slabs, K, 16), one row for each
input; levels are int16 (slabs, K, 32) or int8 (slabs, K, 64). See `bnnkit.kernels.russians` for
lanes. Limits of 0 keep the lanes beyond the last image at 0.
"""

import numpy as np

from bnnkit.kernels._compile import entry

_L = 16  # lanes of float32


@entry
def float_lanes(rows, lanes):
    """Write float32 `rows` (N, K) to `lanes` (slabs, K, 16), zeros where N ends."""
    for slab in range(lanes.shape[0]):
        first = slab * _L
        for k in range(lanes.shape[1]):
            for lane in range(_L):
                n = first + lane
                lanes[slab, k, lane] = rows[n, k] if n < rows.shape[0] else np.float32(0)


@entry
def climb(position, low, high, gradient, step):
    """Move by `step` along the sign of the gradient, then back into [low, high], in place.

    All arrays are flat; what has no gradient stays where it is.
    """
    zero = np.float32(0)
    for i in range(position.size):
        sign = np.float32(gradient[i] > zero) - np.float32(gradient[i] < zero)
        position[i] = min(max(position[i] + step * sign, low[i]), high[i])


@entry
def nearest_levels(position, levels):
    """Write the integer nearest to each position, the even one of two, to `levels`."""
    parts = levels.shape[2] // _L
    for slab in range(position.shape[0]):
        first = slab % parts * _L
        for k in range(position.shape[1]):
            real, whole = position[slab, k], levels[slab // parts, k, first : first + _L]
            for lane in range(_L):
                whole[lane] = np.rint(real[lane])
