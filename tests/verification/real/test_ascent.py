import numpy as np
import real_boxes

from bnnkit.network import BinaryNetwork, Conv2d, Head, RealConv2d, RealNetwork
from bnnkit.quantiser import Quantiser
from bnnkit.verification.real import Condition
from bnnkit.verification.real.ascent import ENOUGH, Ascent
from bnnkit.verification.real.box import Box, Grid


def needle(rng, n=40):
    """A network that says 1 only where nearly all pixels are on the right side."""
    weights = np.eye(n, dtype=int).reshape(n, 1, 1, n)
    sense = rng.choice([-1, 1], n)
    front = RealConv2d(weights, sense * 100, sense)
    count = Conv2d(np.ones((1, n, 1, 1)), [n - 2], [1])
    head = Head(np.array([-1, 1]).reshape(2, 1, 1, 1), 2, [1, 0])
    tail = BinaryNetwork(Quantiser(1), [count], head, (n, 1, 1))
    return RealNetwork(front, tail, (1, 1, n)), sense


def test_a_needle_that_no_random_point_hits():
    network, sense = needle(np.random.default_rng(0))
    centre = (sense * 100)[None, None]
    box = Box(centre - 20, centre + 20)
    grid = Grid(box, network.front)
    ascent = Ascent(network, grid, Condition.not_class(0, 2))
    position = ascent.run(20)
    assert position is not None
    point = grid.point(position)
    assert box.contains(point)
    assert network.predict(point[None]) == 1


def test_polish_moves_away_from_thresholds():
    network, sense = needle(np.random.default_rng(1))
    centre = (sense * 100)[None, None]
    grid = Grid(Box(centre - 20, centre + 20), network.front)
    ascent = Ascent(network, grid, Condition.not_class(0, 2))
    edge = grid.nearest(centre * np.array(1, object))  # each pixel is at its threshold
    polished = ascent.polish(edge)
    before, after = (network.margins(grid.point(p)).first * grid.unit for p in (edge, polished))
    assert before == 0
    assert after >= ENOUGH - 1
    assert network.predict(grid.point(polished)[None]) == 1


def test_a_run_goes_on_where_it_was():
    """Many short calls visit what one long call does."""
    rng = np.random.default_rng(3)
    network = real_boxes.random_network(rng)
    low, _ = real_boxes.random_ends(rng, network.input_shape)
    grid = Grid(Box(low, low + 1), network.front)
    never = Condition([[(0, 1), (1, 2), (2, 0)]])
    short, long = (Ascent(network, grid, never) for _ in range(2))
    if any(ascent.run(0) is not None for ascent in (short, long)):
        return
    for _ in range(30):
        short.run(0)
    while long.evaluations < short.evaluations:
        long.run(0)
    np.testing.assert_array_equal(short._x, long._x)
