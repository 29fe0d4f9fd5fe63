"""Pictures of robustness over eps: stacked verdicts, minimal eps, times."""

import numpy as np

from bnnkit.assess import MinimalEpsilons, ResistanceCurve, wilson
from bnnkit.plots.loop import stack_verdicts
from bnnkit.plots.style import (
    COLOURS,
    SMALL,
    labelled,
    legend_beside,
    line_styles,
    named,
    new_axes,
    new_row,
    numbered,
)

_MOST_TICKS = 12


def resistance(curves, ax=None):
    """Robust, unknown and falsified images for each eps, as stacked areas.

    Parameters
    ----------
    curves : bnnkit.assess.ResistanceCurve, or dict of str to ResistanceCurve
        One Axes for each; `ax` is for a single one.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes, or ndarray of them for a dict
        The bars are 95 % intervals: of the robust share, and of the falsified share where it
        is not the rest. Between the measured eps, at the ticks, the lines are drawn straight.

    Examples
    --------
    >>> from bnnkit import plots
    >>> from bnnkit.assess import ResistanceCurve
    >>> status = np.array([["robust", "robust"], ["robust", "unknown"], ["falsified", "unknown"]])
    >>> eps, labels = np.array([0.1, 0.2, 0.3]), np.array([3, 8])
    >>> ax = plots.resistance(ResistanceCurve(eps, status, status, np.ones((3, 2)), labels, {}))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['robust', 'unknown', 'falsified', '95 % interval']
    """
    found = named(curves, ResistanceCurve)
    single = not isinstance(curves, dict)
    axes = [new_axes(ax, width=9.5)] if single else new_row(len(found), sharey=True)
    for each, (name, curve) in zip(axes, found.items(), strict=True):
        _resistance(each, name, curve)
    legend_beside(axes[-1])
    header = ("model", *next(iter(found.values())).rows()[0])
    rows = [(name, *row) for name, curve in found.items() for row in curve.rows()[1]]
    numbered(axes, header, rows)
    return axes[0] if single else axes


def _resistance(ax, name, curve):
    counts, n = curve.counts, curve.n
    stack_verdicts(ax, curve.eps, counts)
    _interval(ax, curve.eps, counts["robust"], n, label="95 % interval")
    if counts["unknown"].any():
        _interval(ax, curve.eps, n - counts["falsified"], n)
    margin = 0.02 * (curve.eps[-1] - curve.eps[0]) or 0.01  # room for the bars at both ends
    ax.set(ylim=(0, 100), xlim=(curve.eps[0] - margin, curve.eps[-1] + margin))
    if len(curve.eps) <= _MOST_TICKS:
        ax.set_xticks(curve.eps, [f"{eps:.3g}" for eps in curve.eps], rotation=45)
    title = f"{name}: {n} images" if name else f"Verdicts on {n} images"
    labelled(ax, title, "eps", "% of images")


def _interval(ax, x, count, n, label=None):
    low, high = wilson(count, n)
    share = count / n
    reach = 100 * np.maximum(np.array([share - low, high - share]), 0)
    style = {"color": "black", "marker": "o", "markersize": 4, "capsize": 3}
    ax.errorbar(x, 100 * share, reach, label=label, **style)


def minimal_epsilons(found, ax=None):
    """How many images are misclassified within eps, for every eps at once.

    Parameters
    ----------
    found : bnnkit.assess.MinimalEpsilons, or dict of str to MinimalEpsilons
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
        The line is what is falsified. The dark band goes up to what is not proved robust: it
        is what is unknown. The light band is the 95 % interval of both.

    Examples
    --------
    >>> from bnnkit import plots
    >>> from bnnkit.assess import MinimalEpsilons
    >>> from bnnkit.verification import MinimalEpsilon
    >>> found = [MinimalEpsilon(0.1, 0.1), MinimalEpsilon(0.2, 0.3, reason="timeout")]
    >>> ax = plots.minimal_epsilons(MinimalEpsilons.of(found, labels=[3, 8]))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('eps', '% of images misclassified within eps')
    """
    every = named(found, MinimalEpsilons)
    ax = new_axes(ax)
    rows, most = [], 0.0
    for (name, each), style in zip(every.items(), line_styles(every).values(), strict=True):
        eps, falsified, possible = each.curve()
        low, high = wilson(falsified, each.n)[0], wilson(possible, each.n)[1]
        unknown = int((~each.decided).sum())
        label = f"{name or 'falsified'} ({each.n} images, {unknown} undecided)"
        step, colour = {"step": "post", "linewidth": 0}, style["color"]
        ax.fill_between(eps, 100 * low, 100 * high, color=colour, alpha=0.15, **step)
        shares = (100 * falsified / each.n, 100 * possible / each.n)
        ax.fill_between(eps, *shares, color=colour, alpha=0.5, hatch="..", **step)
        ax.step(
            eps,
            shares[0],
            where="post",
            linewidth=2.5,
            label=label,
            markevery=max(1, len(eps) // 12),
            **style,
        )
        rows += [(name, *row) for row in each.rows()[1]]
        final = eps[np.searchsorted(falsified, falsified[-1])]
        most = max(most, final if falsified[-1] == possible[-1] else eps[-1])
    ax.set(ylim=(0, 100), xlim=(0, 1.05 * most or 1))
    labelled(
        ax, "Smallest eps that changes the class", "eps", "% of images misclassified within eps"
    )
    ax.legend(loc="lower right", fontsize=SMALL)
    return numbered(ax, ("model", *each.rows()[0]), rows)


def times(curves):
    """How long verification takes for each eps, and how often it ran out of time.

    Parameters
    ----------
    curves : bnnkit.assess.ResistanceCurve, or dict of str to ResistanceCurve

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (2,)
        Mean seconds of the questions that were asked (those that followed from others have no
        time), and the share of these without an answer.

    Examples
    --------
    >>> from bnnkit import plots
    >>> from bnnkit.assess import ResistanceCurve
    >>> status = np.array([["robust", "robust"], ["unknown", "falsified"]])
    >>> seconds, labels = np.array([[0.1, 0.2], [10.0, 0.5]]), np.array([3, 8])
    >>> curve = ResistanceCurve(np.array([0.1, 0.2]), status, status, seconds, labels, {})
    >>> [ax.get_ylabel() for ax in plots.times(curve)]
    ['mean seconds of a question', '% of the questions asked']
    """
    found = named(curves, ResistanceCurve)
    left, right = axes = new_row(2)
    rows, limits = [], set()
    for (name, curve), style in zip(found.items(), line_styles(found).values(), strict=True):
        asked = (curve.answers != "").sum(axis=1)
        some = asked > 0
        mean = np.full(len(asked), np.nan)
        mean[some] = curve.seconds.sum(axis=1)[some] / asked[some]
        late = 100 * curve.timed_out[some] / asked[some]
        left.plot(curve.eps[some], mean[some], label=name, linewidth=2, **style)
        right.plot(curve.eps[some], late, label=name, linewidth=2, **style)
        limits.add(curve.settings.get("timeout"))
        columns = (curve.eps, asked, mean, curve.timed_out)
        rows += [(name, *row) for row in zip(*(c.tolist() for c in columns), strict=True)]
    for limit in filter(None, limits):
        left.axhline(limit, color=COLOURS["unknown"], linewidth=1.5, label=f"limit {limit:g} s")
    left.set_yscale("log")
    right.set_ylim(bottom=0)
    labelled(left, "Time of verification", "eps", "mean seconds of a question")
    labelled(right, "Questions without an answer", "eps", "% of the questions asked")
    if left.get_legend_handles_labels()[0]:
        left.legend(loc="best", fontsize=SMALL)
    return numbered(axes, ("model", "eps", "asked", "mean_seconds", "timed_out"), rows)
