"""What a training run minimises: `Objective` is the plain one, and the interface of others."""

import numpy as np

from bnnkit.nn.loss import cross_entropy


class Objective:
    """The cross-entropy of the training images as they are.

    `Trainer` calls `start_epoch`, `step` for each batch, and `end_epoch`. What these do may
    depend on the parameters of the network, on `rng` and on what `state` returns: these three
    survive a kill, and nothing else does.

    Parameters
    ----------
    inputs : ndarray, shape (N, ...)
        What `network.forward` takes.
    labels : ndarray of int64, shape (N,)
    """

    def __init__(self, inputs, labels):
        self.inputs = inputs
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def start_epoch(self, network, epoch, epochs, rng):
        """Set up an epoch, the first being 0.

        Returns
        -------
        dict
            What is set for this epoch, for the log. With "eligible": False the epoch is not
            validated: it is neither the best epoch nor a reason to stop.
        """
        return {}

    def step(self, network, batch, rng):
        """Forward, loss and backward of a batch, which sets the gradients.

        Parameters
        ----------
        network : LatentNetwork or RealNetwork
        batch : ndarray of int, shape (n,)
            Indices of training images.
        rng : numpy.random.Generator

        Returns
        -------
        loss : float
            Sum over the batch, in nats.
        correct : int
            Images of which the largest logit is that of the label.
        """
        labels = self.labels[batch]
        logits = network.forward(self.batch_inputs(network, batch, rng))
        loss, gradient = cross_entropy(logits, labels)
        further = self.backward(network, batch, gradient / len(labels))
        correct = int(np.count_nonzero(logits.argmax(axis=1) == labels))
        return float(loss.sum()) + len(labels) * further, correct

    def batch_inputs(self, network, batch, rng):
        """What the network is trained on for the images with the indices `batch`."""
        return self.inputs[batch]

    def backward(self, network, batch, d_logits):
        """Set the gradients, with those of further loss terms; return the sum of these terms."""
        network.backward(d_logits)
        return 0.0

    def end_epoch(self, network, rng):
        """Look at the network after the last step of an epoch; return a dict for the log."""
        return {}

    def state(self, network):
        """What is learned beside the parameters, as a dict that JSON holds."""
        return {}

    def restore(self, network, state):
        """Bring the objective and the network back to what `state` returned."""
