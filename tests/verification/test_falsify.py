import numpy as np
import pytest
from helpers import flat, images_of, plain_class, random_box, random_network

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
