import time

import numpy as np
import pytest
from helpers import flat, images_of, plain_class, random_box, random_network

from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.verification import falsify
from bnnkit.verification.bounds import propagate
from bnnkit.verification.circuit import circuit
from bnnkit.verification.falsify import Search


def search(network, low, high, levels, label):
    c = circuit(network)
    return Search(c, propagate(c, flat(low), flat(high)), flat(levels), label)


@pytest.mark.parametrize("structure", [(), ("dense", "dense"), ("conv", "pool")])
@pytest.mark.parametrize("seed", range(12))
def test_small_boxes_are_searched_through(structure, seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (1, 2, 3), structure)
    low, high = random_box(rng, network)
    label = plain_class(network, low)
    found = search(network, low, high, low, label).run(10.0, most_runs=12)
    wrong = {tuple(flat(x)) for x in images_of(low, high) if plain_class(network, x) != label}
    assert (found is None and not wrong) or tuple(found) in wrong


def test_nothing_is_found_in_a_box_of_one_image():
    network = random_network(np.random.default_rng(0), (1, 3, 3), ("dense",))
    levels = np.ones((1, 3, 3), np.uint8)
    label = plain_class(network, levels)
    assert search(network, levels, levels, levels, label).run(1.0) is None


def test_a_search_goes_on_where_it_was_and_takes_the_same_course_again():
    network = random_network(np.random.default_rng(1), (1, 4, 4), ("dense",))
    low, high = np.zeros((1, 4, 4), int), np.full((1, 4, 4), 3)
    one, other = (search(network, low, high, low, plain_class(network, low)) for _ in range(2))
    whole = one.run(10.0, most_runs=9)
    parts = [other.run(10.0, most_runs=3) for _ in range(3)]
    found = next((part for part in parts if part is not None), None)
    assert (whole is None and found is None) or (whole == found).all()


def test_a_long_run_looks_at_the_clock(monkeypatch):
    monkeypatch.setattr(falsify, "SHORTEST", 2**40)
    monkeypatch.setattr(falsify, "LONGEST", 2**40)
    head = Head(np.zeros((2, 9, 1, 1), np.int8), 1, [0, 0])  # never misclassified
    layer = Conv2d(np.ones((9, 1, 3, 3), np.int8), range(9), [1] * 9)
    network = BinaryNetwork(Quantiser(0.5), [layer], head, (1, 3, 3))
    low, high = np.zeros((1, 3, 3), int), np.full((1, 3, 3), 2)
    started = time.perf_counter()
    assert search(network, low, high, low, 0).run(0.05) is None
    assert time.perf_counter() - started < 20
