"""The tables that `BinaryNetwork.summary` and `RealNetwork.summary` show."""

from bnnkit._table import table
from bnnkit.network.layers import Pool2d


def summary(network):
    """Return the layers of `network` as a text table; see `BinaryNetwork.summary`."""
    levels = network.quantiser
    return _table(
        f"input {_by(network.input_shape)}, {levels.n_levels} levels (step {levels.step})",
        (*network.layers, network.head),
        (*network.shapes, (network.n_classes, 1, 1)),
    )


def real_summary(network):
    """Return the layers of a RealNetwork as a text table; see `RealNetwork.summary`."""
    tail = network.tail
    return _table(
        f"input {_by(network.input_shape)}, reals from {network.low} to {network.high}",
        (network.front, *tail.layers, tail.head),
        (network.input_shape, *tail.shapes, (tail.n_classes, 1, 1)),
    )


def _table(first, layers, shapes):
    """Rows for `layers`, the head last, whose input and output shapes are `shapes`."""
    rows = [_row(*row) for row in zip(layers[:-1], shapes[:-2], shapes[1:-1], strict=True)]
    rows.append(_row(layers[-1], *shapes[-2:], name="head"))
    weighted = [layer for layer in layers if not isinstance(layer, Pool2d)]
    n_weights = sum(layer.n_weights for layer in weighted)
    zeros = sum(layer.sparsity * layer.n_weights for layer in weighted)
    rows.append(
        ("total", "", f"{n_weights:,}", f"{zeros / n_weights:.1%}", _kib(weighted)),
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
