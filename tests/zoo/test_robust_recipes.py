import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import robust_recipes
from robust_evaluation import origin
from robust_minutes import minutes
from robust_recipes import ORIGIN, RECIPES, describe, finished, settings_of, train

from bnnkit import BinaryNetwork, BNNClassifier, datasets
from bnnkit.zoo import Zoo

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def command(monkeypatch, tmp_path, made):
    """Run the script with the tiny recipe and its run in a folder of their own."""
    monkeypatch.setitem(RECIPES, "digits-tiny", made.recipe)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["robust_recipes.py", *map(str, arguments)])
        robust_recipes.main()
        return Zoo(tmp_path / "out")

    return run


@pytest.mark.parametrize("name", RECIPES)
def test_the_arguments_of_every_recipe_are_right(name):
    recipe = RECIPES[name]
    assert recipe.dataset in datasets.names()
    assert name.startswith(recipe.dataset)
    BNNClassifier(**recipe.settings, n_classes=10)._check_parameters()


@pytest.mark.parametrize("name", RECIPES)
def test_names_tell_the_radius(name):
    number = float(name.rpartition("-eps")[2])
    recipe = RECIPES[name]
    assert recipe.eps == (number / 255 if recipe.dataset == "cifar10" else number)


def test_settings_on_the_card_are_all_arguments_as_they_are(made):
    settings = made.card.training.settings
    assert settings == json.loads(json.dumps(settings)) == settings_of(made.classifier)
    assert settings.keys() == made.classifier.get_params().keys()
    assert settings["adversary"] == repr(made.recipe.settings["adversary"])
    assert made.card.training.images == len(made.data.train)
    assert made.card.training.epochs == made.recipe.settings["epochs"]
    spent = minutes(made.classifier.history_)[-1]
    assert made.card.training.minutes == pytest.approx(spent, abs=0.01)


def test_a_finished_run_is_not_trained_again(made):
    log = made.folder / "log.jsonl"
    before = log.read_text()
    again = train(made.recipe, made.data, made.folder)
    assert again.network_ == made.classifier.network_
    assert log.read_text() == before
    assert BinaryNetwork.load(made.folder / "network.npz") == again.network_


def test_the_card_tells_where_the_training_ended(made, tmp_path):
    there = {"machine": "another", "date": "2026-01-01", "version": "0.0.1"}
    run = shutil.copytree(made.folder, tmp_path / "run")
    (run / ORIGIN).write_text(json.dumps(there))
    again = train(made.recipe, made.data, run)
    card = describe("digits-tiny", made.recipe, again, run, made.data, jobs=1)
    trained, evaluated = card.training, card.evaluation
    assert {name: getattr(trained, name) for name in there} == there
    assert {name: getattr(evaluated, name) for name in there} == origin()


def test_a_run_that_begins_anew_has_another_origin(made, tmp_path):
    run = shutil.copytree(made.folder, tmp_path / "run")
    (run / ORIGIN).write_text("{}")
    (run / "checkpoint.npz").unlink()
    train(made.recipe, made.data, run)
    assert json.loads((run / ORIGIN).read_text()) == origin()


def test_a_run_that_begins_anew_is_not_finished_until_it_is(made, tmp_path):
    def kill(network, images, labels):
        raise KeyboardInterrupt

    run = shutil.copytree(made.folder, tmp_path / "run")
    (run / "checkpoint.npz").unlink()
    killed = replace(made.recipe, settings=made.recipe.settings | {"monitor": kill})
    with pytest.raises(KeyboardInterrupt):
        train(killed, made.data, run)
    assert (run / "checkpoint.npz").exists()
    assert not finished(run)


def test_the_command_makes_network_and_card(command, capsys):
    zoo = command("digits-tiny", "--out", "out", "--jobs", 1)
    card = zoo.card("digits-tiny")
    assert zoo.load("digits-tiny").digest == card.digest
    assert card.evaluation.images == len(datasets.load("digits").test)
    assert str(card) in capsys.readouterr().out
    assert command("digits-tiny", "--out", "out", "--jobs", 1, "--only-evaluate").names()


def test_only_evaluate_does_not_train(command, tmp_path):
    with pytest.raises(SystemExit, match="no finished run"):
        command("digits-tiny", "--out", "out", "--only-evaluate")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("missing", ["checkpoint.npz", "network.npz", "origin.json"])
def test_only_evaluate_refuses_a_run_that_is_not_whole(command, tmp_path, made, missing):
    run = shutil.copytree(made.folder, tmp_path / "run")
    (run / missing).unlink()
    with pytest.raises(SystemExit, match="no finished run"):
        command("digits-tiny", "--folder", run, "--out", "out", "--only-evaluate")
    assert not (run / missing).exists()


def test_the_list_shows_every_recipe():
    listed = subprocess.run(
        [sys.executable, BENCHMARKS / "robust_recipes.py", "--list"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert all(f"{name}\n" in listed for name in RECIPES)
