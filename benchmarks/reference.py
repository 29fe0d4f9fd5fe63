"""Read the reference networks, images and answers of a folder in the ``bnn-int-v1`` format.

A folder holds ``net.npz`` (an exact integer network), ``images.npz`` and ``results.csv`` (for
each question the answer and the times of the published system, EEV with MiniSatCS).
"""

import csv
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bnnkit import BinaryNetwork
from bnnkit._checks import simplest_fraction
from bnnkit._files import read_npz
from bnnkit.network import Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.verification.circuit import circuit

_HEAD_SCALE = 2**20


class ReferenceSet(NamedTuple):
    """A network, its images, and the questions that were asked about them.

    Attributes
    ----------
    network : BinaryNetwork
    images : ndarray of uint8, shape (N, C, H, W)
    labels : ndarray of int64, shape (N,)
    questions : list of dict
        Rows of ``results.csv`` with numbers as numbers: index, eps, label, status_exact
        ("SAT", "UNSAT", "TLE"), solve_s, build_s, wall_s, ...
    """

    network: BinaryNetwork
    images: np.ndarray
    labels: np.ndarray
    questions: list


def load_network(path):
    """Read a ``net.npz`` as a BinaryNetwork; checks that it decides as the original does."""
    arrays = read_npz(path)
    meta = json.loads(str(arrays["meta_json"]))
    shape, layers = tuple(meta["input_shape"]), []
    for entry in meta["layers"]:
        if entry["kind"] == "flatten":
            continue
        weights = arrays[f"L{entry['id']}_W"]
        if entry["kind"] != "conv2d":  # dense: a kernel over the whole input
            weights = weights.reshape(len(weights), *shape)
        bias = arrays[f"L{entry['id']}_bias"]
        if entry["kind"] == "output":
            sign = int(arrays[f"L{entry['id']}_sign"][0])
            head = Head(weights, sign * _HEAD_SCALE, np.rint(sign * bias * _HEAD_SCALE).astype(int))
            break
        stride, padding = (entry.get(key, [1])[0] for key in ("stride", "padding"))
        padding = padding if entry["kind"] == "conv2d" else 0
        sense = arrays[f"L{entry['id']}_sign"]
        layers.append(Conv2d(weights, -bias, sense, stride, padding))
        shape = layers[-1].output_shape(shape)
    step = simplest_fraction(float(meta["quant_step"]))
    network = BinaryNetwork(Quantiser(step), layers, head, meta["input_shape"])
    _check(network, arrays, arrays[f"L{entry['id']}_cmp"])
    return network


def _check(network, arrays, comparisons):
    grey = np.arange(256, dtype=np.uint8)
    if not np.array_equal(network.quantiser.levels(grey), arrays["levels"]):
        raise ValueError("the levels differ from the original's")
    needed = circuit(network).needed
    others = ~np.eye(len(needed), dtype=bool)
    if not np.array_equal(needed[others], -comparisons[others]):
        raise ValueError("comparisons of classes differ from the original's")


def load_set(folder):
    """Read a folder of the reference sets as a `ReferenceSet`."""
    folder = Path(folder)
    images = read_npz(folder / "images.npz")
    with open(folder / "results.csv", newline="") as file:
        questions = [
            {key: _number(text) for key, text in row.items()} for row in csv.DictReader(file)
        ]
    network = load_network(folder / "net.npz")
    return ReferenceSet(network, images["x"], images["label"].astype(np.int64), questions)


def _number(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
