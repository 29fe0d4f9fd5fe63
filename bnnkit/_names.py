"""Names that a user writes: what to say about one that there is not."""

import difflib


def nearest(name, known):
    """The end of a sentence of error: which of the `known` names was meant perhaps, or nothing."""
    close = difflib.get_close_matches(str(name).lower(), list(known), n=1, cutoff=0.4)
    return f"; did you mean {close[0]!r}?" if close else ""


def unknown(what, name, known):
    """The sentence about a `name` that is not among the `known` ones, for an error.

    >>> unknown("data set", "minst", ["digits", "mnist"])
    "there is no data set 'minst'; there are digits, mnist; did you mean 'mnist'?"
    """
    return f"there is no {what} {name!r}; there are {', '.join(known)}{nearest(name, known)}"
