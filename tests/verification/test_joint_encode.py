"""The models of a formula are exactly the cells of the box at which the ensemble falls."""

import itertools

import numpy as np
import pytest
from ensembles import falls
from helpers import plain_class, random_network

from bnnkit import solvers
from bnnkit.quantiser import Quantiser
from bnnkit.verification.bounds import possible_classes, propagate
from bnnkit.verification.circuit import circuit
from bnnkit.verification.joint_circuit import joint_circuit
from bnnkit.verification.joint_encode import add_usable, encode_joint
from bnnkit.verification.refinement import quantisers_of, refinement
from bnnkit.verification.rules import rule

STRUCTURES = [(), ("dense",), ("conv",), ("dense", "dense")]


def random_space(seed):
    """Networks of one or two pixels that bounds leave open, and a box of cells."""
    rng = np.random.default_rng(seed)
    shape = (1, 1, int(rng.integers(1, 3)))
    steps = [0.1, 0.3] if seed % 3 == 0 else [0.3, 0.5] if seed % 3 == 1 else [0.2]
    steps = [steps[n % len(steps)] for n in range(1 + seed % 4)]
    cells = refinement(tuple(dict.fromkeys(map(Quantiser, steps))), False)
    low = rng.integers(0, cells.n_cells, shape[2]).astype(np.int32)
    high = np.minimum(low + rng.integers(0, 6, shape[2]), cells.n_cells - 1).astype(np.int32)
    networks = tuple(open_network(rng, shape, step, cells, (low, high)) for step in steps)
    assert quantisers_of(networks) == tuple(dict.fromkeys(map(Quantiser, steps)))
    return networks, cells, (low, high)


def open_network(rng, shape, step, cells, box):
    for _ in range(20):
        network = random_network(rng, shape, STRUCTURES[rng.integers(4)], step)
        ends = (network.quantiser.levels(cells.first[end].astype(np.float64)) for end in box)
        if possible_classes(circuit(network), 1, propagate(circuit(network), *ends)).sum() > 1:
            break
    return network


def questions(name, seed):
    """Labels, formulas (None where bounds decide), and all cells at which the ensemble falls."""
    networks, cells, box = random_space(seed)
    c, start = joint_circuit(networks), cells.nearest_usable(box[0], *box)
    bounds = propagate(c, *(cells.level[:, end].ravel() for end in box))
    possible = possible_classes(c, len(networks), bounds)
    for label in range(3):
        asked = rule(name, len(networks), label, 3)
        wrong = set(falling(name, networks, cells, box, label))
        if len(wrong) == np.prod(box[1] - box[0] + 1):  # as it never is with the image in the box
            continue
        if len(asked.open_classes(possible)) == 0:
            yield label, None, wrong
        else:
            yield label, encode_joint(c, cells, box, start, asked, possible, bounds), wrong


def falling(name, networks, cells, box, label):
    """All cells of the box at which the ensemble falls."""
    blocks = [quantisers_of(networks).index(network.quantiser) for network in networks]
    for at in itertools.product(*(range(a, b + 1) for a, b in zip(*box, strict=True))):
        levels = cells.level[:, list(at)]
        choices = [
            plain_class(network, levels[block].reshape(network.input_shape))
            for network, block in zip(networks, blocks, strict=True)
        ]
        if falls(name, tuple(choices), label):
            yield at


def models(formula):
    """All satisfying assignments, one after another."""
    with solvers.get("native")(formula) as solver:
        while (outcome := solver.solve()).status == "sat":
            yield outcome.model
            signs = np.where(outcome.model, -1, 1)
            solver.add_clause(signs * np.arange(1, len(signs) + 1))


@pytest.mark.parametrize("name", ["vote", "joint"])
def test_models_are_exactly_where_the_ensemble_falls(name):
    several = 0
    for seed in range(24):
        networks, cells, box = random_space(seed)
        for label, question, wrong in questions(name, seed):
            if question is None:
                assert not wrong
                continue
            found = models(question.formula)
            found = [tuple(question.levels(model).tolist()) for model in found]
            assert len(found) == len(set(found))  # one assignment an image: no bit is free
            free = np.isin(np.arange(len(box[0])), question.owner)
            of_cone = {tuple(np.where(free, at, question.low).tolist()) for at in wrong}
            assert set(found) == of_cone, (seed, label)
            assert len(question.depth) == question.formula.n_vars
            usable = models(add_usable(question, cells, box))
            usable = {tuple(question.levels(model).tolist()) for model in usable}
            assert usable == {at for at in of_cone if cells.usable[list(at)].all()}, (seed, label)
            several += len(networks) > 1 and len(found) > 0
    assert several >= 5
