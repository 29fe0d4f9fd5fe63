"""Cheap search for a misclassified image before anything is proved."""

import numpy as np


def random_corners(network, low, high, label, tries, rng):
    """Try random corners of the box of levels: each input at its lowest or highest.

    A neuron's sum is largest and smallest at corners, so they flip more bits than inner
    points do.

    Parameters
    ----------
    network : BinaryNetwork
    low, high : ndarray of uint8, shape (C, H, W)
    label : int
    tries : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of uint8, shape (C, H, W), or None
        Levels on which the network does not answer `label`.
    """
    upper = rng.integers(0, 2, size=(tries, *low.shape), dtype=np.uint8)
    corners = np.where(upper, high, low)
    wrong = np.flatnonzero(network.scores_of_levels(corners).argmax(axis=1) != label)
    return corners[wrong[0]] if len(wrong) else None
