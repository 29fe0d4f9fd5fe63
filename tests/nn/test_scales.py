from types import SimpleNamespace

import pytest

from bnnkit.nn.scales import GRID, tune_scales


class Attack:
    """Leaves 100 images correct, plus 10 a step of the grid that a layer is away from `best`."""

    def __init__(self, best, scales, cost=10):
        self.best, self.cost, self.tried = best, cost, []
        self.network = SimpleNamespace(surrogate_scales=list(scales))

    def __call__(self):
        scales = self.network.surrogate_scales
        self.tried.append(tuple(scales))
        steps = [abs(GRID.index(a) - GRID.index(b)) for a, b in zip(scales, self.best, strict=True)]
        return 100 + self.cost * sum(steps)


def test_a_common_scale_comes_first_then_the_layers():
    attack = Attack(best=(1.4, 1.0, 1.8), scales=[1.0] * 3)
    assert tune_scales(attack.network, attack) == 100
    assert attack.network.surrogate_scales == [1.4, 1.0, 1.8]
    assert attack.tried[: len(GRID)] == [(scale,) * 3 for scale in GRID]


def test_a_layer_moves_one_step_of_the_grid_a_call():
    attack = Attack(best=(3.0, 0.6), scales=[1.8, 1.0])
    assert tune_scales(attack.network, attack) == 120
    assert attack.network.surrogate_scales == [2.2, 0.6]
    assert tune_scales(attack.network, attack) == 110
    assert tune_scales(attack.network, attack) == 100
    assert attack.network.surrogate_scales == [3.0, 0.6]


def test_what_is_best_stays_and_costs_a_look_at_the_neighbours():
    attack = Attack(best=(1.4, 3.0), scales=[1.4, 3.0])
    assert tune_scales(attack.network, attack) == 100
    assert attack.network.surrogate_scales == [1.4, 3.0]
    assert attack.tried == [(1.4, 3.0), (1.0, 3.0), (1.8, 3.0), (1.4, 2.6)]


@pytest.mark.parametrize(("tolerance", "chosen"), [(9, 1.8), (10, 1.4)])
def test_a_layer_changes_for_more_than_the_tolerance(tolerance, chosen):
    attack = Attack(best=(1.8, 0.6), scales=[1.4, 0.6])
    tune_scales(attack.network, attack, tolerance=tolerance)
    assert attack.network.surrogate_scales == [chosen, 0.6]


def test_common_scales_that_tie_give_the_one_closest_to_one():
    attack = Attack(best=(2.6, 2.6), scales=[0.6, 0.6], cost=1)
    assert tune_scales(attack.network, attack, tolerance=4) == 104
    assert attack.network.surrogate_scales == [1.8, 1.8]


def test_neighbours_that_tie_give_the_one_closest_to_one():
    counts = {(1.4, 3.0): 50, (1.0, 3.0): 31, (1.8, 3.0): 30, (1.0, 2.6): 40}
    network = SimpleNamespace(surrogate_scales=[1.4, 3.0])
    correct = tune_scales(network, lambda: counts[tuple(network.surrogate_scales)])
    assert network.surrogate_scales == [1.0, 3.0]
    assert correct == 31


def test_a_start_beside_the_grid_has_neighbours_too():
    tried = []
    network = SimpleNamespace(surrogate_scales=[1.5, 0.1])

    def attack():
        tried.append(tuple(network.surrogate_scales))
        return 7

    assert tune_scales(network, attack) == 7
    assert tried == [(1.5, 0.1), (1.4, 0.1), (1.8, 0.1), (1.5, 0.6)]
    assert network.surrogate_scales == [1.5, 0.1]
