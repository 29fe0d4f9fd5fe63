import numpy as np
import pytest

from bnnkit.nn.loss import cross_entropy
from bnnkit.nn.objective import Objective
from bnnkit.nn.real import RealNetwork


@pytest.fixture
def network(rng):
    return RealNetwork([6, 5, 3], rng)


def test_a_step_sets_the_gradients_of_the_mean_loss_of_its_batch(network, rng):
    inputs, labels = rng.normal(size=(20, 6)).astype(np.float32), rng.integers(0, 3, 20)
    objective, batch = Objective(inputs, labels), np.array([4, 0, 17, 9])
    loss, correct = objective.step(network, batch, rng)
    gradients = [parameter.gradient.copy() for parameter in network.parameters()]
    logits = network.forward(inputs[batch])
    losses, gradient = cross_entropy(logits, labels[batch])
    network.backward(gradient / 4)
    assert len(objective) == 20
    assert loss == pytest.approx(losses.sum())
    assert correct == np.sum(logits.argmax(axis=1) == labels[batch])
    for parameter, expected in zip(network.parameters(), gradients, strict=True):
        np.testing.assert_array_equal(parameter.gradient, expected)


def test_the_plain_objective_sets_and_keeps_nothing(network, rng):
    objective = Objective(np.zeros((4, 6), np.float32), np.arange(4) % 3)
    before = rng.bit_generator.state
    assert objective.start_epoch(network, 0, 5, rng) == {}
    assert objective.end_epoch(network, rng) == {}
    assert objective.state(network) == {}
    objective.restore(network, {})
    assert rng.bit_generator.state == before
