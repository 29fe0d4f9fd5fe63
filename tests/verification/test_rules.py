import itertools

import numpy as np
import pytest

from bnnkit.verification.rules import rule


def outcome(name, choices, label):
    """By counting, class by class."""
    if name == "joint":
        return choices[0] if set(choices) == {choices[0]} else label
    return min(range(4), key=lambda j: (-choices.count(j), j))


@pytest.mark.parametrize("name", ["joint", "vote"])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("label", range(4))
def test_outcomes_of_all_choices(name, k, label):
    asked = rule(name, k, label, 4)
    for choices in itertools.product(range(4), repeat=k):
        assert asked.outcome(choices) == outcome(name, choices, label)
        for j in set(range(4)) - {label}:  # so many for j are enough, one fewer are not
            mine, others = choices.count(j), choices.count(label)
            if mine + others == k:
                assert (asked.outcome(choices) == j) == (mine >= asked.majority[j])


@pytest.mark.parametrize("name", ["joint", "vote"])
@pytest.mark.parametrize("label", range(4))
def test_no_class_is_ruled_out_to_which_the_ensemble_falls(name, label):
    rng = np.random.default_rng(label)
    closed = 0
    for _ in range(300):
        possible = rng.random((rng.integers(1, 5), 4)) < rng.choice([0.2, 0.5])
        possible[np.arange(len(possible)), rng.integers(0, 4, len(possible))] = True
        asked = rule(name, len(possible), label, 4)
        rows = [np.flatnonzero(row).tolist() for row in possible]
        falls = {outcome(name, choices, label) for choices in itertools.product(*rows)} - {label}
        found = asked.open_classes(possible)
        assert falls <= set(found.tolist())
        closed += len(found) == 0
        assert falls or len(found) == 0 or name == "vote"
    assert 0 < closed < 300
