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
    with pytest.raises(ValueError, match="epochs must be at least 1, got -3"):
        classifier.fit(*blobs)


def test_unknown_parameter(make):
    with pytest.raises(ValueError, match=r"has no parameter 'epoch'; it has .*epochs"):
        make().set_params(epoch=3)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs must be at least 1, got 0"),
        ({"epochs": 2.5}, TypeError, "epochs must be a whole number, got 2.5"),
        ({"batch_size": 1}, ValueError, "batch_size must be at least 2"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate must be above 0"),
        ({"learning_rate": np.nan}, ValueError, "learning_rate must be above 0"),
        ({"n_classes": 1}, ValueError, "n_classes must be at least 2"),
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
