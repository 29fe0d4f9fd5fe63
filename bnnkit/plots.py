"""Pictures. Each function takes the data object and returns matplotlib Axes.

They work without a display and never call ``show``; a figure is saved with
``ax.figure.savefig`` and, in a script, closed by the caller.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np

from bnnkit._checks import as_images, unit_floats

# colours that colour-blind readers can tell apart (Okabe & Ito), one meaning each
COLOURS = {"robust": "#009E73", "unknown": "#999999", "falsified": "#D55E00", "clean": "#0072B2"}
# lines of several solvers: told apart by colour, and in grey by dashes and markers
_LINES = (
    *(("#0072B2", "-", "o"), ("#D55E00", "--", "s"), ("#009E73", "-.", "^"), ("#000000", ":", "D")),
    *(("#CC79A7", "-", "v"), ("#E69F00", "--", "P"), ("#56B4E9", "-.", "X")),
)
_LARGEST_SHEET = 8
_SHORTEST = 1e-6  # seconds; a clock may say 0, which has no logarithm


def adversarial_sheet(originals, adversarial, labels, predicted):
    """Originals, differences and adversarial images under each other, with both classes.

    Parameters
    ----------
    originals, adversarial : array_like
        Images of the same shape, see `bnnkit.attacks`; the first eight are shown.
    labels, predicted : array_like
        Classes of the originals, and of the adversarial images to the network.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (3, n)
    """
    originals, adversarial = (
        unit_floats(as_images(images[:_LARGEST_SHEET])) for images in (originals, adversarial)
    )
    n = len(originals)
    difference = adversarial - originals
    largest = max(float(np.abs(difference).max()), 1e-9)
    figure, axes = plt.subplots(
        3, n, figsize=(1.6 * n + 1.2, 5.6), layout="constrained", squeeze=False
    )
    for i in range(n):
        _show(axes[0, i], originals[i], f"{labels[i]}")
        _show(axes[1, i], difference[i] / (2 * largest) + 0.5, "", "RdBu_r")
        _show(axes[2, i], adversarial[i], f"seen as {predicted[i]}")
    for ax, name in zip(axes[:, 0], ("original", "difference", "adversarial"), strict=True):
        ax.set_ylabel(name, fontsize=13)
    axes[1, 0].set_ylabel(f"difference\n(±{largest:.2g})", fontsize=13)
    figure.suptitle("Checked adversarial images", fontsize=15)
    return axes


def _show(ax, image, title, colours="gray"):
    """Draw one image (C, H, W) with values in [0, 1]: grey, or colour for three channels."""
    picture = image.transpose(1, 2, 0) if len(image) == 3 else image[0]
    ax.imshow(picture, cmap=colours, vmin=0, vmax=1, interpolation="nearest")
    ax.set_title(title, fontsize=13)
    ax.set_xticks([])
    ax.set_yticks([])


def rounds(history, judge=None, ax=None):
    """Clean accuracy and the three verdicts over the rounds of robust training.

    Parameters
    ----------
    history : bnnkit.robust.History
    judge : str, optional
        Which judge's verdicts; the first one unless given. Where nothing judged, the clean
        accuracy is drawn alone.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
        Clean accuracy is that on all test images, verdicts are shares of those that the
        judge saw; the legend and the title say so.

    Raises
    ------
    ValueError
        If there is no such judge.
    """
    steps = history.rounds
    judges = list(steps[0].judged)
    if judge is not None and judge not in judges:
        raise ValueError(f"there is no judge {judge!r} in this history, but {judges}")
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    x = [step.index for step in steps]
    title = "Robust training"
    if judges:
        judge = judge or judges[0]
        counts = [step.judged[judge] for step in steps]
        _stack_verdicts(ax, x, counts)
        title = f"Verdicts of {judge} on {counts[0].n} test images"
    clean = [100 * step.clean_accuracy for step in steps]
    label = "clean accuracy (all test images)"
    ax.plot(x, clean, "o-", color=COLOURS["clean"], linewidth=2.5, label=label)
    ax.set(xlim=(x[0], max(x[-1], 1)), ylim=(0, 100), xticks=x)
    ax.set_xlabel("round of robust training", fontsize=13)
    ax.set_ylabel("% of images", fontsize=13)
    ax.set_title(f"{title}, eps {history.settings['eps']:.3g}", fontsize=15)
    ax.legend(loc="lower left", fontsize=12)
    return ax


def _stack_verdicts(ax, x, counts):
    """Shares of the judged images, in %, that add up to 100."""
    shares = {
        name: [100 * getattr(count, name) / count.n for count in counts]
        for name in ("robust", "unknown", "falsified")
    }
    colours = [COLOURS[name] for name in shares]
    ax.stackplot(x, shares.values(), labels=shares.keys(), colors=colours, alpha=0.6)


def cactus(comparison, ax=None):
    """How many questions each solver answers if each may take so many seconds.

    Parameters
    ----------
    comparison : bnnkit.comparison.Comparison
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
        A line for each solver, through its answered questions from the fastest to the slowest;
        the further to the right and the lower, the better. The legend has the best one first.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    times = comparison.solved_times()
    order = sorted(times, key=lambda solver: (-len(times[solver]), sum(times[solver])))
    lines = dict(zip(times, itertools.cycle(_LINES)))  # whoever wins, a solver keeps its colour
    for solver in order:
        colour, dashes, marker = lines[solver]
        n = len(times[solver])
        ax.plot(
            range(1, n + 1),
            np.maximum(times[solver], _SHORTEST),
            color=colour,
            linestyle=dashes,
            marker=marker,
            markevery=_marked(n),
            linewidth=2,
            label=f"{solver} ({n})",
        )
    n_questions = max((summary.questions for summary in comparison.summaries), default=1)
    ax.axhline(comparison.timeout, color=COLOURS["unknown"], linewidth=1.5, label="time limit")
    ax.set(yscale="log", xlim=(0, n_questions + 0.5))
    ax.set_xlabel(f"questions answered, of {n_questions}", fontsize=13)
    ax.set_ylabel("seconds for each of them", fontsize=13)
    ax.set_title("Cactus plot", fontsize=15)
    ax.legend(loc="best", fontsize=12)
    return ax


def _marked(n):
    """Which of n points get a marker: about a dozen of them, the last one always."""
    step = max(1, n // 12)
    return ((n - 1) % step, step)
