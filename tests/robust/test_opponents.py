import pytest

from bnnkit.attacks import FGSM
from bnnkit.ensemble import Vote
from bnnkit.robust.opponents import as_one, is_attack, numbered, opponents


def test_each_all_and_the_vote():
    models = ["a", "b"]
    assert opponents(models, "each") == ["a", "b"]
    assert opponents(models, "all") == [["a", "b"]]
    (vote,) = opponents(models, "vote")
    assert isinstance(vote, Vote)
    assert vote.members == ("a", "b")


def test_a_single_model():
    assert opponents(["a"], "each") == ["a"]
    assert opponents(["a"], "all") == [["a"]]
    assert opponents(["a"], "vote")[0].members == ("a",)
    assert as_one(["a"]) == "a"
    assert as_one(["a", "b"]).members == ("a", "b")


def test_names():
    assert numbered("x", 1) == ["x"]
    assert numbered("x", 3) == ["x[0]", "x[1]", "x[2]"]


@pytest.mark.parametrize("thing", [FGSM, "pgd", None, print, Vote(["a"])])
def test_what_is_no_attack(thing):
    assert is_attack(FGSM())
    assert not is_attack(thing)
