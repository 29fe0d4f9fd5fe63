"""The plain encoding against brute force over images, and against the encoder of verification."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from helpers import flat, images_of, plain_class, random_box, random_network
from solvers.formulas import satisfiable

from bnnkit.checker.network import read_network
from bnnkit.checker.question import box_of, encode
from bnnkit.checker.text import CLAUSE, read_formula
from bnnkit.formula import Formula
from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.solvers import get
from bnnkit.verification.circuit import circuit
from bnnkit.verification.encode import encode_all

KINDS = [(), ("dense",), ("conv", "dense"), ("conv", "pool", "conv"), ("dense", "dense", "dense")]


def question(rng, folder, layers):
    """A random network and box, and the network as the checker reads it."""
    shape = [(1, 2, 3), (2, 3, 3), (1, 4, 4), (3, 1, 2)][rng.integers(4)]
    network = random_network(rng, shape, layers)
    network.save(folder / "network.npz")
    return network, read_network(folder / "network.npz")[0], *random_box(rng, network)


def as_formula(n_vars, rows):
    formula, begin = Formula(n_vars), 0
    for kind, end, bound, output in zip(rows.kind, rows.end, rows.bound, rows.output, strict=True):
        lits = rows.numbers[begin:end]
        if kind == CLAUSE:
            formula.add_clause(lits)
        else:
            formula.add_sum(lits, int(bound), output=int(output))
        begin = end
    return formula


@pytest.mark.parametrize("layers", KINDS)
def test_satisfiable_exactly_if_an_image_is_misclassified(layers, tmp_path):
    rng = np.random.default_rng(0)
    robust = 0
    for _ in range(25):
        network, arrays, low, high = question(rng, tmp_path, layers)
        steps = np.minimum(high - low, 1)
        steps.ravel()[6:] = 0  # few images
        high = low + steps
        classes = {plain_class(network, levels) for levels in images_of(low, high)}
        label = int(rng.integers(network.n_classes))
        with get("cadical")(as_formula(*encode(arrays, low, high, label))) as solver:
            status = solver.solve().status
        assert status == ("sat" if classes - {label} else "unsat")
        robust += status == "unsat"
    assert 0 < robust < 25


@pytest.mark.parametrize("layers", KINDS)
def test_constraint_for_constraint_the_same_as_the_encoder(layers, tmp_path):
    rng = np.random.default_rng(1)
    for _ in range(20):
        network, arrays, low, high = question(rng, tmp_path, layers)
        label = int(rng.integers(network.n_classes))
        c = circuit(network)
        encode_all(c, label, flat(low), flat(high)).formula.save(tmp_path / "f.cnf")
        n_vars, rows, _ = read_formula(tmp_path / "f.cnf")
        own_vars, own_rows = encode(arrays, low, high, label)
        assert n_vars == own_vars
        for name, ours, theirs in zip(rows._fields, own_rows, rows, strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=name)


def test_thresholds_at_the_end_of_their_type(tmp_path):
    """[z <= -2**31] never holds; in between the bound must not overflow."""
    limits = np.iinfo(np.int32)
    layer = Conv2d(np.ones((4, 1, 1, 1)), [limits.min, limits.max] * 2, [1, 1, -1, -1])
    head = Head(np.array([1, 0, 0, 0, 0, 0, 0, 1]).reshape(2, 4, 1, 1), 1, [0, 0])
    network = BinaryNetwork(Quantiser(0.5), [layer], head, (1, 1, 1))
    network.save(tmp_path / "network.npz")
    arrays, _ = read_network(tmp_path / "network.npz")
    low, high = np.zeros((2, 1, 1, 1), np.int64)
    high[:] = 2
    for label in (0, 1):
        encode_all(circuit(network), label, [0], [2]).formula.save(tmp_path / "f.cnf")
        n_vars, rows, _ = read_formula(tmp_path / "f.cnf")
        own_vars, own_rows = encode(arrays, low, high, label)
        assert n_vars == own_vars
        assert all(np.array_equal(a, b) for a, b in zip(rows, own_rows, strict=True))
        assert satisfiable(as_formula(n_vars, rows)) == (label == 1)


@pytest.mark.parametrize(
    "step", [Fraction(1, 10), Fraction(61, 100), Fraction(1, 255), Fraction(3, 2)]
)
def test_boxes_are_those_of_the_quantiser(step):
    """Half-way values between two levels included."""
    grey = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    halves = np.linspace(0, 1, 41).reshape(1, 1, 41)
    for image, eps in itertools.product((grey, halves), ("0", "1/20", "8/255", "1/3", "1")):
        low, high = Quantiser(step).ball(image, Fraction(eps))
        own_low, own_high = box_of(image, Fraction(eps), step)
        np.testing.assert_array_equal(low, own_low)
        np.testing.assert_array_equal(high, own_high)
