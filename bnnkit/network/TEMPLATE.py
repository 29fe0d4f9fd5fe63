"""A template for a new layer: copy this file, and replace what this layer does.

The exact network knows two layers, `Conv2d` (ternary sums with thresholds) and `Pool2d` (OR, AND).
A new layer is a function that builds one of these, if its bits can be written as

    bit = [sum of weights * inputs >= threshold],   weights in {-1, 0, +1},

with a threshold for each channel or each position, or as several such layers one after another.
What is built so is at once run by all kernels, saved, encoded, and verified; nothing else has to
know of it.

1. Write down the bit as such a sum. Bits are 0 and 1, the padding is 0.
2. Return a `Conv2d`: weights (O, C, KH, KW), a threshold and a sense for each channel.
3. Compare it with its definition on all inputs of a small size, as the test of this template does.

A layer that is no such sum, such as an XOR of three bits, takes two layers: hidden neurons count
them ("at least 1", "at least 2", "at least 3"), and a second layer weighs these (+1, -1, +1).
"""

import numpy as np

from bnnkit.network.layers import Conv2d


def majority_pool(channels, size, stride=None):
    """Pooling by majority: 1 where more than half of the bits of a window are.

    Parameters
    ----------
    channels : int
        Of the input; each is pooled by itself.
    size, stride : int
        `stride` is `size` unless given.

    Returns
    -------
    Conv2d

    Examples
    --------
    >>> layer = majority_pool(channels=1, size=3)
    >>> layer.kernel_shape, layer.threshold.tolist()
    ((1, 1, 3, 3), [5])
    """
    own = np.eye(channels, dtype=np.int8)  # each channel reads itself alone
    weights = np.tile(own[:, :, None, None], (1, 1, size, size))
    more_than_half = size * size // 2 + 1
    threshold, sense = np.full(channels, more_than_half), np.ones(channels, int)
    return Conv2d(weights, threshold, sense, stride=size if stride is None else stride)
