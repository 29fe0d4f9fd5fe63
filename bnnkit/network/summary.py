"""The table that `BinaryNetwork.summary` shows."""

from bnnkit._table import table
from bnnkit.network.layers import Pool2d


def summary(network):
    """Return the layers of `network` as a text table; see `BinaryNetwork.summary`."""
    shapes = network.shapes
    rows = [_row(*row) for row in zip(network.layers, shapes[:-1], shapes[1:], strict=True)]
    rows.append(_row(network.head, shapes[-1], (network.n_classes, 1, 1), name="head"))
    weighted = [layer for layer in (*network.layers, network.head) if not isinstance(layer, Pool2d)]
    n_weights = sum(layer.n_weights for layer in weighted)
    zeros = sum(layer.sparsity * layer.n_weights for layer in weighted)
    rows.append(
        ("total", "", f"{n_weights:,}", f"{zeros / n_weights:.1%}", _kib(weighted)),
    )
    first = (
        f"input {_by(network.input_shape)}, {network.quantiser.n_levels} levels "
        f"(step {network.quantiser.step})"
    )
    header = ("layer", "output", "weights", "zeros", "packed")
    return first + "\n" + table(header, rows, left=(0, 1))


def _row(layer, input_shape, output_shape, name=None):
    if isinstance(layer, Pool2d):
        return (f"{layer.kind}-pool {layer.size}/{layer.stride}", _by(output_shape), "", "", "")
    _, _, kh, kw = layer.kernel_shape
    if name is None:
        dense = (kh, kw) == tuple(input_shape[1:]) and layer.padding == 0
        name = "dense" if dense else f"conv {kh}x{kw}/{layer.stride} pad {layer.padding}"
    sparsity = f"{layer.sparsity:.1%}"
    return (name, _by(output_shape), f"{layer.n_weights:,}", sparsity, _kib([layer]))


def _kib(layers):
    return f"{sum(layer.nbytes for layer in layers) / 1024:.1f} KiB"


def _by(shape):
    return "x".join(map(str, shape)) if tuple(shape[1:]) != (1, 1) else str(shape[0])
