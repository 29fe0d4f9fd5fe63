"""Pictures of solvers on the same questions."""

import numpy as np

from bnnkit.plots.style import COLOURS, SMALL, labelled, line_styles, new_axes, numbered

_SHORTEST = 1e-6  # seconds; a clock may say 0, which has no logarithm


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

    Examples
    --------
    >>> from bnnkit import plots
    >>> from bnnkit.comparison import Comparison, Record
    >>> ax = plots.cactus(Comparison(10, [
    ...     Record("image 0", "native", "robust", "solver", 0.1, 0.2, 0.3),
    ...     Record("image 0", "cadical", "unknown", "solver", 0.1, 10.0, 10.1, "timeout"),
    ... ]))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['native (1)', 'cadical (0)', 'time limit']
    """
    ax = new_axes(ax)
    times = comparison.solved_times()
    order = sorted(times, key=lambda solver: (-len(times[solver]), sum(times[solver])))
    lines = line_styles(times)  # whoever wins, a solver keeps its colour
    for solver in order:
        n = len(times[solver])
        ax.plot(
            range(1, n + 1),
            np.maximum(times[solver], _SHORTEST),
            **lines[solver],
            markevery=_marked(n),
            linewidth=2,
            label=f"{solver} ({n})",
        )
    n_questions = max((summary.questions for summary in comparison.summaries), default=1)
    ax.axhline(comparison.timeout, color=COLOURS["unknown"], linewidth=1.5, label="time limit")
    ax.set(yscale="log", xlim=(0, n_questions + 0.5))
    labelled(ax, "Cactus plot", f"questions answered, of {n_questions}", "seconds for each of them")
    ax.legend(loc="best", fontsize=SMALL)
    rows = [(solver, i + 1, seconds) for solver in order for i, seconds in enumerate(times[solver])]
    return numbered(ax, ("solver", "answered", "seconds"), rows)


def _marked(n):
    """Which of n points get a marker: about a dozen of them, the last one always."""
    step = max(1, n // 12)
    return ((n - 1) % step, step)
