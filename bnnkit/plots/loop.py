"""Pictures of robust training, round by round."""

import numpy as np

from bnnkit.plots.style import (
    COLOURS,
    HATCHES,
    LABEL,
    SHADES,
    labelled,
    legend_beside,
    new_axes,
    numbered,
)
from bnnkit.verification.verdict import STATUSES

STACKED = ("robust", "unknown", "falsified")  # from the bottom
_STAGES = {"attack": ("#E69F00", "//"), "fit": ("#0072B2", ""), "judge": ("#999999", "..")}


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
    ax = new_axes(ax, width=9.5)
    x = [step.index for step in steps]
    title = "Robust training"
    counts = []
    if judges:
        judge = judge or judges[0]
        counts = [step.judged[judge] for step in steps]
        stack_verdicts(ax, x, {name: [getattr(each, name) for each in counts] for name in STATUSES})
        title = f"Verdicts of {judge} on {counts[0].n} test images"
    clean = [100 * step.clean_accuracy for step in steps]
    label = "clean accuracy\n(all test images)"
    ax.plot(x, clean, "o-", color=COLOURS["clean"], linewidth=2.5, label=label)
    ax.set(xlim=(x[0], max(x[-1], 1)), ylim=(0, 100), xticks=x)
    title = f"{title}, eps {history.settings['eps']:.3g}"
    labelled(ax, title, "round of robust training", "% of images")
    legend_beside(ax)
    header = ("round", "train_images", "clean_accuracy", *STATUSES)
    numbers = [
        (
            *(step.index, step.n_train, step.clean_accuracy),
            *(getattr(counts[i], name) if counts else "" for name in STATUSES),
        )
        for i, step in enumerate(steps)
    ]
    return numbered(ax, header, numbers)


def stack_verdicts(ax, x, counts):
    """Shares of the judged images, in %, that add up to 100; `counts` for each status."""
    total = np.sum([counts[name] for name in STACKED], axis=0)
    shares = {name: 100 * np.asarray(counts[name]) / total for name in STACKED}
    areas = ax.stackplot(
        x,
        shares.values(),
        labels=shares.keys(),
        colors=[COLOURS[name] for name in shares],
    )
    for name, area in zip(shares, areas, strict=True):
        area.set(alpha=SHADES[name], hatch=HATCHES.get(name), edgecolor="white", linewidth=0)


def round_times(history, ax=None):
    """Seconds of each round of robust training: attack, fit and judge on top of each other.

    Parameters
    ----------
    history : bnnkit.robust.History
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    x = [step.index for step in history.rounds]
    bottom = np.zeros(len(x))
    for stage, (colour, hatch) in _STAGES.items():
        seconds = np.array([step.seconds.get(stage, 0.0) for step in history.rounds])
        style = {"color": colour, "hatch": hatch, "edgecolor": "white"}
        ax.bar(x, seconds, bottom=bottom, label=stage, **style)
        bottom += seconds
    ax.set_xticks(x)
    total = f"{bottom.sum():.3g} s in all"
    labelled(ax, f"Time of robust training, {total}", "round of robust training", "seconds")
    ax.legend(loc="best", fontsize=LABEL)
    rows = [
        (step.index, *(step.seconds.get(stage, 0.0) for stage in _STAGES))
        for step in history.rounds
    ]
    return numbered(ax, ("round", *_STAGES), rows)
