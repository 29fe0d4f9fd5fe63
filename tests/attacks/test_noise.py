import numpy as np
import pytest

from bnnkit.attacks import RandomNoise


def test_noise_finds_no_more_than_there_is(linear_case):
    model, images, labels = linear_case
    result = RandomNoise(tries=50, random_state=0)(model, images, labels, 0.2)
    vulnerable = model.vulnerable(images, labels, 0.2)
    assert 0 < result.success.sum() < vulnerable.sum()
    assert not (result.success & ~vulnerable).any()
    assert not result.undecided.any()


def test_more_tries_find_more(linear_case):
    model, images, labels = linear_case
    few, many = (RandomNoise(n, random_state=0)(model, images, labels, 0.2) for n in (1, 50))
    assert few.success.sum() < many.success.sum()
    # the first draw is the same, and a success is kept
    assert many.success[few.success].all()
    assert (many.adversarial[few.success] == few.adversarial[few.success]).all()


def test_corners_find_more_than_uniform_noise(linear_case):
    model, images, labels = linear_case
    uniform, corners = (
        RandomNoise(20, low=low, random_state=0)(model, images, labels, 0.2) for low in (0, 1)
    )
    assert uniform.success.sum() < corners.success.sum()


def test_a_seed_repeats_the_noise(linear_case):
    first, again, other = (
        RandomNoise(random_state=seed)(*linear_case, 0.1).adversarial for seed in (5, 5, 6)
    )
    assert (first == again).all()
    assert (first != other).any()
    unseeded = [RandomNoise()(*linear_case, 0.1).adversarial for _ in range(2)]
    assert (np.abs(unseeded[0] - unseeded[1]) > 0).any()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"tries": 0}, ValueError),
        ({"tries": 1.5}, TypeError),
        ({"low": -0.1}, ValueError),
        ({"low": 1.5}, ValueError),
        ({"low": "0"}, TypeError),
        ({"random_state": -1}, ValueError),
        ({"random_state": "0"}, TypeError),
    ],
)
def test_mistakes(options, error):
    with pytest.raises(error, match=f"^{next(iter(options))} "):
        RandomNoise(**options)
