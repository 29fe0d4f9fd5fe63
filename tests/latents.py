"""Latent networks in the middle of their training, for tests against plain twins in float64."""

import numpy as np

from bnnkit.nn.architectures import parse_architecture
from bnnkit.nn.latent import LatentNetwork

SHAPES = {
    "9-7": (1, 3, 4),
    "conv5k3s2p1-8": (2, 6, 5),
    "conv3k3p1-conv4k4s2p1-6": (1, 8, 8),
    "conv4k2": (3, 4, 4),
    # the layers of the named architectures, fewer of each
    "70-33-20": (1, 5, 6),
    "conv16k4s2p1-conv32k4s2p1-40": (1, 12, 12),
    "conv17k3p1-conv16k4s2p1-conv20k3p1-conv9k4s2p1-33-18": (3, 8, 8),
}
SLOPES = {
    "tanh": lambda y, scale: 1 / np.cosh(scale * y) ** 2,
    "hardtanh": lambda y, scale: 1.0 * (abs(scale * y) <= 1),
}


def make(architecture, rng, name="tanh", scale=1.0, weights="binmask", n_levels=11):
    """A network in the middle of its training: nothing is at its initial value."""
    network = LatentNetwork(
        parse_architecture(architecture),
        SHAPES[architecture],
        4,
        n_levels=n_levels,
        surrogate=name,
        surrogate_scale=scale,
        weights=weights,
        mask_scale=0.01,
        mask_decay=0.0,
        rng=rng,
    )
    for norm in network.norms:
        norm.gamma.value[:] = rng.normal(size=len(norm.gamma.value))
        norm.beta.value[:] = rng.normal(size=len(norm.beta.value))
    for layer in [*network.layers, network.head.layer]:
        if weights == "binmask":
            layer.mask.value[:] = rng.normal(0.3, 1, layer.mask.value.shape)
    network.head.bias.value[:] = rng.normal(size=4)
    network.refresh()
    return network


def make_levels(architecture, rng, n=40, n_levels=11):
    channels, height, width = SHAPES[architecture]
    return rng.integers(0, n_levels, (n, height, width, channels), dtype=np.uint8)


def plain_windows(x, geometry):
    """float64 (N, OH, OW, kh, kw, C)."""
    pad, (kh, kw), step = geometry.padding, geometry.kernel, geometry.stride
    x = np.pad(x.astype(float), ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    rows, columns, _ = geometry.output_shape
    windows = [
        [x[:, r * step : r * step + kh, c * step : c * step + kw] for c in range(columns)]
        for r in range(rows)
    ]
    return np.array(windows).transpose(2, 0, 1, 3, 4, 5)


def plain_scatter(d_windows, geometry):
    """The adjoint of `plain_windows`."""
    pad, (kh, kw), step = geometry.padding, geometry.kernel, geometry.stride
    height, width, channels = geometry.input_shape
    x = np.zeros((len(d_windows), height + 2 * pad, width + 2 * pad, channels))
    for r in range(d_windows.shape[1]):
        for c in range(d_windows.shape[2]):
            x[:, r * step : r * step + kh, c * step : c * step + kw] += d_windows[:, r, c]
    return x[:, pad : pad + height, pad : pad + width]


class Twin:
    """Forward and backward in float64.

    `fixed` takes the statistics from the network and not from the batch, `constant` lets
    nothing flow back through those of the batch.
    """

    def __init__(self, network, slope, scale, fixed=False, constant=False):
        self.network, self.slope, self.scale = network, slope, scale
        self.fixed, self.constant = fixed, constant or fixed

    def forward(self, x):
        self.trace = []
        for layer, norm in zip(self.network.layers, self.network.norms, strict=True):
            windows = plain_windows(x, layer.geometry)
            z = np.einsum("nrsijc,oijc->nrso", windows, layer.weights.astype(float))
            mean = norm.mean if self.fixed else z.mean((0, 1, 2))
            deviation = np.sqrt((norm.variance if self.fixed else z.var((0, 1, 2))) + 1e-5)
            centred = (z - mean) / deviation
            y = norm.gamma.value * centred + norm.beta.value
            self.trace.append((windows, centred, deviation, y))
            x = 1.0 * (y >= 0)
        head = self.network.head
        windows = plain_windows(x, head.layer.geometry)
        z = np.einsum("nrsijc,oijc->nrso", windows, head.layer.weights.astype(float))[:, 0, 0]
        self.trace.append((windows, z))
        return float(head.scale.value[0]) * z + head.bias.value

    def backward(self, d_logits, of_statistics=None):
        """Gradients of (weights of each layer, gammas, betas, scale, bias) and of the input.

        `of_statistics` has gradients of mean and variance of each norm, to be added.
        """
        head, (windows, z) = self.network.head, self.trace[-1]
        gradients = {"scale": np.sum(d_logits * z), "bias": d_logits.sum(0)}
        dz = float(head.scale.value[0]) * d_logits[:, None, None, :]
        layer = head.layer
        gradients["weights"], gradients["gamma"], gradients["beta"] = [], [], []
        for index in reversed(range(len(self.network.norms))):
            norm, (below, centred, deviation, y) = self.network.norms[index], self.trace[index]
            gradients["weights"].append(np.einsum("nrso,nrsijc->oijc", dz, windows))
            dx = plain_scatter(np.einsum("nrso,oijc->nrsijc", dz, layer.weights), layer.geometry)
            dy = dx * self.slope(y, self.scale)
            axes = (0, 1, 2)
            gradients["gamma"].append((dy * centred).sum(axes))
            gradients["beta"].append(dy.sum(axes))
            if not self.constant:
                dy = dy - dy.mean(axes) - centred * (dy * centred).mean(axes)
            dz = norm.gamma.value / deviation * dy
            if of_statistics is not None:
                d_mean, d_variance = of_statistics[index]
                dz = dz + (d_mean + 2 * d_variance * centred * deviation) / centred[..., 0].size
            layer, windows = self.network.layers[index], below
        gradients["weights"].append(np.einsum("nrso,nrsijc->oijc", dz, windows))
        dx = plain_scatter(np.einsum("nrso,oijc->nrsijc", dz, layer.weights), layer.geometry)
        return {
            name: value[::-1] if isinstance(value, list) else value
            for name, value in gradients.items()
        }, dx


def assert_close(actual, expected):
    """Equal to 1e-5 of the largest entry."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max() + 1e-12)
