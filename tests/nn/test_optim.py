import itertools

import numpy as np
import pytest

from bnnkit.nn.optim import SCHEDULES, Adam, Parameter, cosine_decay, get_schedule


def plain_adam(value, gradients, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """The update as the paper writes its efficient form, in float64."""
    m = v = np.zeros_like(value)
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        step = rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        value = value - step * m / (np.sqrt(v) + epsilon)
    return value


def test_adam_follows_the_paper(rng):
    value, gradients = rng.normal(size=(3, 5)), rng.normal(size=(20, 3, 5))
    parameter = Parameter(value)
    optimiser = Adam([parameter])
    for gradient in gradients:
        parameter.gradient[:] = gradient
        optimiser.step(0.01)
    expected = plain_adam(value.astype(np.float32).astype(np.float64), gradients, 0.01)
    np.testing.assert_allclose(parameter.value, expected, rtol=1e-5, atol=1e-6)


def test_limit_clips_after_the_step():
    free, bounded = Parameter([0.95, -0.95]), Parameter([0.95, -0.95], limit=1)
    optimiser = Adam([free, bounded])
    for parameter in (free, bounded):
        parameter.gradient[:] = [-1, 1]
    optimiser.step(0.1)
    np.testing.assert_allclose(free.value, [1.05, -1.05], rtol=1e-5)
    np.testing.assert_array_equal(bounded.value, [1, -1])


def test_cosine_decay_starts_full_falls_and_ends_near_zero():
    rates = [cosine_decay(0.5, step, 100) for step in range(100)]
    assert rates[0] == 0.5
    assert all(after < before for before, after in itertools.pairwise(rates))
    assert 0 < rates[-1] < 0.5e-3
    assert rates[50] == pytest.approx(0.25)


def test_constant_schedule_is_constant():
    schedule = get_schedule("constant")
    assert {schedule(0.5, step, 100) for step in range(100)} == {0.5}


@pytest.mark.parametrize("name", ["linear", None, ["cosine"]])
def test_unknown_schedules_are_answered_with_the_names(name):
    with pytest.raises(ValueError, match=f"one of {', '.join(SCHEDULES)}, got"):
        get_schedule(name)
