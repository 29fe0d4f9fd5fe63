"""What the search of an ensemble finds is where it falls; its score is what the rule says."""

import math

import numpy as np
import pytest
from ensembles import CLASSES, all_choices, falls, random_ensemble, real_kinds
from helpers import plain_class

from bnnkit.verification._question import flat
from bnnkit.verification.joint_circuit import joint_circuit
from bnnkit.verification.joint_search import JointSearch
from bnnkit.verification.refinement import quantisers_of, refinement
from bnnkit.verification.rules import rule


def new_search(name, seed, label):
    networks, image, _ = random_ensemble(seed)
    cells = refinement(quantisers_of(networks), False)
    box = [np.zeros(image.size, np.int32), np.full(image.size, cells.n_cells - 1, np.int32)]
    start = cells.nearest_usable(flat(cells.cells(image)), *box)
    asked = rule(name, len(networks), label, CLASSES)
    targets = np.delete(np.arange(CLASSES), label)
    circuit = joint_circuit(tuple(networks))
    return networks, image, cells, JointSearch(circuit, cells, box, start, asked, targets)


@pytest.mark.parametrize("name", ["vote", "joint"])
def test_the_ensemble_falls_at_what_is_found(name):
    found_some = missed = 0
    for seed in range(12):
        for label in range(CLASSES):
            networks, image, cells, search = new_search(name, seed, label)
            found = search.run(math.inf, most_runs=8)
            if found is None:
                everything = all_choices(networks, image, 1.0, real_kinds)
                missed += any(falls(name, choices, label) for choices in everything)
                continue
            found_some += 1
            assert cells.usable[found].all()
            c, h, w = image.shape
            levels = cells.level[:, found].reshape(-1, h, w, c).transpose(0, 3, 1, 2)
            block = dict(zip(quantisers_of(networks), levels, strict=True))
            choices = tuple(plain_class(net, block[net.quantiser]) for net in networks)
            assert falls(name, choices, label)
    assert found_some > 10 * missed
