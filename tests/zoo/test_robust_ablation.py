from types import SimpleNamespace

import pytest
import robust_ablation
from robust_recipes import RECIPES

from bnnkit import BNNClassifier


@pytest.mark.parametrize("name", RECIPES)
def test_each_variant_is_a_classifier_that_differs_from_the_recipe(name):
    recipe = RECIPES[name]
    variants = robust_ablation.variants(recipe)
    assert ("no interval loss" in variants) == ("interval_loss" in recipe.settings)
    for variant, changes in variants.items():
        changed = recipe.settings | changes
        BNNClassifier(**changed)._check_parameters()
        assert (changed == recipe.settings) == (variant == "the recipe")


def test_a_row_has_what_the_header_names(made):
    options = SimpleNamespace(first=20, timeout=60.0, jobs=1)
    row = robust_ablation.row("it", made.recipe, made.classifier, made.data.test, options)
    header = robust_ablation.HEADER.splitlines()[0]
    assert row.count("|") == header.count("|")
    cells = [cell.strip() for cell in row.split("|")]
    robust, falsified, unknown = map(int, cells[4].split("/"))
    assert robust + falsified + unknown == 20
    assert float(cells[3]) == 100 * robust / 20
