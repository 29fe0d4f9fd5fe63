"""Pictures of robustness over eps: stacked verdicts, minimal eps, times."""

import numpy as np

from bnnkit.assess import MinimalEpsilons, ResistanceCurve, wilson
from bnnkit.plots.loop import stack_verdicts
from bnnkit.plots.style import (
    COLOURS,
    SMALL,
    intervals,
    labelled,
    legend_below,
    legend_beside,
    line_styles,
    named,
    new_axes,
    new_panels,
    numbered,
)

_MOST_TICKS = 12
_BARS = 8  # of each model
_OPEN = {"alpha": 0.3, "hatch": "..", "linewidth": 0}  # what is unknown


def resistance(curves, ax=None):
    """Robust, unknown and falsified images for each eps, as stacked areas.

    Parameters
    ----------
    curves : bnnkit.assess.ResistanceCurve, or dict of str to ResistanceCurve
        One Axes for each, two in a row; `ax` is for a single one.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes, or ndarray of them for a dict
        Points are measured, with 95 % intervals: of the robust share, and of the falsified
        share where it is not the rest. Between two points the areas show what follows from
        them: an image is robust if it is at the next eps, and falsified if it is at the one
        before. Images that are robust before and falsified at the next have an area of their
        own: nobody asked where they fall. Nor was it asked which images are wrong as they are,
        unless 0 is one of the eps. A single eps is drawn as a bar.

    Examples
    --------
    >>> from bnnkit import plots
    >>> from bnnkit.assess import ResistanceCurve
    >>> status = np.array([["robust", "robust"], ["robust", "unknown"], ["falsified", "unknown"]])
    >>> eps, labels = np.array([0.1, 0.2, 0.3]), np.array([3, 8])
    >>> ax = plots.resistance(ResistanceCurve(eps, status, status, np.ones((3, 2)), labels, {}))
    >>> ax.get_title(), ax.get_ylabel()
    ('Verdicts on 2 images', '% of images')
    """
    found = named(curves, ResistanceCurve)
    single = not isinstance(curves, dict)
    axes = [new_axes(ax, width=9.5)] if single else new_panels(len(found), sharey=True)
    for each, (name, curve) in zip(axes, found.items(), strict=True):
        _resistance(each, name, curve)
    if single:
        legend_beside(axes[0])
    else:
        legend_below(axes)
    header = ("model", *next(iter(found.values())).rows()[0])
    rows = [(name, *row) for name, curve in found.items() for row in curve.rows()[1]]
    numbered(axes, header, rows)
    return axes[0] if single else axes


def _resistance(ax, name, curve):
    counts, n = curve.counts, curve.n
    margin = 0.02 * curve.eps[-1] or 0.01  # room for the bars at both ends
    left = 0
    if len(curve.eps) > 1:
        edges = np.concatenate([[0], curve.eps]).repeat(2)[1:-1]
        shown = _between(np.concatenate([np.full_like(curve.status[:1], ""), curve.status]))
    else:
        left = curve.eps[0]
        edges = left + np.array([-margin, margin]) / 2
        shown = {name: count.repeat(2) for name, count in counts.items()}
    stack_verdicts(ax, edges, shown)
    asked = np.full(len(curve.eps), n)
    intervals(ax, curve.eps, counts["robust"], asked - counts["falsified"], asked)
    ax.set(ylim=(0, 100), xlim=(left - margin, curve.eps[-1] + margin))
    if len(curve.eps) <= _MOST_TICKS:
        ax.set_xticks(curve.eps, [f"{eps:.3g}" for eps in curve.eps], rotation=45)
    title = f"{name}: {n} images" if name else f"Verdicts on {n} images"
    labelled(ax, title, "eps", "% of images")


def _between(status):
    """For each status how many images have it between two radii, at both ends of each gap.

    Of a radius that was not asked about, every `status` is "".
    """
    before, after = status[:-1], status[1:]
    robust, falsified = after == "robust", before == "falsified"
    falls = (before != "unknown") & (after == "falsified") & ~falsified
    images = {"robust": robust, "unknown": ~(robust | falsified | falls)}
    images |= {"between": falls, "falsified": falsified}
    counts = {name: mask.sum(axis=1).repeat(2) for name, mask in images.items()}
    return {name: count for name, count in counts.items() if name != "between" or count.any()}


def minimal_epsilons(found, ax=None):
    """How many images are misclassified within eps, for every eps at once.

    Parameters
    ----------
    found : bnnkit.assess.MinimalEpsilons, or dict of str to MinimalEpsilons
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
        The line is what is falsified. A band, where there is one, goes up to what is not proved
        robust: it is what is unknown. The bars at a few eps are 95 % intervals of both.

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
    most = max(map(_last_change, every.values())) or 1
    styles = line_styles(every).values()
    for i, ((name, each), style) in enumerate(zip(every.items(), styles, strict=True)):
        _fallen(ax, name, each, style)
        places = most * (np.arange(_BARS) + (i + 0.5) / len(every)) / _BARS
        _bars(ax, each, places, style["color"])
    ax.set(ylim=(0, 100), xlim=(0, 1.05 * most))
    title = "Smallest eps that changes the class"
    labelled(ax, title, "eps", "% of images misclassified within eps")
    if not all(each.decided.all() for each in every.values()):
        ax.fill_between([], [], [], color="black", label="unknown", **_OPEN)
    ax.errorbar([], [], [], color="black", capsize=3, linewidth=1, label="95 % interval")
    ax.legend(loc="lower right", fontsize=SMALL)
    rows = [(name, *row) for name, each in every.items() for row in each.rows()[1]]
    return numbered(ax, ("model", *each.rows()[0]), rows)


def _last_change(found):
    """The greatest eps at which a count changes."""
    eps, *counts = found.curve()
    return max(eps[np.searchsorted(each, each[-1])] for each in counts)


def _fallen(ax, name, found, style):
    """The line of one model, and the band above it."""
    eps, falsified, possible = found.curve()
    unknown = int((~found.decided).sum())
    label = f"{name or 'falsified'} ({found.n} images, {unknown} undecided)"
    low, high = 100 * falsified / found.n, 100 * possible / found.n
    if unknown:
        ax.fill_between(eps, low, high, step="post", color=style["color"], **_OPEN)
    style = style | {"where": "post", "linewidth": 2.5, "markevery": max(1, len(eps) // 12)}
    ax.step(eps, low, label=label, **style)


def _bars(ax, found, places, colour):
    """95 % intervals of one model at some eps."""
    counts = [found.at(eps) for eps in places.tolist() if eps <= found.max_eps]
    falsified = np.array([each.falsified for each in counts])
    possible = falsified + [each.unknown for each in counts]
    low, high = 100 * wilson(falsified, found.n)[0], 100 * wilson(possible, found.n)[1]
    share = 100 * falsified / found.n
    reach = np.maximum([share - low, high - share], 0)
    style = {"fmt": "none", "color": colour, "capsize": 3, "linewidth": 1}
    ax.errorbar(places[: len(counts)], share, reach, **style)


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
    left, right = axes = new_panels(2)
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
        legend_below(axes)
    return numbered(axes, ("model", "eps", "asked", "mean_seconds", "timed_out"), rows)
