import numpy as np
import pytest

from bnnkit import plots
from bnnkit.assess import MinimalEpsilons, QuantisationStudy, ResistanceCurve, Strip
from bnnkit.robust import Counts, History, Round


@pytest.fixture(autouse=True)
def closed_figures():
    import matplotlib

    matplotlib.use("Agg")
    yield
    plots.plt.close("all")


@pytest.fixture
def history():
    """A function (n_rounds, judged=True) -> History of 40 judged images a round, eps 0.3."""

    def make(n_rounds, judged=True):
        counts = [Counts(20 + i, 15 - i, 5, True, 1.0, eps=0.3) for i in range(n_rounds)]
        clean = {"clean": Counts(180, 20, 0, False, 0.1)}
        seconds = {"attack": 1.0, "fit": 2.0, "judge": 0.5}
        rounds = [
            Round(i, 10, 5, 0, 100 + 5 * i, 0.9, {"exact": each} if judged else {}, seconds, clean)
            for i, each in enumerate(counts)
        ]
        return History({"eps": 0.1}, rounds)

    return make


@pytest.fixture
def curve():
    """Five images, three radii: 4, 2, 0 robust; 0, 1, 1 unknown; the rest falsified."""
    rows = ["rrrru", "rruff", "uffff"]
    names = {"r": "robust", "u": "unknown", "f": "falsified"}
    status = np.array([[names[letter] for letter in row] for row in rows])
    answers = np.where(np.arange(5) == 4, "", status)
    seconds = np.where(answers == "", 0.0, 0.25)
    settings = {"solver": "native", "timeout": 2.0}
    eps = np.array([0.05, 0.1, 0.3])
    return ResistanceCurve(eps, status, answers, seconds, np.arange(5), settings)


@pytest.fixture
def minimal():
    """Four images, one of them undecided between 0.1 and 0.3, one robust everywhere."""
    lower, upper = np.array([0.0, 0.1, 0.2, 0.5]), np.array([0.0, 0.3, 0.2, np.inf])
    decided = np.array([True, False, True, True])
    return MinimalEpsilons(lower, upper, decided, np.ones(4), np.arange(4), 0.5, {})


def strip_of(axis, values, channels):
    rng = np.random.default_rng(0)
    original = rng.integers(0, 256, (channels, 4, 4)).astype(np.uint8)
    images = np.stack([original / np.float32(255)] * 3)
    images[1:, :, 0, 0] = 1 - images[1:, :, 0, 0]
    status = np.array(["robust", "falsified", "unknown"])
    predicted = np.array([7, 3, 7])
    return Strip(axis, values, original, 7, images, predicted, status, np.round(images))


@pytest.fixture
def strips(request):
    """One over eps and one over steps: robust, falsified, unknown; one channel or so many."""
    channels = getattr(request, "param", 1)
    return (
        strip_of("eps", ["0.1", "0.2", "0.3"], channels),
        strip_of("step", ["1/4", "1/2", "1"], channels),
    )


@pytest.fixture
def study(curve):
    """Three steps, five images."""
    images = np.random.default_rng(0).integers(0, 256, (5, 1, 2, 2)).astype(np.uint8)
    return QuantisationStudy(
        steps=["1/10", "1/4", "1"],
        eps=0.1,
        right=np.array([90, 80, 70]),
        n_test=100,
        status=curve.status,
        stage=np.full((3, 5), "solver"),
        seconds=np.arange(1.0, 16.0).reshape(3, 5),
        fit_seconds=np.ones(3),
        adversarial=np.stack([1 - images / np.float32(255)] * 3),
        predicted=np.zeros((3, 5), np.int64),
        originals=images,
        labels=np.arange(5),
        settings={},
    )
