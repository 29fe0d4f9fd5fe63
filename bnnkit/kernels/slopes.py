"""The elementwise half of a gradient attack on thresholds, in lanes.

Each image of a batch climbs with settings of its own: a lane has its own steepness and length of
step, as no single choice finds everything. Margins are float32 (slabs, sites, C, 16), the
distance of a sum from its threshold, positive or 0 where the bit is 1; see `russians` for lanes.
"""

import numpy as np

from bnnkit.kernels._compile import entry

_L = 16


@entry
def subtract(z, bound):
    """Turn sums `z` into margins, in place; `bound` is (1, C) or, one for each site, (sites, C)."""
    for slab in range(z.shape[0]):
        for site in range(z.shape[1]):
            row = bound[site % bound.shape[0]]
            for c in range(z.shape[2]):
                for lane in range(_L):
                    z[slab, site, c, lane] -= row[c]


@entry
def pool(margins, windows, largest, pooled):
    """The largest margin of each window of sites, or the smallest, as `largest` says.

    `windows` (P, taps) has the sites; `pooled` is (slabs, P, C, 16).
    """
    for slab in range(pooled.shape[0]):
        for p in range(pooled.shape[1]):
            for c in range(pooled.shape[2]):
                best = pooled[slab, p, c]
                for lane in range(_L):
                    best[lane] = margins[slab, windows[p, 0], c, lane]
                for tap in range(1, windows.shape[1]):
                    other = margins[slab, windows[p, tap], c]
                    for lane in range(_L):
                        more = (other[lane] > best[lane]) == largest
                        best[lane] = other[lane] if more else best[lane]


@entry
def unpool(gradient, pooled, margins, windows, spread):
    """Hand the gradient of a pool to the sites that have the pooled margin."""
    spread[:] = 0
    for slab in range(gradient.shape[0]):
        for p in range(gradient.shape[1]):
            for tap in range(windows.shape[1]):
                for c in range(gradient.shape[2]):
                    for lane in range(_L):
                        same = margins[slab, windows[p, tap], c, lane] == pooled[slab, p, c, lane]
                        part = gradient[slab, p, c, lane] if same else np.float32(0)
                        spread[slab, windows[p, tap], c, lane] += part


@entry
def fire(margins, bits):
    """Write [margin >= 0] as float32; flat arrays."""
    for i in range(margins.size):
        bits[i] = np.float32(1) if margins[i] >= np.float32(0) else np.float32(0)


@entry
def soften(gradient, margins, steepness):
    """Multiply by the surrogate derivative of a step, (1 + steepness * |margin|)**-2, in place.

    `steepness` is (slabs, 16). The tails are long, so that no gradient ever vanishes.
    """
    one = np.float32(1)
    for slab in range(gradient.shape[0]):
        for site in range(gradient.shape[1]):
            for c in range(gradient.shape[2]):
                for lane in range(_L):
                    u = one + abs(margins[slab, site, c, lane]) * steepness[slab, lane]
                    gradient[slab, site, c, lane] /= u * u


@entry
def push(margins, goal, gradient, least):
    """Gradient that drives margins away from 0, and the smallest of them.

    `gradient` becomes the sign of each margin below `goal` (slabs, 16) and 0 elsewhere; `least`
    (slabs, 16) the smallest absolute margin of each lane.
    """
    least[:] = np.inf
    for slab in range(margins.shape[0]):
        for site in range(margins.shape[1]):
            for c in range(margins.shape[2]):
                for lane in range(_L):
                    margin = margins[slab, site, c, lane]
                    least[slab, lane] = min(least[slab, lane], abs(margin))
                    sign = np.float32(1) if margin >= np.float32(0) else np.float32(-1)
                    near = abs(margin) < goal[slab, lane]
                    gradient[slab, site, c, lane] = sign if near else np.float32(0)


@entry
def climb_box(position, gradient, step, low, high):
    """Move along the sign of the gradient by a share of the box, and stay on its integers.

    `position` and `gradient` are (slabs, K, 16), `low` and `high` integers as float32 (K,), and
    `step` (slabs, 16) is the share of the width of an input; a move is 1 at least.
    """
    zero, one, half = np.float32(0), np.float32(1), np.float32(0.5)
    for slab in range(position.shape[0]):
        for k in range(position.shape[1]):
            width = high[k] - low[k]
            for lane in range(_L):
                g = gradient[slab, k, lane]
                sign = np.float32(g > zero) - np.float32(g < zero)
                move = max(np.floor(step[slab, lane] * width + half), one)
                moved = position[slab, k, lane] + sign * move
                position[slab, k, lane] = min(max(moved, low[k]), high[k])
