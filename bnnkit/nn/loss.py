"""Cross-entropy of the softmax."""

import numpy as np


def cross_entropy(logits, labels):
    """Loss of every sample and its gradient.

    Parameters
    ----------
    logits : ndarray of float, shape (N, classes)
    labels : ndarray of int, shape (N,)

    Returns
    -------
    loss : ndarray of float64, shape (N,)
        -log softmax(logits)[label], in nats.
    gradient : ndarray of float64, shape (N, classes)
        Of each sample's loss with respect to its logits: softmax - onehot.

    Examples
    --------
    >>> loss, gradient = cross_entropy(np.zeros((1, 4)), np.array([2]))
    >>> loss.round(4), gradient
    (array([1.3863]), array([[ 0.25,  0.25, -0.75,  0.25]]))
    """
    rows = np.arange(len(labels))
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1)
    loss = np.log(sums) - shifted[rows, labels]
    gradient = exponentials / sums[:, None]
    gradient[rows, labels] -= 1
    return loss, gradient
