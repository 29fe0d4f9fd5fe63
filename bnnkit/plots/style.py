"""What all pictures share: sizes, colours, the numbers that were drawn, and files.

A picture must be told apart on a bad projector, in grey and by colour-blind readers: verdicts
have hatches beside their colours, lines have dashes and markers, and colour scales are
monotone in lightness.
"""

import itertools
import os
import weakref

import matplotlib.pyplot as plt
import numpy as np

from bnnkit._files import atomic_path, write_text
from bnnkit.assess import wilson
from bnnkit.assess._stored import as_csv

# colours that colour-blind readers can tell apart (Okabe & Ito), one meaning each
COLOURS = {"robust": "#009E73", "unknown": "#999999", "falsified": "#D55E00", "clean": "#0072B2"}
COLOURS |= {"detected": "#56B4E9", "right": "#009E73", "wrong": "#D55E00", "between": "#F0E442"}
SHADES = {"robust": 0.9, "right": 0.9, "unknown": 0.5, "falsified": 0.6}  # opacity
SHADES |= {"wrong": 0.6, "detected": 0.8, "between": 0.4}
HATCHES = {"detected": "--", "unknown": "..", "falsified": "//", "wrong": "//"}
# lines of several things: told apart by colour, and in grey by dashes and markers
LINES = (
    *(("#0072B2", "-", "o"), ("#D55E00", "--", "s"), ("#009E73", "-.", "^"), ("#000000", ":", "D")),
    *(("#CC79A7", "-", "v"), ("#E69F00", "--", "P"), ("#56B4E9", "-.", "X")),
)
# bars side by side: dark and light in turns, with a hatch each
BARS = (
    ("#0072B2", ""),
    ("#E69F00", "//"),
    ("#009E73", ".."),
    ("#CC79A7", "\\\\"),
    ("#56B4E9", "xx"),
)
SIGNED = "cividis"  # of numbers around 0: dark is negative, bright is positive, grey is none
LABEL, SMALL, TITLE = 13, 12, 15  # sizes of type
_LEGEND_COLUMNS = 5

_NUMBERS = weakref.WeakKeyDictionary()  # figure -> tables (header, rows) of what it shows


def new_axes(ax=None, width=8, height=5):
    """`ax`, or the Axes of a new figure."""
    if ax is None:
        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    return ax


def new_panels(n, width=7.0, height=5.0, **options):
    """A figure with n Axes, two in a row, which is what a slide has room for: an array of them."""
    columns, rows = min(n, 2), -(-n // 2)
    options |= {"figsize": (width * columns + 0.5, height * rows), "squeeze": False}
    axes = plt.subplots(rows, columns, layout="constrained", **options)[1].ravel()
    for ax in axes[n:]:
        ax.remove()
    return axes[:n]


def labelled(ax, title, x, y):
    """Write title and names of both axes."""
    ax.set_title(title, fontsize=TITLE)
    ax.set_xlabel(x, fontsize=LABEL)
    ax.set_ylabel(y, fontsize=LABEL)
    ax.tick_params(labelsize=SMALL)


def legend_beside(ax):
    """A legend to the right of a picture that is full to the brim."""
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, fontsize=SMALL)


def legend_below(axes):
    """One legend for all `axes` of a figure, below them; each label once."""
    handles = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    columns = min(len(handles), _LEGEND_COLUMNS)
    place = {"loc": "outside lower center", "ncols": columns, "fontsize": SMALL}
    axes[0].figure.legend(handles.values(), handles.keys(), **place)


def reach(count, n):
    """How far the 95 % intervals of shares go down and up, in %: ndarray (2, K)."""
    share = np.asarray(count) / np.maximum(n, 1)
    low, high = wilson(count, n)
    return 100 * np.maximum([share - low, high - share], 0)


def intervals(ax, x, sure, possible, n):
    """Points, with 95 % intervals, where stacked shares meet.

    Of n images so many are `sure` to be in the lowest part, and so many `possible`: the rest is
    in the highest one. Where these are the same there is one point.
    """
    style = {"color": "black", "markersize": 5, "linewidth": 1, "clip_on": False}
    label = "95 % interval"
    ax.errorbar(x, 100 * sure / n, reach(sure, n), fmt="o", capsize=3, label=label, **style)
    open_ = possible > sure
    if open_.any():  # another mark, and wider caps, as the two bars overlap
        x, possible, n = x[open_], possible[open_], n[open_]
        style |= {"fmt": "s", "capsize": 6, "markerfacecolor": "white"}
        ax.errorbar(x, 100 * possible / n, reach(possible, n), **style)


def line_styles(names):
    """Keywords of a line for each name; in an order that depends on `names` alone."""
    keys = ("color", "linestyle", "marker")
    styles = [dict(zip(keys, style, strict=True)) for style in LINES]
    return dict(zip(names, itertools.cycle(styles)))


def named(one_or_more, kind):
    """A dict of objects from one object or a dict of them, checked to be of a type."""
    found = one_or_more if isinstance(one_or_more, dict) else {"": one_or_more}
    for each in found.values():
        if not isinstance(each, kind):
            raise TypeError(
                f"expected {kind.__name__}, or a dict of them, got {type(each).__name__}"
            )
    if not found:
        raise ValueError(f"there is no {kind.__name__} to draw")
    return found


def numbered(axes, header, rows):
    """Keep the numbers that `axes`, one or an array, show; return `axes`."""
    figure = np.ravel(axes)[0].figure
    _NUMBERS.setdefault(figure, []).append((header, rows))
    return axes


def save(axes, path):
    """Write a picture, and the numbers that it shows beside it.

    Parameters
    ----------
    axes : matplotlib.axes.Axes or ndarray of them
        What a function of `bnnkit.plots` returned.
    path : path-like
        The suffix says what it is: .png, .pdf, .svg. The numbers go to the same name with
        ".csv" behind it: ``curve.png`` and ``curve.png.csv``. (If several pictures share the
        figure, to ``curve.png.2.csv``, ... as well.)

    Raises
    ------
    ValueError
        matplotlib does not know the suffix.

    Examples
    --------
    >>> import os, tempfile
    >>> from bnnkit import assess, plots
    >>> ax = plots.heatmap(assess.differences({"a": [[0.0, 1.0]], "b": [[0.0, 0.5]]}))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plots.save(ax, f"{folder}/apart.png")
    ...     sorted(os.listdir(folder))
    ['apart.png', 'apart.png.csv']
    """
    figure = np.ravel(axes)[0].figure
    suffix = os.path.splitext(path)[1][1:].lower()
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120, format=suffix or "png")
    for i, (header, rows) in enumerate(_NUMBERS.get(figure, [])):
        write_text(f"{os.fspath(path)}{'' if i == 0 else f'.{i + 1}'}.csv", as_csv(header, rows))
