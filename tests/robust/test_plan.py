"""Mistakes are sentences, before any training."""

from types import SimpleNamespace

import numpy as np
import pytest

from bnnkit.attacks import RandomNoise
from bnnkit.robust import Judge, Mixed, Noise, Originals, Pool, Relabelled, train

NOISE = RandomNoise(tries=20, low=1, random_state=0)


def run(make_model, data):
    return train(make_model, NOISE, data, eps=0.1, rounds=1)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"eps": 8}, ValueError, "pass 8/255"),
        ({"rounds": -1}, ValueError, "rounds must be a whole number of at least 0, got -1"),
        ({"images_per_round": 0}, ValueError, "images_per_round must be"),
        ({"n_judge": 2.5}, TypeError, "n_judge must be"),
        ({"random_state": -1}, ValueError, "random_state must be"),
        ({"images_per_round": 101}, ValueError, "2 rounds use 202 images .* 200 are left"),
        ({"attack": "pgd"}, TypeError, "attack must be an Attack, a premade pool"),
        ({"attack": (np.zeros((9, 1, 4, 4)), np.zeros(9, int))}, ValueError, "9 are left"),
        ({"attack": (np.zeros((9, 4, 4)), np.zeros(9, int))}, ValueError, r"the pool images"),
        ({"attack": (np.zeros((9, 1, 4, 4)), [0])}, ValueError, "one integer an image"),
        ({"judge": [NOISE]}, TypeError, "judge must be an Attack or a dict"),
        ({"make_model": {}}, TypeError, "function that returns a new model, got dict"),
        ({"make_model": dict}, TypeError, "model with fit, got dict"),
        ({"make_model": []}, ValueError, "make_model is an empty list"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be at least 1, or -1"),
        ({"start": 0}, ValueError, "start must be a whole number of at least 1, got 0"),
        ({"start": 201}, ValueError, "start must be a whole number of at most 200, got 201"),
        ({"start": 1.5}, TypeError, "start must be a whole number, got 1.5"),
        ({"start": [0.5, 1]}, TypeError, "start must be a number of training images, an array"),
        ({"start": [[1], [2, 3]]}, ValueError, "start must be one array of numbers"),
        ({"start": []}, TypeError, "start must be a number of training images, an array"),
        ({"start": [3, 3]}, ValueError, "from 3 to 3, 1 of 2 different"),
        ({"start": [-1, 3]}, ValueError, "start must hold different indices from 0 to 199"),
        ({"start": [0, 200]}, ValueError, "got values from 0 to 200, 2 of 2 different"),
        ({"start": 150}, ValueError, "2 rounds use 200 images .* 50 are left"),
        ({"attack": Originals()}, ValueError, "pass a start such as start=1000"),
        ({"attack": Relabelled(Noise(), 1)}, ValueError, "so take 2"),
        (
            {"attack": Relabelled(Noise(), 2), "judge": {"joint": Judge(NOISE, against="all")}},
            ValueError,
            "the judge 'joint' attacks all models at once",
        ),
        (
            {"attack": Mixed([Noise(), Noise(0.3)], [0.5, 0.5]), "images_per_round": 101},
            ValueError,
            "2 rounds use 202 images",
        ),
        ({"judge": {"p": Pool(np.zeros((9, 4, 4)), np.zeros(9, int))}}, ValueError, "pool images"),
    ],
)
def test_mistakes(stripes, nearest_mean, changes, error, message):
    arguments = {"make_model": nearest_mean, "attack": NOISE, "data": stripes, "eps": 0.1}
    with pytest.raises(error, match=message):
        train(**(arguments | {"rounds": 2} | changes))


def test_classes_that_come_later_must_be_known(stripes, nearest_mean):
    order = np.argsort(stripes.train.labels, kind="stable")
    train_split = SimpleNamespace(
        images=stripes.train.images[order], labels=stripes.train.labels[order]
    )
    data = SimpleNamespace(train=train_split, test=stripes.test)

    def make(n_classes=None):
        model = nearest_mean()
        model.n_classes = n_classes
        return model

    options = {"eps": 0.1, "rounds": 1, "images_per_round": 20}
    zeros = int((stripes.train.labels == 0).sum())
    with pytest.raises(ValueError, match=r"labels up to 0 only, of 2 classes .* n_classes=2"):
        train(make, NOISE, data, start=zeros, **options)
    detecting = Relabelled(Noise(), 2)
    with pytest.raises(ValueError, match="labels up to 1 only, of 3 classes"):
        train(make, detecting, data, recreate=False, **options)
    with pytest.raises(ValueError, match=r"there are 3 classes, but .* n_classes=2"):
        train(lambda: make(2), detecting, data, **options)
    with pytest.raises(ValueError, match=r"there are 2 classes, but .* n_classes=1"):
        train(lambda: make(1), NOISE, data, **options)
    data.test.labels[5] = 2
    with pytest.raises(ValueError, match=r"labels up to 1 only, of 3 classes .* n_classes=3"):
        train(make, NOISE, data, **options)
    with pytest.raises(ValueError, match=r"there are 3 classes, but .* n_classes=2"):
        train(lambda: make(2), NOISE, data, **options)
    assert train(make, NOISE, data, n_judge=5, **options).rounds[1].judged
    assert train(make, Noise(), data, **options).rounds[1].n_added == 20
    data.test.labels[5] = 1
    assert train(make, detecting, data, **options).rounds[1].n_added == 20
    assert train(lambda: make(3), detecting, data, recreate=False, **options)


def test_mistakes_in_the_data(stripes, nearest_mean):
    empty = SimpleNamespace(images=np.zeros((0, 1, 4, 4)), labels=np.zeros(0, int))
    larger = SimpleNamespace(images=np.zeros((3, 1, 5, 5)), labels=np.zeros(3, int))
    for split, name in (("train", "training data"), ("test", "test data")):
        data = SimpleNamespace(**(vars(stripes) | {split: empty}))
        with pytest.raises(ValueError, match=f"{name}: images is empty"):
            train(nearest_mean, NOISE, data, eps=0.1)
    with pytest.raises(ValueError, match=r"test images have shape \(1, 5, 5\)"):
        train(nearest_mean, NOISE, SimpleNamespace(train=stripes.train, test=larger), eps=0.1)


@pytest.mark.parametrize("form", [lambda *pool: pool, Pool])
def test_pool_labels_must_be_among_the_training_labels(stripes, nearest_mean, form):
    images, labels = np.zeros((10, 1, 4, 4)), np.arange(10) % 2
    labels[3] = 99
    with pytest.raises(ValueError, match="the pool has the label 99, the training labels end at 1"):
        train(nearest_mean, form(images, labels), stripes, eps=0.1, rounds=1, images_per_round=5)


def test_models_with_the_same_seed_are_refused(stripes):
    from bnnkit import BNNClassifier

    with pytest.raises(ValueError, match="two of the models are the same, such as BNNClassifier"):
        run([lambda: BNNClassifier("8", random_state=0)] * 2, stripes)
    makers = [lambda seed=seed: BNNClassifier("8", random_state=seed) for seed in (0, 1, 0)]
    with pytest.raises(ValueError, match="two of the models are the same"):
        run(makers, stripes)
