"""Cardinality-bound decay: a loss term that asks for neurons which few inputs decide."""

from dataclasses import dataclass

import numpy as np

from bnnkit._options import check_range

_LEAST_GAMMA = 0.1  # what a smaller slope counts as


@dataclass(frozen=True)
class BoundDecay:
    """Penalty on the cardinality bounds of the folded neurons (Jia & Rinard, 2020).

    A solver sees a neuron as bit <-> (true literals >= bound), where a weight -1 counts the
    negated input. Few true literals switch on a neuron of a small bound: it propagates
    early and is explained briefly. The term is

        coefficient * max(0, bound - limit)

    summed over the neurons of all hidden layers except the first, whose inputs are levels.

    Parameters
    ----------
    coefficient : float or tuple of float
        At least 0; a tuple has one for each hidden layer from the second on.
    limit : float or tuple of float
        Bounds up to here are free; a tuple as above.

    Notes
    -----
    With mean m and deviation d of the sums z, a neuron with gamma > 0 fires for
    z >= m - beta * d / gamma. The true literals are z + (number of weights -1), hence

        bound = m - beta * d / gamma + (number of weights -1).

    With gamma < 0 it fires for z <= m - beta * d / gamma. That is the neuron of weights
    -w, slope -gamma and mean -m, which is how the encoder states it, and its bound is

        bound = -m - beta * d / abs(gamma) + (number of weights +1).

    So one hinge serves both directions, and a neuron that is stated in another way has the
    same penalty. (The published term is m - beta * d / gamma + (number of weights -1) for
    either sign, so that with gamma < 0 it asks for neurons which few literals switch off.)

    Weights and statistics are constants to the gradient; beta and gamma are what decays the
    bound. A slope ``|gamma|`` below 0.1 counts as 0.1: the bound would grow as 1 / gamma and its
    gradient faster, so that one batch could fill the optimiser's memory with infinities.

    Examples
    --------
    >>> from bnnkit.nn import BoundDecay
    >>> BoundDecay(5e-4)
    BoundDecay(coefficient=0.0005, limit=5.0)
    """

    coefficient: float | tuple[float, ...]
    limit: float | tuple[float, ...] = 5.0

    def __post_init__(self):
        for name in ("coefficient", "limit"):
            value = getattr(self, name)
            if isinstance(value, list):
                raise TypeError(f"{name} must be a number or a tuple of them, got a list")
            for number in value if isinstance(value, tuple) else (value,):
                check_range(name, number, "[0, inf)")

    def add_gradients(self, network):
        """Add the gradients of the term to those of a network's batch-norms.

        To be called after `network.backward`; the statistics are those of that batch.

        Parameters
        ----------
        network : LatentNetwork

        Returns
        -------
        float
            The term.

        """
        layers, norms = network.layers[1:], network.norms[1:]
        coefficients = for_layers(self.coefficient, len(layers))
        limits = for_layers(self.limit, len(layers))
        penalty = 0.0
        for layer, norm, coefficient, limit in zip(
            layers, norms, coefficients, limits, strict=True
        ):
            penalty += coefficient * _add_gradients(layer, norm, coefficient, limit)
        return penalty

    def check(self, n_layers):
        """Raise ValueError where the numbers do not fit a network of `n_layers` hidden layers."""
        if n_layers < 2:
            raise ValueError(
                "bound_decay is about the hidden layers after the first, and there is none; "
                "leave it out"
            )
        for name in ("coefficient", "limit"):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != n_layers - 1:
                raise ValueError(
                    f"{name} has {len(value)} values, but the network has {n_layers - 1} hidden "
                    "layers after the first; pass one for each of them, or a number"
                )


def for_layers(value, count):
    """A tuple with a value for each of `count` layers; a number is meant for all of them."""
    return value if isinstance(value, tuple) else (value,) * count


def bounds(network):
    """Cardinality bounds as the solver will see them, for the log.

    A bound outside of 0 .. (number of weights in use) makes the neuron constant, and
    counts as the nearer end.

    Parameters
    ----------
    network : LatentNetwork
        With the statistics of the last batch, or of inference.

    Returns
    -------
    dict of str to list of float
        "largest" and "mean", for each hidden layer except the first.
    """
    report = {"largest": [], "mean": []}
    for layer, norm in zip(network.layers[1:], network.norms[1:], strict=True):
        literals = np.count_nonzero(_rows(layer), axis=1)
        bound = np.clip(np.ceil(_bound(layer, norm, least_gamma=1e-30)), 0, literals)
        report["largest"].append(float(bound.max()))
        report["mean"].append(float(bound.mean()))
    return report


def _add_gradients(layer, norm, coefficient, limit):
    """Add the gradients of one layer; return its term without the coefficient."""
    excess = _bound(layer, norm, _LEAST_GAMMA) - limit
    over = excess > 0
    gamma, beta = norm.gamma.value.astype(np.float64), norm.beta.value.astype(np.float64)
    slope = np.maximum(np.abs(gamma), _LEAST_GAMMA)
    rate = coefficient * over * norm.deviation / slope
    norm.beta.gradient -= rate
    steep = np.abs(gamma) > _LEAST_GAMMA
    norm.gamma.gradient += np.sign(gamma) * steep * rate * beta / slope
    return float(excess[over].sum())


def _bound(layer, norm, least_gamma):
    """Bound of each neuron, float64 (O,), before it is rounded up."""
    gamma, beta = norm.gamma.value.astype(np.float64), norm.beta.value.astype(np.float64)
    sense = np.where(gamma >= 0, 1, -1).astype(np.int8)
    below = beta * norm.deviation / np.maximum(np.abs(gamma), least_gamma)
    negated = (_rows(layer) == -sense[:, None]).sum(axis=1, dtype=np.int32)
    return sense * norm.mean - below + negated


def _rows(layer):
    return layer.weights.reshape(len(layer.weights), -1)
