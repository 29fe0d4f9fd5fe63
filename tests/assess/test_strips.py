import numpy as np
import pytest

from bnnkit import verify
from bnnkit.assess import eps_strip


def test_a_strip_holds_the_answers_of_verify(question):
    network, images, labels = question(2)
    image, label = images[1], labels[1]
    eps = [0.01, 0.2, 0.5, 1.0]
    strip = eps_strip(network, image, label, eps)
    assert strip.values == ["0.01", "0.2", "0.5", "1.0"]
    for k, radius in enumerate(eps):
        verdict = verify(network, image, label, radius)
        assert strip.status[k] == verdict.status
        found = verdict.status == "falsified"
        assert (network.predict(strip.images[k][None])[0] != label) == found
        assert np.abs(strip.images[k] - image / 255).max() <= (radius + 6e-8 if found else 6e-8)
    levels = network.quantiser.levels(image)
    assert (network.quantiser.levels(strip.seen[0].astype(np.float64)) == levels).all()
    assert strip.rows()[1][0][2] == strip.status[0]


def test_no_radius_is_an_error(question):
    network, images, labels = question(2)
    with pytest.raises(ValueError, match="at least one radius"):
        eps_strip(network, images[0], labels[0], [])
