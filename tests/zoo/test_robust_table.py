import dataclasses

import pytest
import robust_table
from robust_recipes import RECIPES
from robust_table import PUBLISHED, consistent, markdown, rows, verify_again

from bnnkit import verify_all
from bnnkit.datasets import Split
from bnnkit.zoo import Zoo


def counts(robust, falsified, unknown):
    return {"robust": robust, "falsified": falsified, "unknown": unknown}


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        (counts(7, 3, 0), counts(7, 3, 0), True),
        (counts(7, 3, 0), counts(6, 4, 0), False),
        (counts(7, 3, 0), counts(6, 3, 1), True),
        (counts(7, 2, 1), counts(6, 3, 1), True),
        (counts(8, 2, 0), counts(6, 3, 1), False),
        (counts(0, 0, 10), counts(10, 0, 0), True),
    ],
)
def test_counts_contradict_each_other_unless_time_can_tell(one, other, agree):
    assert consistent(one, other) == consistent(other, one) == agree


def test_published_rows_are_about_recipes():
    assert PUBLISHED.keys() <= RECIPES.keys()


def test_a_row_for_each_network_and_one_for_the_published(made, tmp_path):
    zoo, name = Zoo(tmp_path), "mnist-conv-small-eps0.3"
    zoo.add(made.card, made.classifier.network_)
    found = dataclasses.replace(
        made.card.evaluation, images=8, correct=7, withstood_pgd=6, robust=4, falsified=3, unknown=1
    )
    card = dataclasses.replace(made.card, name=name, eps=0.3, evaluation=found)
    zoo.add(card, made.classifier.network_)
    tiny, ours, published = rows(zoo)
    assert tiny[0] == "digits-tiny"
    assert ours[:7] == (name, "0.3", "8", "87.50", "75.00", "50.00", "4 / 3 / 1")
    assert published[:6] == ("published", "", "10,000", "94.31", "80.70", "66.42")
    assert published[7] == "14.6"
    assert len(tiny) == len(ours) == len(published)


def test_markdown():
    assert markdown(("a", "b"), [("x", 1)]) == "| a | b |\n| --- | --: |\n| x | 1 |"


def test_what_is_computed_again_agrees_with_the_card(made, capsys):
    assert verify_again(made.card, made.classifier.network_, made.data.test, jobs=1) == 0
    assert "they agree" in capsys.readouterr().out


def test_the_first_images_are_compared_apart(made, monkeypatch, capsys):
    monkeypatch.setattr(robust_table, "FIRST", 100)
    network, test = made.classifier.network_, made.data.test
    first = verify_all(network, test.images[:100], test.labels[:100], made.card.eps).counts
    wrong = first | {"robust": first["robust"] - 1, "falsified": first["falsified"] + 1}
    for counted, code in ((first, 0), (wrong, 1)):
        found = dataclasses.replace(made.card.evaluation, first=counted)
        card = dataclasses.replace(made.card, evaluation=found)
        assert verify_again(card, network, test, jobs=1, quick=True) == code
        assert str(first) in capsys.readouterr().out


@pytest.mark.parametrize("change", [{"correct": 1}, {"robust": 1, "falsified": 2}])
def test_a_wrong_card_is_found_out(made, change, capsys):
    found = made.card.evaluation
    wrong = {name: getattr(found, name) + by for name, by in change.items()}
    card = dataclasses.replace(made.card, evaluation=dataclasses.replace(found, **wrong))
    assert verify_again(card, made.classifier.network_, made.data.test, jobs=1) == 1
    assert "contradict" in capsys.readouterr().out


def test_other_images_are_not_compared(made):
    test = made.data.test
    with pytest.raises(SystemExit, match="300 other test images than the 299 of digits here"):
        verify_again(
            made.card, made.classifier.network_, Split(test.images[1:], test.labels[1:]), jobs=1
        )
