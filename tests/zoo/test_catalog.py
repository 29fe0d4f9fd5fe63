import dataclasses
import importlib.resources
import re
import shutil
from pathlib import Path

import pytest
import robust_table
from robust_evaluation import images_digest
from robust_recipes import RECIPES, settings_of

from bnnkit import BNNClassifier, datasets, zoo
from bnnkit.network import BinaryNetwork
from bnnkit.nn import PGDTraining
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
        ("Digits-Tinny", "no network of the zoo 'Digits-Tinny'; .* did you mean 'digits-tiny'"),
        ("../digits-tiny", "did you mean"),
        ("q", "there are digits-tiny$"),
        (3, "no network of the zoo 3"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_ones(made, ask, name, says):
    with pytest.raises(ValueError, match=says):
        ask(made.zoo, name)


def test_an_empty_zoo_says_so(tmp_path):
    assert Zoo(tmp_path).names() == ()
    with pytest.raises(ValueError, match=r"the zoo is empty; .*robust_recipes.py makes"):
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


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        ({"quant_step": 0.25}, "its quant_step is 0.5, the card says 0.25"),
        (
            {"input_shape": [1, 4, 16]},
            "its input_shape is [1, 8, 8], the card says [1, 4, 16]",
        ),
    ],
)
def test_a_card_that_is_wrong_about_its_network_is_refused(made, copy, fact, says):
    wrong = dataclasses.replace(made.card, **fact)
    with pytest.raises(ValueError, match=re.escape(f"is about another network: {says}")):
        copy.add(wrong, made.classifier.network_)
    (copy.folder / "digits-tiny.json").write_text(wrong.to_json())
    with pytest.raises(ValueError, match=re.escape(f"not the network of its card: {says}; ")):
        copy.load("digits-tiny")


def test_a_network_that_is_not_there_is_named(copy):
    (copy.folder / "digits-tiny.npz").unlink()
    with pytest.raises(ValueError, match=r"digits-tiny.npz is missing; install bnnkit anew"):
        copy.load("digits-tiny")


def test_a_damaged_network_is_named(copy):
    path = copy.folder / "digits-tiny.npz"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ValueError, match=r"digits-tiny.npz"):
        copy.load("digits-tiny")


def test_a_card_under_another_name_is_refused(copy):
    for suffix in (".json", ".npz"):
        path = copy.folder / f"digits-tiny{suffix}"
        path.rename(path.with_stem("cats"))
    for ask in (copy.card, copy.load):
        with pytest.raises(ValueError, match=r"cats.json is the card of 'digits-tiny'; install"):
            ask("cats")


def test_hidden_files_are_no_networks(copy):
    shutil.copy(copy.folder / "digits-tiny.json", copy.folder / "._digits-tiny.json")
    assert copy.names() == ("digits-tiny",)


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


def made_by(recipe, card, network):
    """Whether a card tells of nothing but what the recipe says."""
    classifier = BNNClassifier(**recipe.settings, n_classes=network.n_classes)
    return (card.dataset, card.eps) == (recipe.dataset, recipe.eps) and (
        card.training.settings == settings_of(classifier)
    )


@packaged
def test_a_packaged_network_was_made_by_its_recipe(name):
    assert made_by(RECIPES[name], zoo.card(name), zoo.load(name))


@pytest.mark.parametrize(
    "change", [{}, {"batch_size": 50}, {"adversary": PGDTraining(0.05)}, {"monitor": None}]
)
def test_a_recipe_that_changed_since_is_found_out(made, change):
    recipe = dataclasses.replace(made.recipe, settings=made.recipe.settings | change)
    assert made_by(recipe, made.card, made.classifier.network_) == (not change)


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
    network = zoo.load(name)
    layers = (*network.layers, network.head)
    quick = sum(getattr(layer, "n_weights", 0) for layer in layers) > 1_000_000
    assert robust_table.verify_again(zoo.card(name), network, test_split, jobs=2, quick=quick) == 0
