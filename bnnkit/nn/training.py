"""The training loop that the binarized and the real-valued network share."""

import math
import time

import numpy as np

from bnnkit._progress import progress
from bnnkit.nn.optim import Adam

_LARGEST = 1e12  # of a parameter: what is computed from larger ones soon overflows float32


class Trainer:
    """A training run: minimises the mean of an objective with Adam, epoch by epoch.

    Between two epochs the run is what `state` returns: a trainer made with the same
    arguments that is given it by `restore` goes on to the same network, bit for bit.

    Parameters
    ----------
    network : LatentNetwork or RealNetwork
        Anything with parameters and refresh, and what the objective uses.
    objective : Objective
    epochs, batch_size : int
        An epoch is split into batches of nearly equal size, at most `batch_size`.
    learning_rate : float
    schedule : callable
        ``schedule(learning_rate, step, total_steps)`` is the learning rate of a step.
    rng : numpy.random.Generator
        Shuffles the images anew for each epoch.
    validate : callable, optional
        ``validate()`` is called after each epoch that is eligible (see `Objective`) and returns
        a dict of numbers, of which "score" tells the best epoch.
    patience : int, optional
        Stop after that many epochs without a higher score.

    Attributes
    ----------
    history : list of dict
        For each epoch: epoch (from 1), learning_rate (at its start), loss (mean over the
        epoch, in nats), accuracy (share of the training images as classified while training),
        what the objective adds, validation (what `validate` returned, if there is one) and
        seconds.
    """

    def __init__(
        self,
        network,
        objective,
        *,
        epochs,
        batch_size,
        learning_rate,
        schedule,
        rng,
        validate=None,
        patience=None,
    ):
        self.network = network
        self.objective = objective
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.rng = rng
        self.validate = validate
        self.patience = patience
        self.history = []
        self._n_batches = math.ceil(len(objective) / batch_size)
        self._optimiser = Adam(network.parameters())
        self._best = [value.copy() for value in self._values()] if validate else []
        self._best_state = objective.state(network)

    def run(self, save=None, verbose=False):
        """Train until all epochs are done, or the patience is.

        Parameters
        ----------
        save : callable, optional
            ``save(trainer)`` is called after each epoch.
        verbose : bool
            Print a line an epoch, in place of a progress bar.

        Raises
        ------
        FloatingPointError
            As soon as the loss is not finite, or after an epoch with a parameter beyond 1e12, or
            with gradients whose squares are infinite, by which Adam would move nothing any more.
        """
        epochs = range(len(self.history), self.epochs)
        if not verbose:
            epochs = progress(epochs, "training", self.epochs, count=lambda: len(self.history))
        for epoch in epochs:
            if self._out_of_patience():
                break
            self.history.append(self._epoch(epoch))
            if self._scores() and self.best_epoch == len(self.history):
                self._keep()
            if save is not None:
                save(self)
            if verbose:
                print(_line(self.history[-1], self.epochs), flush=True)

    @property
    def best_epoch(self):
        """The epoch of the highest score, of equals the latest; without scores the last."""
        return max(self._scores(), default=(0, len(self.history)))[1]

    def take_best(self):
        """Bring the network back to its best epoch."""
        if self._scores():
            for value, best in zip(self._values(), self._best, strict=True):
                value[...] = best
            self.network.refresh()
            self.objective.restore(self.network, self._best_state)

    def state(self):
        """All that the rest of the run depends on.

        Returns
        -------
        arrays : dict of str to ndarray
        rest : dict
            As JSON holds it.
        """
        return self._arrays(), {
            "steps": self._optimiser.steps,
            "rng": self.rng.bit_generator.state,
            "objective": self.objective.state(self.network),
            "best_objective": self._best_state,
            "history": self.history,
        }

    def restore(self, arrays, rest):
        """Go back to what `state` returned."""
        own = self._arrays()
        if _shapes(arrays) != _shapes(own):
            raise ValueError("these are not the arrays of this training run")
        for name, array in own.items():
            array[...] = arrays[name]
        self._optimiser.steps = rest["steps"]
        self.rng.bit_generator.state = rest["rng"]
        self.network.refresh()
        self.objective.restore(self.network, rest["objective"])
        self._best_state = rest["best_objective"]
        self.history = rest["history"]

    def _epoch(self, epoch):
        """Train for an epoch, from 0; return its record."""
        started = time.perf_counter()
        record = {"epoch": epoch + 1, "learning_rate": self._rate(epoch, 0)}
        record |= self.objective.start_epoch(self.network, epoch, self.epochs, self.rng)
        record |= self._pass(epoch)
        record |= self.objective.end_epoch(self.network, self.rng)
        if self.validate and record.get("eligible", True):
            record["validation"] = self.validate()
        return record | {"seconds": time.perf_counter() - started}

    def _pass(self, epoch):
        """Every training image once; the mean loss and the accuracy."""
        losses, correct, n_images = 0.0, 0, len(self.objective)
        batches = np.array_split(self.rng.permutation(n_images), self._n_batches)
        for index, batch in enumerate(batches):
            with np.errstate(over="ignore", invalid="ignore"):  # shows in the loss
                loss, hits = self.objective.step(self.network, batch, self.rng)
            if not math.isfinite(loss):
                raise divergence(f"the loss is {loss} in epoch {epoch + 1}", self.learning_rate)
            losses, correct = losses + loss, correct + hits
            self._optimiser.step(self._rate(epoch, index))
            self.network.refresh()
        self._check_finite(epoch)
        return {"loss": losses / n_images, "accuracy": correct / n_images}

    def _check_finite(self, epoch):
        largest = np.max([np.abs(value).max() for value in self._values()])
        if not largest <= _LARGEST:  # NaN compares as false
            what = f"the largest parameter is {largest:g} after epoch {epoch + 1}"
            raise divergence(what, self.learning_rate)
        if not all(np.isfinite(square.max()) for square in self._optimiser.squares):
            what = f"squares of gradients are not finite after epoch {epoch + 1}"
            raise divergence(what, self.learning_rate, ", mask_decay, interval_loss or bound_decay")

    def _rate(self, epoch, index):
        step = epoch * self._n_batches + index
        return self.schedule(self.learning_rate, step, self.epochs * self._n_batches)

    def _scores(self):
        """(score, epoch) of each epoch that may be the best."""
        return [
            (record["validation"]["score"], record["epoch"])
            for record in self.history
            if "validation" in record
        ]

    def _out_of_patience(self):
        scores = [score for score, _ in self._scores()]
        if self.patience is None or not scores:
            return False
        return len(scores) - 1 - scores.index(max(scores)) >= self.patience

    def _keep(self):
        for value, best in zip(self._values(), self._best, strict=True):
            best[...] = value
        self._best_state = self.objective.state(self.network)

    def _values(self):
        return [parameter.value for parameter in self.network.parameters()]

    def _arrays(self):
        """The arrays that change from epoch to epoch, themselves."""
        groups = {"parameter": self._values(), "best": self._best}
        groups |= {"mean": self._optimiser.means, "square": self._optimiser.squares}
        return {
            f"{name}.{index}": array
            for name, group in groups.items()
            for index, array in enumerate(group)
        }


def divergence(what, learning_rate, more=""):
    """The error to raise where `what` has become too large to go on; `more` to lower."""
    return FloatingPointError(
        f"training diverged: {what}; lower learning_rate (now {learning_rate:g}){more}"
    )


def _shapes(arrays):
    return {name: (array.shape, array.dtype) for name, array in arrays.items()}


def _line(record, epochs):
    score = f"score {record['validation']['score']:.4f}  " if "validation" in record else ""
    return (
        f"epoch {record['epoch']:>3}/{epochs}  loss {record['loss']:.4f}  "
        f"accuracy {record['accuracy']:.4f}  {score}{record['seconds']:.1f} s"
    )
