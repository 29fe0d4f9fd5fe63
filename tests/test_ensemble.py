"""The vote against a count by hand, ties included."""

from collections import Counter

import numpy as np
import pytest

from bnnkit.ensemble import Vote, plurality


class Says:
    def __init__(self, classes):
        self.classes = np.asarray(classes)

    def predict(self, images):
        return self.classes


@pytest.mark.parametrize("n_members", range(1, 7))
@pytest.mark.parametrize("n_classes", [1, 2, 3, 11])
def test_most_votes_win_and_of_equals_the_lowest_class(n_members, n_classes):
    classes = np.random.default_rng(n_classes).integers(0, n_classes, (n_members, 200))
    voted = Vote([Says(row) for row in classes]).predict(np.zeros((200, 4)))
    assert voted.dtype == np.int64
    ties = 0
    for column, vote in zip(classes.T.tolist(), voted, strict=True):
        votes = Counter(column)
        most = [c for c in votes if votes[c] == max(votes.values())]
        ties += len(most) > 1
        assert vote == min(most)
    assert ties or min(n_members, n_classes) == 1 or (n_classes == 2 and n_members % 2)


def test_a_vote_of_no_images():
    assert plurality(np.zeros((3, 0), dtype=int)).shape == (0,)


def test_a_vote_needs_members():
    with pytest.raises(ValueError, match="members is empty"):
        Vote([])


def test_members_may_come_from_any_iterable():
    members = [Says([0]), Says([1])]
    assert Vote(iter(members)).members == tuple(members)
