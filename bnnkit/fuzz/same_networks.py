"""Other networks with the same answers, on which a verdict must not depend.

Each function takes a member (see `NetworkCase`) and returns a new one.
"""

import numpy as np


def reversed_channels(member):
    """The neurons of each hidden layer in the opposite order."""

    def change(layer, hidden, first):
        weights = layer["weights"] if first else layer["weights"][:, ::-1]
        if not hidden:
            return {"weights": weights}
        threshold, sense = layer["threshold"][::-1], layer["sense"][::-1]
        return {"weights": weights[::-1], "threshold": threshold, "sense": sense}

    return _changed(member, change)


def with_dead_neurons(member):
    """One more neuron in each hidden layer, which nothing reads."""

    def change(layer, hidden, first):
        weights = layer["weights"]
        if not first:
            weights = np.concatenate([weights, np.zeros_like(weights[:, :1])], axis=1)
        if not hidden:
            return {"weights": weights}
        threshold, sense = layer["threshold"], layer["sense"]
        return {
            "weights": np.concatenate([weights, -weights[:1]]),
            "threshold": np.concatenate([threshold, threshold[:1]]),
            "sense": np.concatenate([sense, sense[:1]]),
        }

    return _changed(member, change)


def negated(member):
    """All hidden neurons with opposite weights, thresholds and senses."""

    def change(layer, hidden, first):
        names = ("weights", "threshold", "sense") if hidden else ()
        return {name: -layer[name] for name in names}

    return _changed(member, change)


def with_identity(member):
    """One more layer, which repeats its inputs, after the last hidden one."""
    layers = member["layers"]
    if not layers:
        return member
    n = member["head"]["weights"].shape[1]
    one = np.eye(n, dtype=np.int8).reshape(n, n, 1, 1)
    same = {"weights": one, "threshold": np.ones(n, int), "sense": np.ones(n, int)}
    return member | {"layers": [*layers, same | {"stride": 1, "padding": 0}]}


def transposed(member):
    """The same for images with rows and columns exchanged."""

    def change(layer, hidden, first):
        swapped = {"weights": layer["weights"].swapaxes(2, 3)}
        if hidden and layer["threshold"].ndim == 3:
            swapped["threshold"] = layer["threshold"].swapaxes(1, 2)
        return swapped

    return _changed(member, change)


def reversed_classes(member):
    """The classes in the opposite order, with scores that never tie and have the same winner."""
    head, n = member["head"], len(member["head"]["bias"])
    bias = head["bias"] * n + np.arange(n)[::-1]
    changed = {"weights": head["weights"][::-1], "scale": head["scale"] * n, "bias": bias[::-1]}
    return member | {"head": head | changed}


def _changed(member, change):
    """A member with each ternary layer changed by what change(layer, hidden, first) returns."""
    layers, first = [], True
    for layer in member["layers"]:
        if "pool" not in layer:
            layer, first = layer | change(layer, True, first), False
        layers.append(layer)
    head = member["head"] | change(member["head"], False, first)
    return member | {"layers": layers, "head": head}
