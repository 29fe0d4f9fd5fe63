"""Names that a user writes: what to say about one that there is not."""

import difflib


def unknown(what, name, known):
    """The sentence about a `name` that is not among the `known` ones, for an error.

    >>> unknown("data set", "minst", ["digits", "mnist"])
    "there is no data set 'minst'; there are digits, mnist; did you mean 'mnist'?"
    """
    known = list(known)
    nearest = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.4)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return f"there is no {what} {name!r}; there are {', '.join(known)}{hint}"
