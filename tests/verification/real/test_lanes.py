from fractions import Fraction

import numpy as np
import pytest
import real_boxes

from bnnkit.network import Pool2d
from bnnkit.verification.real.box import Box, Grid
from bnnkit.verification.real.lanes import LANES, LaneNetwork


def question(seed):
    rng = np.random.default_rng(seed)
    network = real_boxes.random_network(rng)
    low, _ = real_boxes.random_ends(rng, network.input_shape)
    box = Box(low, low + 2)
    grid = Grid(box, network.front)
    share = rng.random((len(grid.low), LANES))
    x = np.rint(grid.low[:, None] + share * (grid.high - grid.low)[:, None]).astype(np.float32)
    return network, grid, x[None], rng


def matrix(layer, shape):
    """A layer with weights as a matrix (outputs, inputs), both in (row, column, channel) order."""
    o, rows, columns = layer.output_shape(shape)
    sense = layer.sense if hasattr(layer, "sense") else np.ones(o, int)
    dense = np.zeros((rows, columns, o, shape[1], shape[2], shape[0]))
    for i, j, k, c, y, x in np.ndindex(rows, columns, *layer.weights.shape):
        at = (
            i * layer.stride + y - layer.padding,
            j * layer.stride + x - layer.padding,
        )
        if 0 <= at[0] < shape[1] and 0 <= at[1] < shape[2]:
            dense[(i, j, k, *at, c)] += sense[k] * layer.weights[k, c, y, x]
    return dense.reshape(rows * columns * o, -1)


def plain_gradient(network, grid, x, by_class, steepness):
    """The gradient for one input, forward and back through matrices."""
    tail, unit = network.tail, grid.unit
    bounds = network.front.bounds(unit)
    bounds = np.broadcast_to(bounds, network.front.output_shape(network.input_shape))
    dense = matrix(network.front, network.input_shape)
    margins = dense @ x - bounds.transpose(1, 2, 0).ravel().astype(float) + 0.5
    spread = max(grid.radius, 1) * np.sqrt(network.front.weights[0].size)
    steps = [(dense, None, None)]
    for layer, shape in zip([*tail.layers, tail.head], tail.shapes, strict=True):
        if isinstance(layer, Pool2d):  # of size 2, of everything
            maps = margins.reshape(-1, shape[0])
            pooled = maps.max(axis=0) if layer.kind == "or" else maps.min(axis=0)
            steps.append(("pool", maps == pooled, None))
            margins = pooled
            continue
        dense = matrix(layer, shape)
        steps.append((dense, margins, spread))
        sums = dense @ (margins >= 0)
        if layer is not tail.head:
            margins = sums - layer.threshold * layer.sense + 0.5
        spread = np.sqrt(layer.weights[0].size)
    gradient = by_class
    for dense, before, width in reversed(steps):
        if isinstance(dense, str):
            gradient = (before * gradient).ravel()
            continue
        gradient = dense.T @ gradient
        if before is not None:
            gradient = gradient / (1 + abs(before) * steepness / width) ** 2
    return sums, gradient


@pytest.mark.parametrize("seed", range(25))
def test_sums_and_gradients(seed):
    network, grid, x, rng = question(seed)
    lanes = LaneNetwork(network, grid.unit, grid.radius)
    sums = lanes.forward(x).copy()
    points = np.stack([grid.point(x[0, :, lane]) for lane in range(LANES)])
    scores = network.tail.head.scale * sums.T.astype(int) + network.tail.head.bias
    np.testing.assert_array_equal(scores, network.scores(points))
    by_class = rng.normal(size=(3, LANES))
    steepness = rng.random((1, LANES), dtype=np.float32) * 3
    gradient = lanes.backward(by_class, steepness).reshape(-1, LANES)
    for lane in range(0, LANES, 5):
        case = by_class[:, lane], float(steepness[0, lane])
        expected_sums, expected = plain_gradient(network, grid, x[0, :, lane].astype(float), *case)
        np.testing.assert_array_equal(sums[:, lane], expected_sums)
        np.testing.assert_allclose(gradient[:, lane], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(10))
def test_push(seed):
    network, grid, x, _ = question(seed)
    lanes = LaneNetwork(network, grid.unit, grid.radius)
    lanes.forward(x)
    goal = np.full((1, LANES), 100, np.float32)
    least, gradient = lanes.push(goal)
    dense = matrix(network.front, network.input_shape)
    for lane in range(LANES):
        margins = network.margins(grid.point(x[0, :, lane])).first
        if margins is not None:  # constant neurons do not count there; rounding is half a unit
            used = abs(lanes.front.margins[0, :, :, lane].ravel())[dense.any(axis=1)]
            assert abs(Fraction(float(used.min())) - margins * grid.unit) <= Fraction(1, 2)
        signs = lanes.front.margins[0, :, :, lane].ravel()
        signs = np.where(signs >= 0, 1, -1) * (abs(signs) < 100)
        np.testing.assert_array_equal(gradient.reshape(-1, LANES)[:, lane], dense.T @ signs)
        assert least[0, lane] == abs(lanes.front.margins[0, :, :, lane]).min()
