"""What attacks ask of a model: predictions, gradients, an exact network."""

import numpy as np


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


def exact_network(model):
    """The BinaryNetwork that `model` is, or that it keeps as ``network_``; else TypeError."""
    from bnnkit.network import BinaryNetwork

    network = getattr(model, "network_", model)
    if not isinstance(network, BinaryNetwork):
        raise TypeError(
            "exact answers need a BinaryNetwork or a fitted model with network_ "
            f"(a BNNClassifier), got {type(model).__name__}"
        )
    return network


def gradient_of(model):
    """A function (images, labels) -> (gradient, loss) for `model`.

    A model's own ``loss_gradient``; for a BinaryNetwork, which has none, `Surrogate`.
    """
    if callable(getattr(model, "loss_gradient", None)):
        return model.loss_gradient
    try:
        network = exact_network(model)
    except TypeError:
        raise TypeError(
            "gradient attacks need a model with loss_gradient(images, labels) -> "
            f"(gradient, loss), or a BinaryNetwork; {type(model).__name__} is neither"
        ) from None
    from bnnkit.attacks.surrogate import Surrogate

    return Surrogate(network).loss_gradient
