"""The elementwise half of a training step, fused so that memory is read once.

Products are in `bnnkit.kernels.russians`; what is left is bound by memory traffic, and NumPy
would walk over each array once per operation. Activations and their gradients are *lanes* as
described there: arrays (slabs, sites, C, L), with L = 16 images in a slab of float32, and 32 or
64 in a slab of integers. Lanes beyond the last image hold zeros. Statistics are summed lane by
lane, and always in the same order; those of integers in float64, where they are exact.
"""

import numpy as np

from bnnkit.kernels._compile import entry, inner
from bnnkit.kernels._lanes import (
    add_to,
    floats,
    keep,
    load,
    not_negative,
    splat,
    total,
    transpose,
    wide,
    within,
)
from bnnkit.kernels._vector import store

_L = 16  # lanes of float32
_REGISTER = np.uint64(4 * _L)  # bytes of 16 float32
_WIDE = np.uint64(8 * _L)  # bytes of 16 float64
_RUN = 64  # additions for which float32 sums are good enough


@entry
def to_lanes(rows, lanes):
    """Write uint8 `rows` (N, K) to int8 or int16 `lanes` (slabs, K, L), zeros where N ends."""
    n_images, width = rows.shape
    lanes[:] = 0
    row_bytes, lane_bytes = np.uint64(width), np.uint64(lanes.shape[2] * lanes.itemsize)
    for first in range(0, n_images, _L):
        slab, lane = first // lanes.shape[2], first % lanes.shape[2]
        tiles = width // _L * _L if first + _L <= n_images else 0
        for k in range(0, tiles, _L):
            place = np.uint64(first * width + k)
            to = np.uint64(slab * width + k) * lane_bytes + np.uint64(lane * lanes.itemsize)
            transpose(rows, place, row_bytes, lanes, to, lane_bytes)
        for n in range(first, min(first + _L, n_images)):
            for k in range(tiles, width):
                lanes[slab, k, lane + n - first] = rows[n, k]


@entry
def from_lanes(lanes, rows):
    """Undo `to_lanes`: `lanes` (slabs, K, L) to `rows` (N, K)."""
    width = lanes.shape[2]
    for n in range(rows.shape[0]):
        slab = lanes[n // width]
        for k in range(rows.shape[1]):
            rows[n, k] = slab[k, n % width]


@inner
def _place(z, slab, site, channel):
    """Byte of `z` (slabs, sites, C, L) at which the 16 lanes of slab `slab` of 16 begin."""
    parts = np.uint64(z.shape[3] // _L)
    row = slab // parts * np.uint64(z.shape[1]) + site
    row = row * np.uint64(z.shape[2]) + channel
    return (row * parts + slab % parts) * np.uint64(_L * z.itemsize)


@inner
def _all(number):
    """A float64 as float32 in 16 lanes."""
    return splat(np.float32(number))


@inner
def _centred(z, slab, site, channel, mean):
    """Z - mean, float32 in 16 lanes."""
    return floats(z, _place(z, slab, site, channel)) - _all(mean[channel])


@inner
def _used(n_images, slab):
    """How many of the 16 lanes of slab `slab` have an image."""
    return np.uint64(min(max(n_images - np.int64(slab) * _L, 0), _L))


@inner
def _add_totals(lanes, totals):
    """Add the 16 lanes of each row of `lanes` (2, C, 16) to `totals` (2, C), and set them to 0."""
    step, place = np.uint64(_L * lanes.itemsize), np.uint64(0)
    for i in range(2):
        for c in range(totals.shape[1]):
            totals[i, c] += total(lanes, place)
            place += step
    lanes[:] = 0


@entry
def to_floats(x, real):
    """Write integers `x` (slabs, sites, C, L) to float32 `real` (slabs, sites, C, 16)."""
    for slab in range(np.uint64(real.shape[0])):
        for site in range(np.uint64(real.shape[1])):
            for c in range(np.uint64(real.shape[2])):
                store(real, _place(real, slab, site, c), floats(x, _place(x, slab, site, c)))


@entry
def channel_moments(z, n_images, lanes, totals):
    """Sums of integers `z` (slabs, sites, C, L) and of their squares.

    They are added to float64 `totals` (2, C); `lanes` is float64 (2, C, 16), zeros.
    """
    squares = np.uint64(z.shape[2]) * _WIDE
    for slab in range(np.uint64((n_images + _L - 1) // _L)):
        for site in range(np.uint64(z.shape[1])):
            for c in range(np.uint64(z.shape[2])):
                value = wide(floats(z, _place(z, slab, site, c)))
                add_to(lanes, c * _WIDE, value)
                add_to(lanes, squares + c * _WIDE, value * value)
    _add_totals(lanes, totals)


@entry
def step(z, slope, offset, n_images, bits):
    """Write [slope * z + offset >= 0] to int8 `bits` (slabs, sites, C, 64).

    `slope` and `offset` (C,) are float64, as folding into thresholds takes them.
    """
    for slab in range(np.uint64(4 * bits.shape[0])):
        used = _used(n_images, slab)
        for site in range(np.uint64(z.shape[1])):
            for c in range(np.uint64(z.shape[2])):
                value = wide(floats(z, _place(z, slab, site, c)))
                bit = not_negative(splat(slope[c]) * value + splat(offset[c]))
                store(bits, _place(bits, slab, site, c), keep(bit, used))


@inner
def _soft_window(y):
    """1 - tanh(y)**2 = cosh(y)**-2, to 1e-6 of it up to abs(y) = 10.

    h = cosh - 1 is a series at y / 8, then doubled three times by h(2y) = 2 * h(y) * (h(y) + 2).
    """
    square = y * y * splat(np.float32(1 / 64))
    series = square * splat(np.float32(1 / 3628800)) + splat(np.float32(1 / 40320))
    series = square * series + splat(np.float32(1 / 720))
    series = square * series + splat(np.float32(1 / 24))
    h = square * (square * series + splat(np.float32(1 / 2)))
    two = splat(np.float32(2))
    h = (h + h) * (h + two)
    h = (h + h) * (h + two)
    h = (h + h) * (h + two)
    one = splat(np.float32(1))
    return one / ((h + one) * (h + one))


@entry
def window_gradient(gradient, z, mean, slope, shift, scale, soft, lanes, totals):
    """Multiply by the surrogate of the step at y = slope * (z - mean) + shift, in place.

    Parameters
    ----------
    gradient : ndarray of float32, shape (slabs, sites, C, 16)
    z : ndarray of int16 or int32, shape (slabs, sites, C, 64 or 32)
    mean, slope, shift : ndarray of float64, shape (C,)
    scale : float
    soft : bool
        The window 1 - tanh(scale * y)**2; else [abs(scale * y) <= 1].
    lanes : ndarray of float32, shape (2, C, 16)
        Zeros.
    totals : ndarray of float64, shape (2, C)
        The sums of the result, and of the result times (z - mean), are added.
    """
    products, run = np.uint64(z.shape[2]) * _REGISTER, 0
    for slab in range(np.uint64(gradient.shape[0])):
        for site in range(np.uint64(z.shape[1])):
            for c in range(np.uint64(z.shape[2])):
                place = _place(gradient, slab, site, c)
                centred = _centred(z, slab, site, c, mean)
                y = _all(scale * slope[c]) * centred + _all(scale * shift[c])
                value = load(gradient, place) * (_soft_window(y) if soft else within(y))
                store(gradient, place, value)
                add_to(lanes, c * _REGISTER, value)
                add_to(lanes, products + c * _REGISTER, value * centred)
            run += 1
            if run % _RUN == 0:
                _add_totals(lanes, totals)
    _add_totals(lanes, totals)


@entry
def fixed_gradient(gradient, z, mean, slope, shift, scale, soft):
    """Multiply by the surrogate, as `window_gradient` does, and by the slope, in place."""
    for slab in range(np.uint64(gradient.shape[0])):
        for site in range(np.uint64(z.shape[1])):
            for c in range(np.uint64(z.shape[2])):
                place = _place(gradient, slab, site, c)
                centred = _centred(z, slab, site, c, mean)
                y = _all(scale * slope[c]) * centred + _all(scale * shift[c])
                value = load(gradient, place) * (_soft_window(y) if soft else within(y))
                store(gradient, place, value * _all(slope[c]))


@entry
def combine(gradient, z, mean, along_gradient, along_z, constant, n_images):
    """Set gradient to along_gradient * gradient + along_z * (z - mean) + constant, in place.

    Shapes as in `window_gradient`; the coefficients are float64 (C,).
    """
    for slab in range(np.uint64(gradient.shape[0])):
        used = _used(n_images, slab)
        for site in range(np.uint64(gradient.shape[1])):
            for c in range(np.uint64(gradient.shape[2])):
                place = _place(gradient, slab, site, c)
                value = _all(along_gradient[c]) * load(gradient, place) + _all(constant[c])
                value = value + _all(along_z[c]) * _centred(z, slab, site, c, mean)
                store(gradient, place, keep(value, used))


@entry
def ends_of_sums(low, high, width):
    """Ends of sums in an interval, in place, from products with the ends of the inputs.

    The arrays are flat integers of one type: the products of the weights with the low ends and with
    the high ends, which become the ends of the sums, and of the absolute weights with the widths.
    """
    for i in range(low.size):
        both = low[i] + high[i]
        low[i], high[i] = (both - width[i]) >> 1, (both + width[i]) >> 1


@entry
def signs(latent, weights):
    """Write sign(latent), sign(0) = +1, to int8 `weights`; both flat."""
    for i in range(latent.size):
        weights[i] = 1 if latent[i] >= np.float32(0) else -1


@inner
def _sign_if(kept, latent):
    return (np.int8(1) if latent >= np.float32(0) else np.int8(-1)) if kept else np.int8(0)


@entry
def masked_signs(latent, mask, weights):
    """Write sign(latent) * [mask >= 0], sign(0) = +1, to int8 `weights`; all arrays flat.

    Returns how many are not 0.
    """
    in_use = 0
    for i in range(latent.size):
        kept = mask[i] >= np.float32(0)
        weights[i] = _sign_if(kept, latent[i])
        in_use += kept
    return in_use


@entry
def large_signs(latent, least, weights):
    """Write sign(latent) * [abs(latent) >= least] to int8 `weights`; both flat.

    Returns how many are not 0.
    """
    in_use = 0
    for i in range(latent.size):
        kept = abs(latent[i]) >= least
        weights[i] = _sign_if(kept, latent[i])
        in_use += kept
    return in_use


@entry
def straight_through(gradient, latent, mask, mask_gradient, decay):
    """Gradients of weight = sign(latent) * [mask >= 0], sign and step taken as the identity.

    The arrays are flat float32; `gradient`, of the weights, becomes that of the latents.
    """
    for i in range(gradient.size):
        kept = np.float32(1) if mask[i] >= np.float32(0) else np.float32(0)
        sign = np.float32(1) if latent[i] >= np.float32(0) else np.float32(-1)
        mask_gradient[i] = gradient[i] * sign + decay * kept
        gradient[i] = gradient[i] * kept


@entry
def adam(value, gradient, mean, square, rate, beta1, beta2, epsilon, limit):
    """One step of Adam on flat float32 arrays, in place, then a clip to [-limit, limit].

    `rate` carries the bias correction; all scalars are float32.
    """
    one = np.float32(1)
    for i in range(value.size):
        mean[i] = beta1 * mean[i] + (one - beta1) * gradient[i]
        square[i] = beta2 * square[i] + (one - beta2) * gradient[i] * gradient[i]
        moved = value[i] - rate * mean[i] / (np.sqrt(square[i]) + epsilon)
        value[i] = min(max(moved, -limit), limit)
