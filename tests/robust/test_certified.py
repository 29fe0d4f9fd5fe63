import numpy as np
import pytest

from bnnkit import BNNClassifier, datasets, verify_all
from bnnkit.robust import Certified


@pytest.fixture(scope="module")
def fitted():
    digits = datasets.load("digits")
    classifier = BNNClassifier("16", quant_step=0.3, epochs=5, mask_decay=1e-3, random_state=0)
    return classifier.fit(digits.train.images, digits.train.labels).network_, digits.test


def test_the_share_of_the_first_images_that_is_proved(fitted):
    network, test = fitted
    verdicts = verify_all(network, test.images[:40], test.labels[:40], 0.1)
    share = Certified(0.1, n_images=40, timeout=60.0)(network, test.images, test.labels)
    assert share == verdicts.certified_accuracy
    assert 0 < share < 1


def test_fewer_images_than_asked_for(fitted):
    network, test = fitted
    images, labels = test.images[:7], test.labels[:7]
    right = np.mean(network.predict(images) == labels)
    assert Certified(0.0, n_images=1000, timeout=60.0)(network, images, labels) == right


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"eps": 8}, ValueError, "eps must be in"),
        ({"eps": 0.1, "n_images": 0}, ValueError, "n_images"),
        ({"eps": 0.1, "timeout": 0}, ValueError, r"timeout must be in \(0, inf\), got 0"),
        ({"eps": 0.1, "timeout": float("nan")}, ValueError, "timeout must be in .*, got nan"),
        ({"eps": 0.1, "timeout": "1"}, TypeError, "timeout"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        Certified(**options)
