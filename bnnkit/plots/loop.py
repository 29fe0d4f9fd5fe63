"""Pictures of robust training, round by round."""

import numpy as np

from bnnkit.assess import wilson
from bnnkit.assess._radius import eps_text
from bnnkit.plots.style import (
    COLOURS,
    HATCHES,
    LABEL,
    SHADES,
    intervals,
    labelled,
    legend_below,
    legend_beside,
    line_styles,
    new_axes,
    new_panels,
    numbered,
    reach,
)
from bnnkit.robust.history import ANSWERS

STACKED = ("robust", "detected", "unknown", "between", "falsified")  # from the bottom
_ROUND = "round of robust training"
_CLEAN = ("clean_accuracy", "clean_low", "clean_high")
_MARGIN = 0.08  # of a round, for bars at both ends
_APART = 0.08  # of a round, from run to run
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
        judge saw; the legend and the title say so, and the title has the judge's eps. What a
        judge that proves nothing leaves over is called "not fooled". Bars are 95 % intervals.

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
    title = f"Robust training, eps {eps_text(history.settings['eps'])}"
    counts = []
    if judge is not None:
        counts = [step.judged[judge] for step in steps]
        stack_verdicts(ax, x, _columns(counts), counts[0].complete)
        _verdict_intervals(ax, x, counts)
        title = f"Verdicts of {judge} on {_sample(counts[0])}"
    clean = [100 * step.clean_accuracy for step in steps]
    label = "clean accuracy\n(all test images)"
    style = {"color": COLOURS["clean"], "linewidth": 2.5, "elinewidth": 1, "capsize": 3}
    ax.errorbar(x, clean, _clean_reach(steps), fmt="o-", label=label, **style)
    ax.set(xlim=(x[0] - _MARGIN, max(x[-1], 1) + _MARGIN), ylim=(0, 100), xticks=x)
    labelled(ax, title, _ROUND, "% of images")
    legend_beside(ax)
    return numbered(ax, *_round_rows(steps, judge))


def _sample(counts):
    """What was judged: so many images, and how they were attacked."""
    if counts.eps is None:  # fixed ones, such as a pool
        return f"{counts.n} images"
    return f"{counts.n} test images, eps {eps_text(counts.eps)}"


def _verdict_intervals(ax, x, counts):
    """Bars where the areas meet: of what withstood, and of what is not falsified."""
    n = np.array([each.n for each in counts])
    withstood = np.array([each.robust + each.detected for each in counts])
    possible = n - [each.falsified for each in counts]
    intervals(ax, np.array(x), withstood, possible, n)


def _clean_reach(steps):
    """See `reach`; None where it is not known how many test images there were."""
    counts = [step.clean.get("clean") for step in steps]
    if None in counts:
        return None
    return reach([each.robust for each in counts], [each.n for each in counts])


def _round_rows(steps, judge):
    """Header and rows of the numbers of `rounds`."""
    header = ("round", "train_images", *_CLEAN)
    rows = [(step.index, step.n_train, *_clean(step)) for step in steps]
    if judge is None:
        return header, rows
    counts = [step.judged[judge] for step in steps]
    header += ("judge", "eps", "n")
    rows = [(*row, judge, _eps(each), each.n) for row, each in zip(rows, counts, strict=True)]
    for name, found in _columns(counts).items():
        header += (name, f"{name}_low", f"{name}_high")
        parts = zip(rows, found, *wilson(found, [each.n for each in counts]), strict=True)
        rows = [(*row, *rest) for row, *rest in parts]
    return header, rows


def _clean(step):
    """What `_CLEAN` names; without the interval where the number of test images is not known."""
    counts = step.clean.get("clean")
    interval = ("", "") if counts is None else wilson(counts.robust, counts.n)
    return step.clean_accuracy, *interval


def _eps(counts):
    return "" if counts.eps is None else counts.eps


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
    if status == "between":
        return "not asked"
    return status if proved or status != "robust" else "not fooled"


def runs(histories, judge=None):
    """What withstands a judge, and the clean accuracy, round by round, of several runs.

    Parameters
    ----------
    histories : dict of str to bnnkit.robust.History
        Such as ``{"live": ..., "premade": ...}``, or networks of both kinds.
    judge : str, optional
        Whose verdicts; the first of the first run unless given. All runs must have it.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (2,)
        The share of the judged images that is robust, or not fooled where the judge proves
        nothing (detected ones included); and the clean accuracy on all test images. Bars are
        95 % intervals. Runs stand a little beside each other, so that none hides another.

    Examples
    --------
    >>> from bnnkit import plots
    >>> from bnnkit.robust import Counts, History, Round
    >>> def run(*robust):
    ...     return History({"eps": 0.1}, [
    ...         Round(i, 0, 0, 0, 500, 0.9, {"exact": Counts(n, 40 - n, 0, True, 1.0)}, {})
    ...         for i, n in enumerate(robust)
    ...     ])
    >>> axes = plots.runs({"live": run(10, 20, 25), "noise": run(10, 12, 11)})
    >>> [ax.get_ylabel() for ax in axes]
    ['% robust, of 40 images', '% right, of all test images']
    """
    left, right = axes = new_panels(2)
    rows, samples, said = [], {}, {}
    apart = min(_APART, 0.5 / len(histories))
    styles = line_styles(histories).values()
    for i, ((name, history), style) in enumerate(zip(histories.items(), styles, strict=True)):
        judge = _judge_of(history, judge)
        if judge is None:
            raise ValueError(f"nothing judged the run {name!r}")
        steps, counts = history.rounds, [step.judged[judge] for step in history.rounds]
        good, n = [each.robust + each.detected for each in counts], [each.n for each in counts]
        x = np.array([step.index for step in steps]) + (i - (len(histories) - 1) / 2) * apart
        style |= {"label": name, "linewidth": 2, "elinewidth": 1}
        left.errorbar(x, [100 * each.share for each in counts], reach(good, n), **style)
        clean = [100 * step.clean_accuracy for step in steps]
        right.errorbar(x, clean, _clean_reach(steps), **style)
        samples[_sample(counts[0])] = said[_said("robust", counts[0].complete)] = None
        for step, each, *found in zip(steps, counts, good, n, *wilson(good, n), strict=True):
            rows.append((name, judge, _eps(each), step.index, *_clean(step), *found))
    for ax in axes:
        ax.set_ylim(0, 100)
        ax.xaxis.get_major_locator().set_params(integer=True)
    share = f"% {' or '.join(said)}, of {' or '.join(samples)}"
    labelled(left, f"Judged by {judge}", _ROUND, share)
    labelled(right, "Clean accuracy", _ROUND, "% right, of all test images")
    legend_below(axes)
    header = ("run", "judge", "eps", "round", *_CLEAN, "withstood", "n", "low", "high")
    return numbered(axes, header, rows)


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
    ax.set_ylim(bottom=0)
    total = f"{bottom.sum():.3g} s in all"
    labelled(ax, f"Time of robust training, {total}", _ROUND, "seconds")
    ax.legend(loc="best", fontsize=LABEL)
    rows = [
        (step.index, *(step.seconds.get(stage, 0.0) for stage in _STAGES))
        for step in history.rounds
    ]
    return numbered(ax, ("round", *_STAGES), rows)
