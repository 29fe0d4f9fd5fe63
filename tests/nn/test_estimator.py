import inspect
import re

import numpy as np
import pytest

from bnnkit.nn import BNNClassifier, RealClassifier

CLASSIFIERS = {
    "bnn": lambda **options: BNNClassifier("10", **{"epochs": 1, "random_state": 0} | options),
    "real": lambda **options: RealClassifier((10,), **{"epochs": 1, "random_state": 0} | options),
}

pytestmark = pytest.mark.parametrize("make", CLASSIFIERS.values(), ids=CLASSIFIERS)


def test_clone_and_parameters_as_scikit_learn_has_them(make):
    base = pytest.importorskip("sklearn.base")
    classifier = make(learning_rate=0.02)
    clone = base.clone(classifier)
    assert type(clone) is type(classifier)
    assert clone.get_params() == classifier.get_params()
    assert clone.set_params(epochs=7).get_params()["epochs"] == 7


def test_constructor_only_stores(make, blobs):
    classifier = make(epochs=-3)
    assert classifier.epochs == -3
    assert "epochs=-3" in repr(classifier)
    with pytest.raises(ValueError, match="epochs must be a whole number of at least 1, got -3"):
        classifier.fit(*blobs)


def test_unknown_parameter(make):
    with pytest.raises(ValueError, match=r"has no parameter 'epoch'; it has .*epochs"):
        make().set_params(epoch=3)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs must be a whole number of at least 1, got 0"),
        ({"epochs": 2.5}, TypeError, "epochs must be a whole number, got 2.5"),
        ({"batch_size": 1}, ValueError, "batch_size must be a whole number of at least 2"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate must be above 0"),
        ({"learning_rate": np.nan}, ValueError, "learning_rate must be above 0"),
        ({"learning_rate": 1e39}, ValueError, r"at most 3.4e\+38, got 1e\+39"),
        ({"learning_rate": 10**400}, ValueError, r"at most 3.4e\+38, got 10+"),
        ({"learning_rate": "a"}, TypeError, "learning_rate must be a number, got 'a'"),
        ({"learning_rate": True}, TypeError, "learning_rate must be a number, got True"),
        ({"random_state": -1}, ValueError, "random_state must be .* at least 0, got -1"),
        ({"random_state": 0.5}, TypeError, "random_state must be a whole number, got 0.5"),
        ({"n_classes": 10_001}, ValueError, "n_classes must be .* at most 10000, got 10001"),
        ({"n_classes": 1}, ValueError, "n_classes must be a whole number of at least 2"),
        ({"validation": -1}, ValueError, "validation must be a .* at least 0, got -1"),
        ({"validation": 5, "warm_start": True}, ValueError, "images that the fit before it was"),
        (
            {"validation": 1.0},
            ValueError,
            r"validation must be in \[0, 1\), got 1.0; or pass a number of images",
        ),
        ({"validation": np.nan}, ValueError, "validation must be in .*got nan"),
        ({"validation": True}, TypeError, "validation must be a whole number, got True"),
        ({"validation": "a"}, TypeError, "validation must be a number, got 'a'"),
        ({"validation": 160}, ValueError, "160 holds out 160 of 160 images and leaves fewer"),
        ({"validation": 0.999}, ValueError, "0.999 holds out 160 of 160 images and leaves"),
        ({"validation": 159}, ValueError, "leaves fewer than 2 classes .*; hold out fewer"),
        ({"patience": 3}, ValueError, "patience=3 waits .* validation=0 gives none; hold out"),
        ({"patience": 0, "validation": 9}, ValueError, "patience must be .* at least 1, got 0"),
        ({"n_classes": 3}, ValueError, "labels must be integers from 0 to 2"),
    ],
)
def test_bad_parameters(make, options, error, message, blobs):
    with pytest.raises(error, match=message):
        make(**options).fit(*blobs)


def test_bad_data(make, blobs):
    images, labels = blobs
    with pytest.raises(ValueError, match="160 images, labels of shape"):
        make().fit(images, labels[:-1])
    with pytest.raises(ValueError, match="a single class, 1"):
        make().fit(images, np.ones_like(labels))
    with pytest.raises(ValueError, match="a single class, 2"):
        make().fit(images[2:3], labels[2:3])
    with pytest.raises(ValueError, match="images contain NaN"):
        make().fit(np.full((4, 6), np.nan), labels[:4])


def test_labels_that_are_not_the_numbers_of_classes(make, blobs):
    labels = np.arange(20) * 10**9
    with pytest.raises(ValueError, match=r"from 0 to 9999, .* to 19000000000; np.unique"):
        make().fit(blobs[0][:20], labels)
    classifier = make().fit(blobs[0][:20], np.unique(labels, return_inverse=True)[1])
    assert classifier.n_classes_ == 20


def test_classes_without_training_images(make, blobs):
    images, labels = blobs
    classifier = make(n_classes=7, epochs=10, batch_size=20, random_state=1).fit(images, labels)
    assert classifier.n_classes_ == 7
    assert classifier.decision_function(images).shape == (160, 7)
    assert classifier.score(images, labels) > 0.9
    gradient, loss = classifier.loss_gradient(images[:2], np.array([5, 6]))
    assert (gradient != 0).any()
    assert (loss > classifier.loss_gradient(images[:2], labels[:2])[1]).all()


def failures(make, blobs):
    """(parameters that are set, data) with which `fit` raises: at its start, or far into it."""
    with_nan = np.full((4, 6), np.nan)
    yield {"epochs": 0}, blobs
    yield {}, (with_nan, blobs[1][:4])
    yield {"learning_rate": 1e38}, blobs
    if isinstance(make(), BNNClassifier):
        yield {"architecture": "conv3k99", "quant_step": 1.0}, blobs  # wider than the images
        yield {"learning_rate": 1e38, "quant_step": 1.0, "architecture": "12"}, blobs
    else:
        yield {"hidden": (2**30,)}, blobs
        yield {"learning_rate": 1e38, "hidden": (12,)}, blobs


@pytest.mark.parametrize("warm_start", [False, True])
def test_a_failed_fit_changes_nothing(make, warm_start, blobs):
    images, labels = blobs
    classifier = make(warm_start=warm_start, epochs=2).fit(images, labels)
    parameters = classifier.get_params()
    logits, history = classifier.decision_function(images), classifier.history_
    gradient, _ = classifier.loss_gradient(images, labels)
    predicted, random_state = classifier.predict(images), classifier._rng.bit_generator.state
    for change, (other_images, other_labels) in failures(make, blobs):
        with pytest.raises((ValueError, FloatingPointError)):
            classifier.set_params(**change).fit(other_images, other_labels)
        np.testing.assert_array_equal(classifier.decision_function(images), logits)
        np.testing.assert_array_equal(classifier.loss_gradient(images, labels)[0], gradient)
        np.testing.assert_array_equal(classifier.predict(images), predicted)
        assert classifier.history_ is history
        assert classifier._rng.bit_generator.state == random_state
        assert classifier.get_params() == parameters | change  # those are the user's
        classifier.set_params(**parameters)


def test_a_failed_first_fit_leaves_the_classifier_untrained(make, blobs):
    for change, data in failures(make, blobs):
        classifier = make(**change) if "epochs" in change else make().set_params(**change)
        before = dict(vars(classifier))
        with pytest.raises((ValueError, FloatingPointError)):
            classifier.fit(*data)
        assert vars(classifier) == before


@pytest.mark.parametrize("learning_rate", [1e20, 1e30, 1e38, 3e38])
@pytest.mark.parametrize("batch_size", [20, 200])
def test_divergence_is_told_whenever_it_shows(make, learning_rate, batch_size, blobs):
    classifier = make(learning_rate=learning_rate, batch_size=batch_size)
    message = f"training diverged: .*; lower learning_rate (now {learning_rate:g})"
    with pytest.raises(FloatingPointError, match=re.escape(message).replace(r"\.\*", ".*")):
        classifier.fit(*blobs)


def test_use_before_fit(make, blobs):
    for call in (make().decision_function, make().predict):
        with pytest.raises(RuntimeError, match="not trained yet; call fit first"):
            call(blobs[0])


def test_images_of_another_size(make, blobs):
    classifier = make().fit(*blobs)
    with pytest.raises(ValueError, match=r"the network takes images of shape \(1, 28, 28\)"):
        classifier.predict(np.zeros((2, 1, 8, 8), np.uint8))
    with pytest.raises(ValueError, match="labels must be integers from 0 to 3"):
        classifier.loss_gradient(blobs[0][:2], np.array([0, 4]))


def test_score_is_the_share_of_right_predictions(make, blobs):
    images, labels = blobs
    classifier = make(epochs=4).fit(images, labels)
    predicted = classifier.predict(images)
    assert predicted.dtype == np.int64
    assert classifier.score(images, labels) == np.mean(predicted == labels)
    assert classifier.score(images, predicted) == 1


def recording(make, **options):
    """A classifier that remembers what it trains on and what it validates with."""
    kind = type(make())

    class Recording(kind):
        def _objective(self, inputs, images, labels):
            self.trained = inputs, images, labels
            return super()._objective(inputs, images, labels)

        def _validate(self, inputs, images, labels, sample):
            self.held_out, self.sample = (inputs, images, labels), sample
            return super()._validate(inputs, images, labels, sample)

    Recording.__signature__ = inspect.signature(kind)
    first = {"hidden": (10,)} if kind is RealClassifier else {"architecture": "10"}
    return Recording(**first | {"epochs": 2, "random_state": 0} | options)


def rows(images, labels):
    return {(image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)}


@pytest.mark.parametrize(("validation", "count"), [(30, 30), (0.25, 40), (1e-9, 1)])
def test_images_that_are_held_out_are_not_trained_on(make, validation, count, blobs):
    classifier = recording(make, validation=validation).fit(*blobs)
    trained, held_out = rows(*classifier.trained[1:]), rows(*classifier.held_out[1:])
    assert len(held_out) == count
    assert trained | held_out == rows(*blobs)
    assert not trained & held_out
    for inputs, images, _ in (classifier.trained, classifier.held_out):
        np.testing.assert_array_equal(inputs, classifier._inputs(images))
    trained = {row.tobytes() for row in classifier.trained[0]}
    assert {row.tobytes() for row in classifier.sample} <= trained
    assert len(classifier.sample) == (0 if isinstance(classifier, RealClassifier) else len(trained))


def test_held_out_images_follow_the_seed_and_are_no_run_of_neighbours(make, blobs):
    held_out = []
    for seed in (0, 0, 1):
        classifier = recording(make, validation=40, random_state=seed).fit(*blobs)
        held_out.append(rows(*classifier.held_out[1:]))
    assert held_out[0] == held_out[1] != held_out[2]
    assert held_out[0] not in [
        rows(blobs[0][i : i + 40], blobs[1][i : i + 40]) for i in range(0, 121)
    ]


def test_the_network_of_the_best_epoch_is_the_fitted_one(make, blobs):
    images, labels = blobs[0], np.random.default_rng(0).permutation(blobs[1])  # scores vary
    options = {"validation": 60, "epochs": 12, "schedule": "constant", "learning_rate": 0.05}
    classifier = recording(make, **options).fit(images, labels)
    scores = [record["validation"]["score"] for record in classifier.history_]
    best = classifier.best_epoch_
    assert scores[best - 1] == max(scores) > max([0, *scores[best:]])
    again = classifier._validate(*classifier.held_out, classifier.sample)["score"]
    assert again == max(scores)


def test_without_validation_the_last_epoch_is_taken(make, blobs):
    classifier = recording(make, epochs=3).fit(*blobs)
    assert classifier.best_epoch_ == 3
    assert len(classifier.trained[2]) == 160
    assert not hasattr(classifier, "held_out")
    assert all("validation" not in record for record in classifier.history_)


def test_patience_ends_the_training(make, blobs):
    options = {"validation": 60, "patience": 2, "epochs": 50, "learning_rate": 0.05}
    classifier = make(**options).fit(*blobs)
    scores = [record["validation"]["score"] for record in classifier.history_]
    assert len(scores) < 50
    assert max(scores[-2:]) <= max(scores[:-2])
