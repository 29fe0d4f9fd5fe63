"""Cross-entropy of the softmax, and a bounded relative."""

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


def generalised_cross_entropy(logits, labels, q):
    """(1 - p**q) / q of every sample, p being softmax(logits)[label], and its gradient.

    Where p is small the gradient is, too: what will not be right in any case counts little.

    Parameters
    ----------
    logits, labels : ndarray
        As for `cross_entropy`.
    q : float
        In [0, 1]; at 0 this is the cross-entropy.

    Returns
    -------
    loss, gradient : ndarray
        As for `cross_entropy`.

    References
    ----------
    Zhang, Sabuncu. Generalized cross entropy loss for training deep neural networks with noisy
    labels. NeurIPS 2018.

    Examples
    --------
    >>> loss, gradient = generalised_cross_entropy(np.zeros((1, 4)), np.array([2]), q=0.5)
    >>> loss, gradient
    (array([1.]), array([[ 0.125,  0.125, -0.375,  0.125]]))
    """
    loss, gradient = cross_entropy(logits, labels)
    if q == 0:
        return loss, gradient
    power = np.exp(-q * loss)
    return (1 - power) / q, gradient * power[:, None]
