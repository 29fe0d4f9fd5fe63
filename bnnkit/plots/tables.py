"""Pictures of tables: heat-maps, bars of outcomes, the quantisation study."""

import numpy as np

from bnnkit.assess import ByClass, wilson
from bnnkit.assess._radius import eps_text
from bnnkit.plots.loop import STACKED
from bnnkit.plots.style import (
    BARS,
    COLOURS,
    HATCHES,
    LABEL,
    SHADES,
    SMALL,
    intervals,
    labelled,
    legend_beside,
    named,
    new_axes,
    new_panels,
    numbered,
    reach,
)
from bnnkit.verification.verdict import STATUSES, Verdicts

_ORDER = (*STACKED, "right", "wrong")  # of bars, from the bottom
_SHORT_NAME = 8  # letters that fit below a cell


def heatmap(matrix, ax=None):
    """A matrix of shares as a heat-map with its numbers.

    Parameters
    ----------
    matrix : bnnkit.assess.Matrix
        Such as ``transfer.matrix(eps)`` and ``study.differences()``.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from bnnkit import assess, plots
    >>> matrix = assess.differences({"a": [[0.0, 1.0]], "b": [[0.0, 0.5]]})
    >>> [text.get_text() for text in plots.heatmap(matrix).texts]
    ['0.00', '0.50', '0.50', '0.00']
    """
    n_rows, n_columns = matrix.values.shape
    ax = new_axes(ax, max(1.3 * n_columns + 3.5, 8), 0.9 * n_rows + 2.2)  # room for the title
    image = ax.imshow(matrix.values, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for r, c in np.ndindex(matrix.values.shape):
        value = matrix.values[r, c]
        text = "–" if np.isnan(value) else f"{value:.2f}"
        dark = not np.isnan(value) and value < 0.5
        ax.text(c, r, text, ha="center", va="center", fontsize=LABEL, color="wk"[not dark])
    long = max(map(len, matrix.column_names)) > _SHORT_NAME
    slanted = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if long else {}
    ax.set_xticks(range(n_columns), matrix.column_names, **slanted)
    ax.set_yticks(range(n_rows), matrix.row_names)
    least, most = matrix.n.min(), matrix.n.max()
    size = f"{most}" if least == most else f"{least} to {most}"
    labelled(ax, f"{matrix.title}\n({size} images each)", matrix.column_name, matrix.row_name)
    ax.figure.colorbar(image, ax=ax).ax.tick_params(labelsize=SMALL)
    return numbered(ax, *matrix.rows())


def by_class(tables, ax=None):
    """Outcomes of each class as bars.

    Parameters
    ----------
    tables : bnnkit.assess.ByClass, or dict of str to ByClass
        One: all its outcomes on top of each other. Several, such as before and after training:
        the share of their first outcome side by side. Both with 95 % intervals.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from bnnkit import assess, plots
    >>> before = assess.by_class([True, False, False], labels=[0, 1, 1], names=["cat", "dog"])
    >>> after = assess.by_class([True, True, False], labels=[0, 1, 1], names=["cat", "dog"])
    >>> plots.by_class({"before": before, "after": after}).get_title()
    'Share of right images by class'
    """
    found = named(tables, ByClass)
    first = next(iter(found.values()))
    if any((each.names, each.outcomes) != (first.names, first.outcomes) for each in found.values()):
        raise ValueError("the tables must have the same classes and outcomes")
    ax = new_axes(ax, max(8, 0.8 * len(first.names) + 4))
    if isinstance(tables, dict):
        _side_by_side(ax, found)
    else:
        _stacked(ax, first)
    ax.set_xticks(range(len(first.names)), first.names)
    ax.set_ylim(0, 100)
    legend_beside(ax)
    header = ("model", *first.rows()[0])
    rows = [(name, *row) for name, each in found.items() for row in each.rows()[1]]
    return numbered(ax, header, rows)


def verdicts(tables, ax=None):
    """How many images are robust, unknown, falsified: a bar for each table.

    Parameters
    ----------
    tables : Verdicts, or dict of str to Verdicts
        Such as ``{"plain": verify_all(...), "hardened": verify_all(...)}``.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
        The first bar is at the top. Whiskers are 95 % intervals of the robust images.

    Examples
    --------
    >>> from bnnkit import plots
    >>> from bnnkit.verification import Verdict, Verdicts
    >>> proved = Verdict("robust", label=3, eps=0.1, clean=3, predicted=3, stage="bounds")
    >>> fallen = Verdict("falsified", label=3, eps=0.1, clean=3, predicted=8, stage="solver")
    >>> ax = plots.verdicts({"plain": Verdicts([proved, fallen]), "hard": Verdicts([proved] * 2)})
    >>> ax.get_title(), [label.get_text() for label in ax.get_yticklabels()]
    ('Verdicts, eps 0.1', ['plain', 'hard'])
    """
    found = named(tables, Verdicts)
    ax = new_axes(ax, 9, 0.5 * len(found) + 1.5)
    places, left = np.arange(len(found)), np.zeros(len(found))
    for status in sorted(STATUSES, key=_ORDER.index):
        count = np.array([table.counts[status] for table in found.values()])
        ax.barh(places, count, left=left, label=status, **_look(status))
        left += count
    robust, n = np.array([(table.counts["robust"], len(table)) for table in found.values()]).T
    style = {"color": "black", "fmt": "o", "markersize": 5, "capsize": 3, "linewidth": 1}
    reached = n * reach(robust, n) / 100
    ax.errorbar(robust, places, xerr=reached, label="95 % interval", clip_on=False, **style)
    ax.set_yticks(places, found)
    ax.invert_yaxis()
    radii = sorted({verdict.eps for table in found.values() for verdict in table})
    title = ", ".join(["Verdicts", *(f"eps {eps_text(eps)}" for eps in radii)])
    labelled(ax, title, "images", "")
    legend_beside(ax)
    counts = [(name, *table.counts.values()) for name, table in found.items()]
    rows = [(*row, *ends) for row, *ends in zip(counts, *wilson(robust, n), strict=True)]
    return numbered(ax, ("name", *STATUSES, "robust_low", "robust_high"), rows)


def _stacked(ax, table):
    counts = dict(zip(table.outcomes, table.counts.T, strict=True))
    _stack(ax, counts, table.n)
    labelled(ax, f"{table.n.sum()} images by class", "class", "% of the class")


def _stack(ax, counts, n):
    """Bars of the shares of n images, and intervals where there are images."""
    x, percent, some = np.arange(len(n)), 100 / np.maximum(n, 1), n > 0
    bottom = np.zeros(len(n))
    names = sorted(counts, key=_ORDER.index)
    for name in names:
        _bar(ax, x, counts[name] * percent, bottom * percent, name)
        bottom += counts[name]
    intervals(ax, x[some], counts[names[0]][some], (n - counts[names[-1]])[some], n[some])


def _bar(ax, x, share, bottom, outcome):
    ax.bar(x, share, bottom=bottom, label=outcome, **_look(outcome))


def _look(outcome):
    style = {"color": COLOURS[outcome], "hatch": HATCHES.get(outcome), "alpha": SHADES[outcome]}
    return style | {"edgecolor": "white"}


def _side_by_side(ax, tables):
    width = 0.8 / len(tables)
    for i, (name, table) in enumerate(tables.items()):
        first, n = table.counts[:, 0], table.n
        share = np.where(n > 0, 100 * first / np.maximum(n, 1), np.nan)
        x = np.arange(len(n)) + (i - (len(tables) - 1) / 2) * width
        colour, hatch = BARS[i % len(BARS)]
        style = {"color": colour, "hatch": hatch, "edgecolor": "white", "capsize": 2}
        label = "_" if i else "95 % interval"  # which is drawn once
        style |= {"yerr": reach(first, n), "error_kw": {"linewidth": 1, "label": label}}
        ax.bar(x, share, width, label=name, **style)
    labelled(ax, f"Share of {table.outcomes[0]} images by class", "class", "% of the class")


def quantisation(study):
    """Accuracy, verdicts and times for each step of a quantisation study.

    Parameters
    ----------
    study : bnnkit.assess.QuantisationStudy

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (2,)

    Examples
    --------
    >>> from bnnkit import BNNClassifier, assess, datasets, plots
    >>> study = assess.quantisation_study(
    ...     lambda step: BNNClassifier("16", quant_step=step, epochs=3, random_state=0),
    ...     [0.25, 0.5], datasets.load("digits", limit=200), eps=0.05, n_images=3,
    ... )
    >>> [ax.get_title() for ax in plots.quantisation(study)]
    ['Verdicts on 3 images, eps 0.05', 'Time of verification']
    """
    left, right = axes = new_panels(2)
    x, n = np.arange(len(study.steps)), len(study.labels)
    counts = {status: (study.status == status).sum(axis=1) for status in STATUSES}
    _stack(left, counts, np.full(len(x), n))
    clean = [100 * rate.share for rate in study.accuracy]
    style = {"color": COLOURS["clean"], "linewidth": 2.5, "elinewidth": 1, "capsize": 3}
    style["label"] = f"clean accuracy\n({study.n_test} images)"
    left.errorbar(x, clean, reach(study.right, study.n_test), fmt="o-", **style)
    left.set_ylim(0, 100)
    title = f"Verdicts on {n} images, eps {eps_text(study.eps)}"
    labelled(left, title, "quantisation step", "% of images")
    legend_beside(left)
    right.plot(x, study.seconds.mean(axis=1), "o-", color="#0072B2", label="mean", linewidth=2)
    right.plot(x, study.seconds.max(axis=1), "s--", color="#D55E00", label="longest", linewidth=2)
    right.set_yscale("log")
    labelled(right, "Time of verification", "quantisation step", "seconds of a question")
    right.legend(loc="best", fontsize=SMALL)
    for ax in axes:
        ax.set_xticks(x, study.steps)
    return numbered(axes, *study.rows())
