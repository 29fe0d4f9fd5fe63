import re

import numpy as np
import pytest

from bnnkit.nn.optim import Parameter, constant
from bnnkit.nn.training import train


class Softmax:
    """Logistic regression, to see the loop alone; it records the batches it is given."""

    def __init__(self):
        self.weights, self.batches, self.refreshed = Parameter(np.zeros((3, 2))), [], 0

    def parameters(self):
        return [self.weights]

    def refresh(self):
        self.refreshed += 1

    def forward(self, x):
        self.batches.append(x)
        return x @ self.weights.value

    def backward(self, d_logits):
        self.weights.gradient[:] = self.batches[-1].T @ d_logits


def run(network, rng, n=50, **options):
    inputs = rng.normal(size=(n, 3)).astype(np.float32)
    labels = (inputs[:, 0] > 0).astype(np.int64)
    settings = {"epochs": 3, "batch_size": 16, "learning_rate": 0.1, "schedule": constant}
    settings |= {"verbose": False} | options
    return inputs, train(network, inputs, labels, rng=rng, **settings)


def test_an_epoch_sees_every_image_once_in_even_batches_and_a_new_order(rng):
    network = Softmax()
    inputs, _ = run(network, rng)
    assert [len(batch) for batch in network.batches] == [13, 13, 12, 12] * 3
    epochs = [np.concatenate(network.batches[i : i + 4]) for i in (0, 4, 8)]
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch, axis=0), np.sort(inputs, axis=0))
    assert not np.array_equal(epochs[0], epochs[1])
    assert network.refreshed == 12


def test_every_step_has_the_rate_of_the_schedule(rng):
    network, asked = Softmax(), []

    def schedule(*arguments):
        asked.append(arguments)
        return 0.0

    run(network, rng, schedule=schedule)
    assert asked == [(0.1, step, 12) for step in range(12)]
    assert not network.weights.value.any()


def test_history_tells_loss_and_accuracy(rng):
    _, history = run(Softmax(), rng, epochs=30)
    assert [record["epoch"] for record in history] == list(range(1, 31))
    assert history[0]["loss"] > 2 * history[-1]["loss"]
    assert history[-1]["accuracy"] > 0.95
    assert all(record["seconds"] >= 0 for record in history)


def test_a_loss_that_is_not_finite_stops_at_once(rng):
    network = Softmax()
    network.weights.value[0, 0] = np.nan
    with pytest.raises(
        FloatingPointError, match=r"nan in epoch 1; lower learning_rate \(now 0.1\)"
    ):
        run(network, rng)
    assert len(network.batches) == 1


@pytest.mark.parametrize("value", [np.nan, 2e12, -np.inf])
def test_a_parameter_that_blew_up_shows_after_its_epoch(value, rng):
    class Quiet(Softmax):
        """One parameter has no effect on the loss."""

        def __init__(self):
            super().__init__()
            self.unused = Parameter([value])

        def parameters(self):
            return [self.unused, *super().parameters()]

    network = Quiet()
    message = f"largest parameter is {abs(value):g} after epoch 1; lower learning_rate"
    with pytest.raises(FloatingPointError, match=re.escape(message)):
        run(network, rng)
    assert len(network.batches) == 4


def test_verbose_is_a_line_an_epoch(rng, capsys):
    run(Softmax(), rng, verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["1/3", "2/3", "3/3"]


def test_quiet_otherwise(rng, capsys):
    run(Softmax(), rng)
    assert capsys.readouterr() == ("", "")
