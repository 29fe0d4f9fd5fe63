import json
import re

import numpy as np
import pytest

from bnnkit.nn.objective import Objective
from bnnkit.nn.optim import Parameter, constant
from bnnkit.nn.training import Trainer


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


def run(network, rng, n=50, verbose=False, **options):
    inputs = rng.normal(size=(n, 3)).astype(np.float32)
    labels = (inputs[:, 0] > 0).astype(np.int64)
    settings = {"epochs": 3, "batch_size": 16, "learning_rate": 0.1, "schedule": constant}
    trainer = Trainer(network, Objective(inputs, labels), rng=rng, **settings | options)
    trainer.run(verbose=verbose)
    return inputs, trainer.history


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
    assert list(dict.fromkeys(asked)) == [(0.1, step, 12) for step in range(12)]
    assert not network.weights.value.any()


def test_the_log_has_the_rate_at_the_start_of_each_epoch(rng):
    _, history = run(Softmax(), rng, schedule=lambda rate, step, total: rate / (1 + step))
    assert [record["learning_rate"] for record in history] == [0.1, 0.1 / 5, 0.1 / 9]


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


def test_verbose_lines_tell_the_score(capsys):
    scripted([0.5, 0.75]).run(verbose=True)
    assert re.findall(r"score (\S+)", capsys.readouterr().out) == ["0.5000", "0.7500"]


def test_quiet_otherwise(rng, capsys):
    run(Softmax(), rng)
    assert capsys.readouterr() == ("", "")


class Scripted(Objective):
    """Epochs of given scores; from `eligible` on (an epoch from 0) they count."""

    def __init__(self, inputs, labels, scores, eligible=0):
        super().__init__(inputs, labels)
        self.scores, self.eligible, self.epoch, self.memory = scores, eligible, None, 0
        self.seen = []

    def start_epoch(self, network, epoch, epochs, rng):
        self.epoch = epoch
        return {"eps": epoch / epochs} | ({} if epoch >= self.eligible else {"eligible": False})

    def end_epoch(self, network, rng):
        self.memory += rng.integers(1, 100)
        self.seen.append((network.weights.value.copy(), self.memory))
        return {"memory": int(self.memory)}

    def validate(self):
        return {"score": self.scores[self.epoch]}

    def state(self, network):
        return {"memory": int(self.memory)}

    def restore(self, network, state):
        self.memory = state["memory"]


def scripted(scores, *, eligible=0, **options):
    """A trainer of a Softmax whose validation scores are given."""
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(50, 3)).astype(np.float32)
    objective = Scripted(inputs, (inputs[:, 0] > 0).astype(np.int64), scores, eligible)
    settings = {"epochs": len(scores), "batch_size": 16, "learning_rate": 0.1}
    settings |= {"schedule": constant, "rng": rng, "validate": objective.validate}
    return Trainer(Softmax(), objective, **settings | options)


def test_what_objective_and_validation_tell_goes_to_the_log():
    trainer = scripted([0.5, 0.75], eligible=1)
    trainer.run()
    memories = [memory for _, memory in trainer.objective.seen]
    assert [record["eps"] for record in trainer.history] == [0, 0.5]
    assert [record["memory"] for record in trainer.history] == memories
    assert [record.get("validation") for record in trainer.history] == [None, {"score": 0.75}]
    assert [record.get("eligible") for record in trainer.history] == [False, None]


@pytest.mark.parametrize(
    ("scores", "eligible", "best"),
    [
        ([1, 3, 2], 0, 2),
        ([1, 3, 3, 2], 0, 3),  # of equals the latest
        ([9, 8, 1, 2, 1], 2, 4),
        ([9, 8, 7], 2, 3),
        ([9, 8, 7], 3, 3),  # none counts: the last
    ],
)
def test_the_best_epoch_is_taken(scores, eligible, best):
    trainer = scripted(scores, eligible=eligible)
    trainer.run()
    assert len(trainer.history) == len(scores)
    assert trainer.best_epoch == best
    weights, memory = trainer.objective.seen[best - 1]
    assert best == len(scores) or not np.array_equal(trainer.network.weights.value, weights)
    refreshed = trainer.network.refreshed
    trainer.take_best()
    np.testing.assert_array_equal(trainer.network.weights.value, weights)
    assert trainer.objective.memory == memory
    assert trainer.network.refreshed == refreshed + (eligible < len(scores))


def test_without_validation_the_last_epoch_is_the_best():
    trainer = scripted([0] * 3, validate=None)
    trainer.run()
    trainer.take_best()
    assert trainer.best_epoch == 3
    np.testing.assert_array_equal(trainer.network.weights.value, trainer.objective.seen[2][0])


@pytest.mark.parametrize(
    ("scores", "eligible", "patience", "epochs"),
    [
        ([1, 3, 2, 2, 9], 0, 2, 4),
        ([1, 3, 2, 4, 1, 1, 9], 0, 2, 6),
        ([3, 3, 3, 9], 0, 2, 3),  # an equal score is not a better one
        ([9, 8, 1, 2, 1, 3], 2, 2, 6),
        ([9, 8, 7, 6], 4, 1, 4),
        ([4, 3, 2, 1], 0, None, 4),
    ],
)
def test_patience(scores, eligible, patience, epochs):
    trainer = scripted(scores, eligible=eligible, patience=patience)
    trainer.run()
    assert len(trainer.history) == epochs


def without_seconds(history):
    return [{**record, "seconds": None} for record in history]


@pytest.mark.parametrize("patience", [None, 2])
def test_a_run_goes_on_from_its_state_after_any_epoch(patience):
    scores, states = [1, 4, 3, 3, 2], []

    def save(trainer):
        states.append(json.dumps(trainer.state()[1]))
        states.append({name: array.copy() for name, array in trainer.state()[0].items()})

    straight = scripted(scores, patience=patience)
    save(straight)
    straight.run(save)
    straight.take_best()
    assert len(states) == 2 * (1 + len(straight.history))
    for rest, arrays in zip(states[::2], states[1::2], strict=True):
        again = scripted(scores, patience=patience, rng=np.random.default_rng())
        again.restore(arrays, json.loads(rest))
        again.run()
        again.take_best()
        assert without_seconds(again.history) == without_seconds(straight.history)
        assert again.rng.bit_generator.state == straight.rng.bit_generator.state
        assert again.objective.memory == straight.objective.memory
        np.testing.assert_array_equal(again.network.weights.value, straight.network.weights.value)


def test_a_state_of_another_run_is_refused():
    trainer = scripted([1, 2])
    arrays, rest = trainer.state()
    with pytest.raises(ValueError, match="not the arrays of this training run"):
        trainer.restore(arrays | {"mean.0": np.zeros(1, np.float32)}, rest)
    with pytest.raises(ValueError, match="not the arrays of this training run"):
        scripted([1, 2], validate=None).restore(arrays, rest)
