"""What attacks ask of a model: predictions, classes, gradients, an exact network."""

import numpy as np

from bnnkit._checks import unit_floats
from bnnkit.ensemble import Vote, plurality


def predict(model, images):
    """The model's classes for `images`, checked: ndarray of shape (N,)."""
    if not callable(getattr(model, "predict", None)):
        raise TypeError(f"the model must have predict(images); {type(model).__name__} has not")
    classes = np.asarray(model.predict(images))
    if classes.shape != (len(images),):
        raise ValueError(
            f"predict must return one class an image: for {len(images)} images "
            f"{type(model).__name__} returned shape {classes.shape}"
        )
    return classes


def predict_clean(model, images):
    """The model's classes for unchanged `images`, uint8 or float64.

    A model with an exact network gets them as they are, since a grey value may lie right
    between two levels, and its nearest float32 beyond; other models get float32 in [0, 1].
    The members of a vote are asked one by one.
    """
    if isinstance(model, Vote):
        return plurality([predict_clean(member, images) for member in model.members])
    return predict(model, images if _network_of(model) is not None else unit_floats(images))


def n_classes_of(model):
    """How many classes labels may have, or None where the model does not say."""
    network = _network_of(model)
    if network is not None:
        return network.n_classes
    classes = getattr(model, "classes_", None)  # of scikit-learn: any integers, such as 3 and 7
    if isinstance(classes, np.ndarray) and np.issubdtype(classes.dtype, np.integer):
        return int(classes.max()) + 1
    return getattr(model, "n_classes_", None)


def exact_network(model):
    """The BinaryNetwork that `model` is, or that it keeps as ``network_``; else TypeError."""
    network = _network_of(model)
    if network is None:
        raise TypeError(
            "exact answers need a BinaryNetwork or a fitted model with network_ "
            f"(a BNNClassifier), got {type(model).__name__}"
        )
    return network


def _network_of(model):
    from bnnkit.network import BinaryNetwork

    network = getattr(model, "network_", model)
    return network if isinstance(network, BinaryNetwork) else None


def gradient_of(model):
    """A function (images, labels) -> (gradient, loss) for `model`.

    A model's own ``loss_gradient``; for a BinaryNetwork, which has none, `Surrogate`; for a
    vote the mean over its members, where attacks on ensembles climb (Liu, Chen, Liu, Song.
    Delving into transferable adversarial examples and black-box attacks. ICLR 2017).
    """
    if isinstance(model, Vote):
        return _mean_of([gradient_of(member) for member in model.members])
    if callable(getattr(model, "loss_gradient", None)):
        return model.loss_gradient
    network = _network_of(model)
    if network is None:
        raise TypeError(
            "gradient attacks need a model with loss_gradient(images, labels) -> "
            f"(gradient, loss), or a BinaryNetwork; {type(model).__name__} is neither"
        )
    from bnnkit.attacks.surrogate import Surrogate

    return Surrogate(network).loss_gradient


def _mean_of(gradients):
    """The function whose gradient and loss are the means of those of some functions."""

    def mean(images, labels):
        pairs = [gradient(images, labels) for gradient in gradients]
        return tuple(np.mean(part, axis=0) for part in zip(*pairs, strict=True))

    return mean
