"""The elementwise half of a training step, fused so that memory is read once.

Products go to BLAS or to the popcount kernels; what is left is bound by memory traffic,
and NumPy would walk over each array once per operation. Statistics are summed in float64,
where sums of integers are exact, so that they do not depend on the size of a batch.
"""

import numpy as np

from bnnkit.kernels._jit import kernel


@kernel
def channel_moments(z):
    """Sum and sum of squares of each column of int32 `z` (R, C), as float64 (C,)."""
    sums = np.zeros(z.shape[1])
    squares = np.zeros(z.shape[1])
    for r in range(z.shape[0]):
        for c in range(z.shape[1]):
            value = np.float64(z[r, c])
            sums[c] += value
            squares[c] += value * value
    return sums, squares


@kernel
def normalise(z, mean, slope, shift):
    """Return y = slope * (z - mean) + shift (float32) and bits [y >= 0] (uint8) of int32 z (R, C).

    The three vectors (C,) are float32.
    """
    y = np.empty(z.shape, np.float32)
    bits = np.empty(z.shape, np.uint8)
    for r in range(z.shape[0]):
        for c in range(z.shape[1]):
            value = slope[c] * (np.float32(z[r, c]) - mean[c]) + shift[c]
            y[r, c] = value
            bits[r, c] = value >= np.float32(0)
    return y, bits


@kernel
def gradient_moments(gradient, z, mean):
    """Sums over the rows of `gradient` and of gradient * (z - mean), as float64 (C,)."""
    sums = np.zeros(z.shape[1])
    products = np.zeros(z.shape[1])
    for r in range(z.shape[0]):
        for c in range(z.shape[1]):
            value = np.float64(gradient[r, c])
            sums[c] += value
            products[c] += value * (z[r, c] - mean[c])
    return sums, products


@kernel
def combine(gradient, z, mean, along_gradient, along_z, constant):
    """Return along_gradient * gradient + along_z * (z - mean) + constant, float32 (R, C)."""
    result = np.empty(z.shape, np.float32)
    for r in range(z.shape[0]):
        for c in range(z.shape[1]):
            centred = np.float32(z[r, c]) - mean[c]
            result[r, c] = along_gradient[c] * gradient[r, c] + along_z[c] * centred + constant[c]
    return result


@kernel
def add_patches(gradient, kernel_height, kernel_width, stride, padding, total):
    """Add the gradient of every patch to the pixels it was cut from: `patches` transposed.

    Parameters
    ----------
    gradient : ndarray of float32, shape (N, OH, OW, kh, kw, C)
    total : ndarray of float32, shape (N, H, W, C)
        Added to in place.
    """
    n_images, rows, columns = gradient.shape[:3]
    for n in range(n_images):
        for row in range(rows):
            for column in range(columns):
                for i in range(kernel_height):
                    y = row * stride + i - padding
                    if y < 0 or y >= total.shape[1]:
                        continue
                    for j in range(kernel_width):
                        x = column * stride + j - padding
                        if x < 0 or x >= total.shape[2]:
                            continue
                        for c in range(total.shape[3]):
                            total[n, y, x, c] += gradient[n, row, column, i, j, c]


@kernel
def ternarise(latent, mask, weights):
    """Write sign(latent) * [mask >= 0], sign(0) = +1, to float32 `weights`; all arrays flat."""
    for i in range(latent.size):
        sign = np.float32(1) if latent[i] >= np.float32(0) else np.float32(-1)
        weights[i] = sign if mask[i] >= np.float32(0) else np.float32(0)


@kernel
def straight_through(gradient, latent, mask, latent_gradient, mask_gradient, decay):
    """Gradients of weight = sign(latent) * [mask >= 0], sign and step taken as the identity.

    The arrays are flat float32; the two gradients are written.
    """
    for i in range(gradient.size):
        kept = np.float32(1) if mask[i] >= np.float32(0) else np.float32(0)
        sign = np.float32(1) if latent[i] >= np.float32(0) else np.float32(-1)
        latent_gradient[i] = gradient[i] * kept
        mask_gradient[i] = gradient[i] * sign + decay * kept


@kernel
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
