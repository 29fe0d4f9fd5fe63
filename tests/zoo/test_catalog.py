import dataclasses
import importlib.resources
import shutil
from pathlib import Path

import pytest
import robust_table
from robust_evaluation import images_digest
from robust_recipes import RECIPES

from bnnkit import datasets, zoo
from bnnkit.network import BinaryNetwork
from bnnkit.zoo import Zoo

REPOSITORY = Path(__file__).parents[2]
PACKAGED = zoo.names()
packaged = pytest.mark.parametrize("name", PACKAGED)


@pytest.fixture
def copy(made, tmp_path):
    return Zoo(shutil.copytree(made.zoo.folder, tmp_path / "zoo"))


def test_what_was_added_comes_back(made):
    assert made.zoo.names() == ("digits-tiny",)
    assert made.zoo.card("digits-tiny") == made.card
    assert made.zoo.load("digits-tiny") == made.classifier.network_


def test_names_are_sorted(made, copy):
    copy.add(dataclasses.replace(made.card, name="cats"), made.classifier.network_)
    assert copy.names() == ("cats", "digits-tiny")


@pytest.mark.parametrize("ask", [Zoo.load, Zoo.card])
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Digits-Tinny", "no network 'Digits-Tinny' in the zoo; .* did you mean 'digits-tiny'"),
        ("../digits-tiny", "did you mean"),
        ("q", "there are digits-tiny$"),
        (3, "no network 3"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_ones(made, ask, name, says):
    with pytest.raises(ValueError, match=says):
        ask(made.zoo, name)


def test_an_empty_zoo_says_so(tmp_path):
    assert Zoo(tmp_path).names() == ()
    with pytest.raises(ValueError, match="it is empty"):
        Zoo(tmp_path).load("digits-tiny")


def another(network):
    """A network that differs from `network` in one bias."""
    head = network.head
    bias = head.bias.copy()
    bias[0] += 1
    changed = type(head)(head.weights, head.scale, bias)
    return BinaryNetwork(network.quantiser, network.layers, changed, network.input_shape)


def test_a_network_that_is_not_the_cards_is_refused(made, copy):
    other = another(made.classifier.network_)
    with pytest.raises(ValueError, match="about another network"):
        copy.add(made.card, other)
    other.save(copy.folder / "digits-tiny.npz")
    with pytest.raises(ValueError, match=rf"digits-tiny.npz is not .* digest is {other.digest}"):
        copy.load("digits-tiny")


def test_a_damaged_card_is_named(copy):
    path = copy.folder / "digits-tiny.json"
    path.write_text(path.read_text()[:-9])
    with pytest.raises(ValueError, match=r"digits-tiny.json: not a card"):
        copy.load("digits-tiny")


def files():
    """The packaged files by name, through the package and nothing else."""
    entries = importlib.resources.files("bnnkit.zoo").iterdir()
    return {entry.name: entry for entry in entries if entry.name.endswith((".npz", ".json"))}


def test_the_package_has_all_files_of_the_repository():
    made_here = {
        path.name
        for suffix in ("npz", "json")
        for path in (REPOSITORY / "bnnkit" / "zoo").glob(f"*.{suffix}")
    }
    assert files().keys() == made_here
    assert made_here == {f"{name}{suffix}" for name in PACKAGED for suffix in (".npz", ".json")}


def test_all_files_together_are_small():
    assert sum(len(entry.read_bytes()) for entry in files().values()) < 2_000_000


@packaged
def test_a_packaged_network_is_its_cards(name):
    card, network = zoo.card(name), zoo.load(name)
    found = card.evaluation
    assert card.name == name
    assert network.digest == card.digest
    assert float(network.quantiser.step) == card.quant_step
    assert found.robust + found.falsified + found.unknown == found.images
    assert found.robust <= found.withstood_pgd <= found.correct


@packaged
def test_a_packaged_network_was_made_by_its_recipe(name):
    card, recipe = zoo.card(name), RECIPES[name]
    assert (card.dataset, card.eps) == (recipe.dataset, recipe.eps)
    plain = {key: value for key, value in recipe.settings.items() if key in PLAIN}
    assert {key: card.training.settings[key] for key in plain} == plain


PLAIN = {"architecture", "quant_step", "epochs", "mask_decay", "validation", "random_state"}


@pytest.fixture
def test_split(name, data_home):
    """The images that the card of `name` is about."""
    card = zoo.card(name)
    split = datasets.load(card.dataset, data_home=data_home).test
    if images_digest(split) != card.evaluation.images_digest:
        pytest.skip(f"the card is about other images than those of {card.dataset} here")
    return split


@packaged
def test_a_packaged_network_is_as_accurate_as_its_card_says(name, test_split):
    correct = zoo.load(name).predict(test_split.images) == test_split.labels
    assert correct.sum() == zoo.card(name).evaluation.correct


@pytest.mark.slow
@packaged
def test_a_packaged_network_is_certified_as_its_card_says(name, test_split):
    assert robust_table.verify_again(zoo.card(name), zoo.load(name), test_split, jobs=2) == 0
