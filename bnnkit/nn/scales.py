"""Adaptive gradient cancelling: how wide the surrogates are is tuned while training."""

GRID = (0.6, 1.0, 1.4, 1.8, 2.2, 2.6, 3.0)


def tune_scales(network, attacked_accuracy, grid=GRID, tolerance=4):
    """Choose the scales of the surrogates with which an attack is strongest.

    A surrogate that is too wide or too narrow hides the true slopes from a gradient
    attack, and training against a weak attack makes a network that only looks robust.
    While all layers have the same scale, each scale of the grid is tried for all of them.
    After that, and in each later call, the layers are visited in order, and the scales
    next to a layer's own are tried with the others fixed: a network of L hidden layers
    takes up to 2 L + 1 attacks, and ``len(grid)`` more at first.

    Parameters
    ----------
    network : LatentNetwork
        Its `surrogate_scales` are set.
    attacked_accuracy : callable
        ``attacked_accuracy()`` returns how many of a fixed set of images the network
        classifies correctly under the attack, with `surrogate_scales` as they are. It must
        be deterministic.
    grid : sequence of float
        Ascending.
    tolerance : int
        Numbers of images that differ by no more are a tie, which the scale closest to 1
        wins; a layer's scale changes only for a larger difference.

    Returns
    -------
    int
        Images that the attack leaves correct with the scales that were chosen.

    Notes
    -----
    Jia & Rinard, "Efficient Exact Verification of Binarized Neural Networks" (NeurIPS
    2020), choose one scale for all layers in the same way; one for each layer is ours.
    """
    scales = network.surrogate_scales
    if len(set(scales)) == 1:
        correct = _tune_common(scales, attacked_accuracy, grid, tolerance)
    else:
        correct = attacked_accuracy()
    for layer in range(len(scales)):
        correct = _tune_layer(scales, layer, correct, attacked_accuracy, grid, tolerance)
    return correct


def _tune_common(scales, attacked_accuracy, grid, tolerance):
    found = {}
    for scale in grid:
        scales[:] = [scale] * len(scales)
        found[scale] = attacked_accuracy()
    scale = _strongest(found, tolerance)
    scales[:] = [scale] * len(scales)
    return found[scale]


def _tune_layer(scales, layer, correct, attacked_accuracy, grid, tolerance):
    before, found = scales[layer], {}
    for scale in _neighbours(before, grid):
        scales[layer] = scale
        found[scale] = attacked_accuracy()
    better = {scale: count for scale, count in found.items() if count < correct - tolerance}
    scales[layer] = _strongest(better, tolerance) if better else before
    return better.get(scales[layer], correct)


def _strongest(found, tolerance):
    """The scale closest to 1 of those with the fewest correct images, up to `tolerance`."""
    least = min(found.values())
    ties = [scale for scale, count in found.items() if count <= least + tolerance]
    return min(ties, key=lambda scale: abs(scale - 1))


def _neighbours(scale, grid):
    """The next smaller and the next larger scale of the grid, where there is one."""
    smaller = [other for other in grid if other < scale]
    larger = [other for other in grid if other > scale]
    return smaller[-1:] + larger[:1]
