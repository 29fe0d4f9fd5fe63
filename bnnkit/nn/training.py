"""The training loop that the binarized and the real-valued network share."""

import math
import time

import numpy as np

from bnnkit._progress import progress
from bnnkit.nn.loss import cross_entropy
from bnnkit.nn.optim import Adam

_LARGEST = 1e12  # of a parameter: what is computed from larger ones soon overflows float32


def train(network, inputs, labels, *, epochs, batch_size, learning_rate, schedule, rng, verbose):
    """Minimise the mean cross-entropy with Adam.

    Parameters
    ----------
    network : LatentNetwork or RealNetwork
        Anything with parameters, forward, backward and refresh.
    inputs : ndarray, shape (N, ...)
        What `network.forward` takes.
    labels : ndarray of int64, shape (N,)
    epochs, batch_size : int
        An epoch is split into batches of nearly equal size, at most `batch_size`.
    learning_rate : float
    schedule : callable
        ``schedule(learning_rate, step, total_steps)`` is the learning rate of a step.
    rng : numpy.random.Generator
        Shuffles the images anew for each epoch.
    verbose : bool
        Print a line an epoch, in place of a progress bar.

    Returns
    -------
    list of dict
        For each epoch: epoch (from 1), loss (mean over the epoch, in nats), accuracy (share
        of the training images as classified while training) and seconds.

    Raises
    ------
    FloatingPointError
        As soon as the loss is not finite, or after an epoch with a parameter beyond 1e12.
    """
    optimiser = Adam(network.parameters())
    n_batches = math.ceil(len(inputs) / batch_size)
    history = []
    for epoch in range(epochs) if verbose else progress(range(epochs), "training"):
        started = time.perf_counter()
        losses, correct = 0.0, 0
        batches = np.array_split(rng.permutation(len(inputs)), n_batches)
        for index, batch in enumerate(batches):
            with np.errstate(over="ignore", invalid="ignore"):  # shows in the loss
                loss, hits = _step(network, inputs[batch], labels[batch])
            if not math.isfinite(loss):
                raise divergence(f"the loss is {loss} in epoch {epoch + 1}", learning_rate)
            losses, correct = losses + loss, correct + hits
            done = epoch * n_batches + index
            optimiser.step(schedule(learning_rate, done, epochs * n_batches))
            network.refresh()
        largest = np.max([np.abs(parameter.value).max() for parameter in network.parameters()])
        if not largest <= _LARGEST:  # NaN compares as false
            what = f"the largest parameter is {largest:g} after epoch {epoch + 1}"
            raise divergence(what, learning_rate)
        history.append(
            {
                "epoch": epoch + 1,
                "loss": losses / len(inputs),
                "accuracy": correct / len(inputs),
                "seconds": time.perf_counter() - started,
            }
        )
        if verbose:
            print(_line(history[-1], epochs), flush=True)
    return history


def divergence(what, learning_rate):
    """The error to raise where `what` has become too large to go on."""
    return FloatingPointError(
        f"training diverged: {what}; lower learning_rate (now {learning_rate:g})"
    )


def _step(network, inputs, labels):
    """Forward and backward; the sum of the losses and the number of correct images."""
    logits = network.forward(inputs)
    loss, gradient = cross_entropy(logits, labels)
    network.backward(gradient / len(labels))
    return float(loss.sum()), int(np.count_nonzero(logits.argmax(axis=1) == labels))


def _line(record, epochs):
    return (
        f"epoch {record['epoch']:>3}/{epochs}  loss {record['loss']:.4f}  "
        f"accuracy {record['accuracy']:.4f}  {record['seconds']:.1f} s"
    )
