"""From a case that fails to a small one that fails too."""

import time

SECONDS = 60.0


def shrink(case, fails, seconds=SECONDS):
    """Replace a case by smaller ones as long as they fail.

    This is the greedy half of delta debugging: the case itself knows what is smaller, large steps
    first.

    Parameters
    ----------
    case : object
        With a method `smaller` that yields cases.
    fails : callable
        Whether a case fails.
    seconds : float
        After this time the smallest case so far is returned.

    Returns
    -------
    case
        One of which nothing smaller fails, if there was the time.

    References
    ----------
    Zeller, Hildebrandt: Simplifying and isolating failure-inducing input. IEEE TSE 2002.

    Examples
    --------
    A case that "fails" as soon as x1 is in two clauses:

    >>> from bnnkit.fuzz import FormulaCase, shrink
    >>> case = FormulaCase(3, [["clause", [1, 2, -3]], ["clause", [2]], ["clause", [1, 3]]])
    >>> def fails(case):
    ...     return sum(step[0] == "clause" and 1 in step[1] for step in case.steps) == 2
    >>> shrink(case, fails)
    FormulaCase(n_vars=1, steps=[['clause', [1]], ['clause', [1]]])
    """
    end = time.monotonic() + seconds
    while True:
        for candidate in case.smaller():
            if time.monotonic() > end:
                return case
            if fails(candidate):
                case = candidate
                break
        else:
            return case


def without_runs(items):
    """The list without a run of its items: first halves, then quarters, at last single ones."""
    size = len(items)
    while size:
        for start in range(0, len(items), size):
            yield items[:start] + items[start + size :]
        size //= 2
