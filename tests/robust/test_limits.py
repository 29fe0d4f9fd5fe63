import math
from types import SimpleNamespace

import numpy as np
import pytest

from bnnkit.attacks import RandomNoise
from bnnkit.robust import Judge, Live, Noise, train
from bnnkit.robust.limits import Limits

NOISE = RandomNoise(tries=20, low=1, random_state=0)


def run(make_model, data, **options):
    settings = {"eps": 0.1, "rounds": 5, "images_per_round": 20, "judge": NOISE}
    return train(make_model, Noise(), data, **settings | options)


def test_all_rounds(stripes, nearest_mean):
    history = run(nearest_mean, stripes, rounds=2)
    assert len(history.rounds) == 3
    assert history.stopped == "rounds"


def test_seconds_are_looked_at_after_each_round(stripes, nearest_mean):
    class Slow(nearest_mean):
        def fit(self, images, labels):
            deadline.extend([None])
            return super().fit(images, labels)

    deadline = []
    history = run(Slow, stripes, seconds=1e-6)
    assert len(history.rounds) == len(deadline) == 1
    assert history.stopped == "seconds"
    assert run(nearest_mean, stripes, seconds=1000).stopped == "rounds"


def test_the_target_is_a_share_of_a_judge(stripes, nearest_mean):
    shares = [r.judged["RandomNoise"].share for r in run(nearest_mean, stripes).rounds]
    best = max(shares)
    history = run(nearest_mean, stripes, target={"RandomNoise": best})
    assert len(history.rounds) == shares.index(best) + 1
    assert history.stopped == ("target" if best else "rounds")
    unreachable = run(nearest_mean, stripes, target={"RandomNoise": best, "clean": 1.0})
    shares = [(r.judged["RandomNoise"].share, r.clean_accuracy) for r in unreachable.rounds]
    both = [share >= best and clean == 1.0 for share, clean in shares]
    assert unreachable.stopped == ("target" if any(both) else "rounds")
    assert len(unreachable.rounds) == (both.index(True) + 1 if any(both) else 6)


def test_the_last_image(stripes, nearest_mean):
    source = Live(NOISE, refill=True)
    history = train(nearest_mean, source, stripes, eps=0.1, rounds=6, images_per_round=30)
    assert history.stopped == "images"
    assert sum(r.n_attacked for r in history.rounds) == 200
    assert [r.n_added for r in history.rounds[1:-1]] == [30] * (len(history.rounds) - 2)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rounds": -1}, ValueError, "rounds must be a whole number of at least 0, got -1"),
        ({"seconds": 0}, ValueError, r"seconds must be in \(0, inf\), got 0"),
        ({"seconds": math.nan}, ValueError, r"seconds must be in \(0, inf\), got nan"),
        ({"target": 0.9}, TypeError, "target must be a dict such as"),
        (
            {"target": {"RandomNoise": 90}},
            ValueError,
            r"target\['RandomNoise'\] must be in \[0, 1\]",
        ),
        ({"target": {"PGD": 0.9}}, ValueError, r"names 'PGD', but what is judged is \['clean', 'R"),
    ],
)
def test_mistakes(stripes, options, error, message):
    with pytest.raises(error, match=message):
        run(lambda: pytest.fail("a model was made"), stripes, **options)


def test_the_names_of_several_models(stripes, nearest_mean):
    judges = {"each": NOISE, "vote": Judge(NOISE, against="vote")}
    makers = [nearest_mean, nearest_mean]
    for name in ("each[0]", "each[1]", "vote", "clean", "clean[1]"):
        history = run(makers, stripes, judge=judges, target={name: 0.0})
        assert history.stopped == "target"
        assert len(history.rounds) == 1
    with pytest.raises(ValueError, match=r"names 'each', but"):
        run(makers, stripes, judge=judges, target={"each": 0.0})


def test_what_is_left(stripes, nearest_mean):
    history = SimpleNamespace(seconds=np.float64(3.0))
    assert Limits(1, 5.0, {}).left(history) == 2.0
    assert Limits(1, None, {}).left(history) == math.inf
