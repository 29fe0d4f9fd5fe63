"""Questions about networks with less of something; some of them are none, as shapes do not fit."""

from fractions import Fraction

import numpy as np

from bnnkit.fuzz.shrink import without_runs


def smaller(case):
    """Yield the fields in which a smaller case differs, large steps first."""
    for members in without_runs(case.members):
        if members:
            yield {"members": members, "question": case.question if members[1:] else "one"}
    for i, member in enumerate(case.members):
        for less in _members(member):
            yield {"members": [*case.members[:i], less, *case.members[i + 1 :]]}
    for axis, size in enumerate(case.image.shape):
        for place in range(size if size > 1 else 0):
            members = [_without_input(member, place, axis) for member in case.members]
            yield {"image": np.delete(case.image, place, axis), "members": members}
    for place in range(case.label + 1, len(case.members[0]["head"]["bias"])):
        yield {"members": [_without_class(member, place) for member in case.members]}
    for place in range(case.label):
        members = [_without_class(member, place) for member in case.members]
        yield {"members": members, "label": case.label - 1}
    for place in np.argwhere(case.image):
        image = case.image.copy()
        image[tuple(place)] = 0
        yield {"image": image}
    for eps in (Fraction(0), case.eps / 2, case.eps * 3 / 4):
        if case.eps > eps and eps.denominator < 1000:
            yield {"eps": eps}


def _members(member):
    layers = member["layers"]
    for fewer in without_runs(layers):
        yield member | {"layers": fewer}
    for i, layer in enumerate(layers):
        for channel in range(len(layer.get("weights", ()))):
            yield without_channel(member, i, channel)
    for i, layer in enumerate(layers):
        for less in _layers(layer):
            yield member | {"layers": [*layers[:i], less, *layers[i + 1 :]]}
    for less in _layers(member["head"]):
        yield member | {"head": less}
    if member["step"] != [1, 1]:
        yield member | {"step": [1, 1]}


def _layers(layer):
    if "pool" in layer:
        return
    weights = layer["weights"]
    filled = np.flatnonzero(weights).tolist()
    for kept in without_runs(filled):
        fewer = np.zeros_like(weights)
        fewer.flat[kept] = weights.flat[kept]
        yield layer | {"weights": fewer}
    for name, plainest in (("threshold", 0), ("bias", 0), ("scale", 1), ("padding", 0)):
        values = layer.get(name, plainest)
        if np.any(values != plainest):
            yield layer | {name: values * 0 + plainest}
    for name in ("threshold", "bias"):
        values = layer.get(name, np.zeros(0, int))
        for place in map(tuple, np.argwhere(values)):
            less = values.copy()
            less[place] = 0
            yield layer | {name: less}


def without_channel(member, index, channel):
    """Without a neuron of a layer, and without what the next layer reads of it."""
    layers, member = list(member["layers"]), dict(member)
    for name in ("weights", "threshold", "sense"):
        layers[index] = layers[index] | {name: np.delete(layers[index][name], channel, 0)}
    readers = [i for i in range(index + 1, len(layers)) if "weights" in layers[i]]
    reader = layers[readers[0]] if readers else member["head"]
    less = reader | {"weights": np.delete(reader["weights"], channel, 1)}
    if readers:
        layers[readers[0]] = less
    else:
        member["head"] = less
    return member | {"layers": layers}


def _without_input(member, place, axis):
    """For images without a channel, row or column: for layers that read the whole image."""
    first = member["layers"][0] if member["layers"] else member["head"]
    size = first["weights"].shape[axis + 1]
    less = first | {"weights": np.delete(first["weights"], min(place, size - 1), axis + 1)}
    if member["layers"]:
        return member | {"layers": [less, *member["layers"][1:]]}
    return member | {"head": less}


def _without_class(member, place):
    head = member["head"]
    less = {name: np.delete(head[name], place, 0) for name in ("weights", "bias")}
    return member | {"head": head | less}
