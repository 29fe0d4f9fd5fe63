"""Pictures of robust training, round by round."""

import numpy as np

from bnnkit.assess import wilson
from bnnkit.plots.style import (
    COLOURS,
    HATCHES,
    LABEL,
    SHADES,
    labelled,
    legend_beside,
    line_styles,
    new_axes,
    numbered,
)
from bnnkit.robust.history import ANSWERS

STACKED = ("robust", "detected", "unknown", "falsified")  # from the bottom
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
        judge saw; the legend and the title say so. What a judge that proves nothing leaves
        over is called "not fooled".

    Raises
    ------
    ValueError
        If there is no such judge.

    Examples
    --------
    >>> from bnnkit import plots
    >>> from bnnkit.robust import Counts, History, Round
    >>> history = History({"eps": 0.1}, [
    ...     Round(i, 0, 0, 0, 500, 0.9, {"exact": Counts(n, 40 - n, 0, True, 1.0)}, {"fit": 1.0})
    ...     for i, n in enumerate([10, 20, 25])
    ... ])
    >>> ax = plots.rounds(history)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('round of robust training', '% of images')
    """
    steps = history.rounds
    judge = _judge_of(history, judge)
    ax = new_axes(ax, width=9.5)
    x = [step.index for step in steps]
    title = "Robust training"
    counts = []
    if judge is not None:
        counts = [step.judged[judge] for step in steps]
        stack_verdicts(ax, x, _columns(counts), counts[0].complete)
        title = f"Verdicts of {judge} on {counts[0].n} test images"
    clean = [100 * step.clean_accuracy for step in steps]
    label = "clean accuracy\n(all test images)"
    ax.plot(x, clean, "o-", color=COLOURS["clean"], linewidth=2.5, label=label)
    ax.set(xlim=(x[0], max(x[-1], 1)), ylim=(0, 100), xticks=x)
    title = f"{title}, eps {history.settings['eps']:.3g}"
    labelled(ax, title, "round of robust training", "% of images")
    legend_beside(ax)
    columns = _columns(counts) if counts else {}
    header = ("round", "train_images", "clean_accuracy", *columns)
    known = ([step.n_train for step in steps], [step.clean_accuracy for step in steps])
    return numbered(ax, header, list(zip(x, *known, *columns.values(), strict=True)))


def _columns(counts):
    """For each answer its numbers; what a detector detected only where there is some."""
    columns = {name: [getattr(each, name) for each in counts] for name in ANSWERS}
    if not any(columns["detected"]):
        del columns["detected"]
    return columns


def stack_verdicts(ax, x, counts, proved=True):
    """Shares of the judged images, in %, that add up to 100; `counts` for each status."""
    total = np.sum(list(counts.values()), axis=0)
    shares = {name: 100 * np.asarray(counts[name]) / total for name in STACKED if name in counts}
    areas = ax.stackplot(
        x,
        shares.values(),
        labels=[_said(name, proved) for name in shares],
        colors=[COLOURS[name] for name in shares],
    )
    for name, area in zip(shares, areas, strict=True):
        area.set(alpha=SHADES[name], hatch=HATCHES.get(name), edgecolor="white", linewidth=0)


def _said(status, proved):
    """What a status is called: who proves nothing calls nothing robust."""
    return status if proved or status != "robust" else "not fooled"


def runs(histories, judge=None, ax=None):
    """Clean accuracy and what withstands a judge, round by round, of several runs.

    Parameters
    ----------
    histories : dict of str to bnnkit.robust.History
        Such as ``{"live": ..., "premade": ...}``, or networks of both kinds.
    judge : str, optional
        Whose verdicts; the first of the first run unless given. All runs must have it.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
        Thick lines are the share of the judged images that is robust, or not fooled where the
        judge proves nothing (detected ones included); thin lines of the same colour are the
        clean accuracy on all test images.

    Examples
    --------
    >>> from bnnkit import plots
    >>> from bnnkit.robust import Counts, History, Round
    >>> def run(*robust):
    ...     return History({"eps": 0.1}, [
    ...         Round(i, 0, 0, 0, 500, 0.9, {"exact": Counts(n, 40 - n, 0, True, 1.0)}, {})
    ...         for i, n in enumerate(robust)
    ...     ])
    >>> ax = plots.runs({"live": run(10, 20, 25), "noise": run(10, 12, 11)})
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['live: robust', 'live: clean', 'noise: robust', 'noise: clean']
    """
    ax, numbers = new_axes(ax, width=9.5), []
    for (name, history), style in zip(
        histories.items(), line_styles(histories).values(), strict=True
    ):
        judge = _judge_of(history, judge)
        if judge is None:
            raise ValueError(f"nothing judged the run {name!r}")
        x = [step.index for step in history.rounds]
        counts = [step.judged[judge] for step in history.rounds]
        clean = [step.clean_accuracy for step in history.rounds]
        withstood, said = [100 * each.share for each in counts], _said("robust", counts[0].complete)
        ax.plot(x, withstood, linewidth=2.5, label=f"{name}: {said}", **style)
        thin = style | {"linewidth": 1, "markersize": 3}
        ax.plot(x, [100 * each for each in clean], label=f"{name}: clean", **thin)
        for step, count, right in zip(x, counts, clean, strict=True):
            good = count.robust + count.detected
            numbers.append((name, judge, step, right, good, count.n, *wilson(good, count.n)))
    ax.set_ylim(0, 100)
    ax.xaxis.get_major_locator().set_params(integer=True)
    labelled(ax, f"Images that withstand {judge}", "round of robust training", "% of images")
    legend_beside(ax)
    header = ("run", "judge", "round", "clean_accuracy", "withstood", "n", "low", "high")
    return numbered(ax, header, numbers)


def _judge_of(history, judge):
    """The judge of that name, or the first one if None; None if there is none."""
    judges = list(history.rounds[0].judged)
    if judge is not None and judge not in judges:
        raise ValueError(f"there is no judge {judge!r} in this history, but {judges}")
    return judge or next(iter(judges), None)


def round_times(history, ax=None):
    """Seconds of each round of robust training: attack, fit and judge on top of each other.

    Parameters
    ----------
    history : bnnkit.robust.History
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from bnnkit import plots
    >>> from bnnkit.robust import History, Round
    >>> seconds = {"attack": 1.0, "fit": 2.0, "judge": 0.5}
    >>> ax = plots.round_times(History({}, [Round(0, 0, 0, 0, 500, 0.9, {}, seconds)]))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['attack', 'fit', 'judge']
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
