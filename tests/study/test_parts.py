"""The tables of a study become what they say."""

import numpy as np
import pytest
import seed_study

from bnnkit import attacks, datasets, robust, study
from bnnkit.study import parts


@pytest.fixture
def table(written):
    """The run `live` of the tiny study, which a test changes."""
    return study.load(written())["runs"]["live"]


POOL = robust.Pool(np.zeros((4, 1, 2, 2)), [0, 1, 0, 1])
EXACT = attacks.JointExact("native", 10.0)


@pytest.mark.parametrize(
    ("changes", "source"),
    [
        ({"attack": "fgsm"}, robust.Live(attacks.FGSM())),
        ({"attack": "joint", "refill": True}, robust.Live(EXACT, refill=True, against="all")),
        (
            {"attack": "vote", "timeout": 2.0, "falsify": 1.0},
            robust.Live(attacks.VoteExact("native", 2.0, falsify=1.0), against="vote"),
        ),
        ({"source": ["noise"], "low": 0.7}, robust.Noise(low=0.7)),
        ({"source": ["originals"]}, robust.Originals()),
        ({"source": ["pool"]}, POOL),
        ({"source": ["pool", "noise"]}, robust.Mixed([POOL, robust.Noise()], [0.5, 0.5])),
        ({"source": ["noise"], "detector": True}, robust.Relabelled(robust.Noise(), 10)),
    ],
)
def test_sources(changes, source, table):
    assert repr(parts.make_source(table | changes, POOL, 10, jobs=1)) == repr(source)


def test_the_number_of_processes_is_no_part_of_an_attack(table):
    one, two = (parts.make_attack(table | {"attack": "exact"}, jobs) for jobs in (1, 2))
    assert (one.n_jobs, two.n_jobs) == (1, 2)
    assert repr(one) == repr(two)


def test_judges(table):
    judges = parts.make_judges(table | {"judges": ["a", "vote", "noise"]}, {"a": POOL}, jobs=1)
    assert list(judges) == ["a", "vote", "noise"]
    assert judges["a"] is POOL
    assert (judges["vote"].against, judges["noise"].against) == ("vote", "each")


def test_high_noise_judges_with_the_noise_that_it_trains_with(table):
    judges = parts.make_judges(table | {"judges": ["high-noise"]}, {}, jobs=1)
    attack = judges["high-noise"].attack
    assert (type(attack).__name__, attack.low) == ("RandomNoise", 0.7)
    variants = study.load("variants", "full")["runs"]
    assert variants["high-noise"]["low"] == attack.low
    assert "high-noise" in variants["none"]["judges"]


def test_models(written):
    binarized = study.load(written())["models"]["bnn"]
    model = parts.model_maker(binarized, 11, seed=5)()
    assert (model.architecture, model.quant_step, model.epochs) == ("16", 0.5, 2)
    assert (model.n_classes, model.random_state) == (11, 5)
    assert model.learning_rate == 3e-3  # the class's own default
    real = binarized | {"kind": "real", "hidden": [8, 8], "learning_rate": 0.1}
    model = parts.model_maker(real, 10, seed=5)()
    assert (model.hidden, model.learning_rate, model.epochs) == ([8, 8], 0.1, 2)


def test_networks_that_go_on_are_told_so(written):
    table = study.load(written())["models"]["bnn"]
    assert [parts.model_maker(table, 10, 0, on)().warm_start for on in (False, True)] == [
        False,
        True,
    ]


def test_the_original_recipe_is_that_of_the_benchmark_of_the_original():
    models = study.load("loop", "original")["models"]
    for name, epochs in (("source", 5), ("bnn", 25)):
        made = parts.model_maker(models[name], 10, seed=0)()
        expected = seed_study.RECIPE | {"epochs": epochs}
        assert {key: getattr(made, key) for key in expected} == expected


def test_the_first_images_of_the_data():
    digits = datasets.load("digits")
    data = parts.load_data({"name": "digits", "train": 30, "test": None})
    assert (data.train.images == digits.train.images[:30]).all()
    assert len(data.test) == len(digits.test)
