import numpy as np
import pytest

from bnnkit import plots
from bnnkit.robust import Counts, History, Round


@pytest.fixture(autouse=True)
def closed_figures():
    import matplotlib

    matplotlib.use("Agg")
    yield
    matplotlib.pyplot.close("all")


def history(n_rounds, judged=True):
    verdicts = [{"exact": Counts(20 + i, 15 - i, 5, True, 1.0)} if judged else {} for i in range(9)]
    rounds = [Round(i, 10, 5, 0, 100 + 5 * i, 0.9, verdicts[i], {}) for i in range(n_rounds)]
    return History({"eps": 0.1}, rounds)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("n", [1, 3, 20])
def test_sheet_shows_original_difference_and_adversarial(channels, n):
    rng = np.random.default_rng(0)
    originals = rng.integers(0, 256, (n, channels, 5, 5)).astype(np.uint8)
    adversarial = np.clip(originals / 255 + rng.choice([-0.1, 0.1], originals.shape), 0, 1)
    axes = plots.adversarial_sheet(originals, adversarial, range(n), range(1, n + 1))
    assert axes.shape == (3, min(n, 8))
    assert axes[0, 0].get_title() == "0"
    assert axes[2, 0].get_title() == "seen as 1"
    shown = axes[2, -1].images[0].get_array().reshape(5, 5, channels)
    assert np.allclose(shown, adversarial[min(n, 8) - 1].transpose(1, 2, 0), atol=1e-6)
    middle = axes[1, 0].images[0].get_array()
    assert 0 <= middle.min() <= middle.max() <= 1


@pytest.mark.parametrize("n_rounds", [1, 4])
def test_rounds_show_shares_that_add_up(n_rounds):
    ax = plots.rounds(history(n_rounds))
    top = ax.collections[-1].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(100)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "robust",
        "unknown",
        "falsified",
        "clean accuracy (all test images)",
    ]
    assert ax.get_ylabel() == "% of images"
    assert ax.get_title() == "Verdicts of exact on 40 test images, eps 0.1"
    assert ax.lines[0].get_ydata().tolist() == [90] * n_rounds


def test_without_a_judge_there_is_the_clean_accuracy():
    ax = plots.rounds(history(3, judged=False))
    assert ax.lines[0].get_ydata().tolist() == [90] * 3
    assert not ax.collections
    assert ax.get_title() == "Robust training, eps 0.1"


def test_an_unknown_judge_is_named():
    with pytest.raises(
        ValueError, match=r"there is no judge 'pgd' in this history, but \['exact'\]"
    ):
        plots.rounds(history(2), judge="pgd")


def test_an_existing_axes_is_used():
    _, ax = plots.plt.subplots()
    assert plots.rounds(history(2), judge="exact", ax=ax) is ax
