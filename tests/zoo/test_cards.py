import dataclasses
import json

import pytest

from bnnkit.zoo import Card


def test_a_card_survives_its_file(made):
    assert Card.from_json(made.card.to_json()) == made.card


def test_rates_are_shares_of_all_images(made):
    found = dataclasses.replace(
        made.card.evaluation, images=8, correct=7, withstood_pgd=6, robust=4, falsified=3, unknown=1
    )
    assert found.clean_accuracy == 7 / 8
    assert found.pgd_accuracy == 6 / 8
    assert found.certified_accuracy == 4 / 8


def test_the_seed_is_that_of_the_settings(made):
    assert made.card.training.seed == made.recipe.settings["random_state"] == 0


def damaged(change):
    def damage(text):
        content = json.loads(text)
        change(content)
        return json.dumps(content)

    return damage


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text[:-20], "not a card"),
        (lambda text: "[]", "not a card"),
        (damaged(lambda card: card.pop("digest")), "'digest'"),
        (damaged(lambda card: card.pop("training")), "'training'"),
        (damaged(lambda card: card["evaluation"].pop("robust")), "'robust'"),
        (damaged(lambda card: card.update(colour="red")), "'colour'"),
        (damaged(lambda card: card.update(name=3)), "name must be of type str, got 3"),
        (damaged(lambda card: card.update(eps="0.1")), "eps must be of type float, got '0.1'"),
        (damaged(lambda card: card.update(eps=True)), "eps must be of type float, got True"),
        (damaged(lambda card: card.update(sparsity=0.5)), "sparsity must be of type list"),
        (damaged(lambda card: card.update(training=[])), "not a card"),
        (damaged(lambda card: card["training"].update(settings=None)), "settings must be of type"),
        (damaged(lambda card: card["evaluation"].update(robust=0.5)), "robust must be of type int"),
    ],
)
def test_what_is_no_card_is_named(made, damage, says):
    with pytest.raises(ValueError, match=says):
        Card.from_json(damage(made.card.to_json()))


def test_as_text_it_tells_the_numbers_and_the_commands(made):
    card = dataclasses.replace(made.card, eps=8 / 255)
    text = str(card)
    for part in (
        "for eps 8/255 on digits",
        f"({card.evaluation.robust} robust, {card.evaluation.falsified} falsified, ",
        card.training.command,
        card.evaluation.command,
        card.digest,
    ):
        assert part in text
