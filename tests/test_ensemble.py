from collections import Counter

import numpy as np
import pytest

from bnnkit.ensemble import Vote, plurality


class Given:
    """A model with given answers."""

    def __init__(self, classes):
        self.classes = np.array(classes)

    def predict(self, images):
        return self.classes[: len(images)]


@pytest.mark.parametrize("k", [1, 2, 3, 5, 8])
def test_a_vote_is_counted_class_by_class(k):
    choices = np.random.default_rng(k).integers(0, 4, (k, 200))
    vote = Vote(map(Given, choices))
    assert len(vote.members) == k
    predicted = vote.predict(np.zeros((200, 1)))
    for column, winner in zip(choices.T.tolist(), predicted.tolist(), strict=True):
        votes = Counter(column)
        assert winner == min(votes, key=lambda j: (-votes[j], j))


def test_no_images_have_no_classes():
    assert plurality(np.zeros((3, 0), int)).shape == (0,)


def test_a_vote_without_members():
    with pytest.raises(ValueError, match="needs at least one model"):
        Vote([])
