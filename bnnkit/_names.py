"""Names that a user writes: what to say about one that there is not."""

import difflib


def nearest(name, known):
    """The end of a sentence of error: which of the `known` names was meant perhaps, or nothing.

    A name of which one is the beginning, or the other way round, comes first; then one that is
    spelt nearly the same, one that is part of the other, one that is spelt alike. Dashes in front
    of options say nothing.

    >>> nearest("--epsilon", ["--question", "--eps"])
    "; did you mean '--eps'?"
    """
    plain = {each.lstrip("-").lower(): each for each in reversed(list(known))}
    name = str(name).lstrip("-").lower()
    within = [each for each in plain if len(name) > 1 and (name in each or each in name)]
    begin = [each for each in within if each.startswith(name) or name.startswith(each)]
    for names, cutoff in ((begin, 0), (plain, 0.8), (within, 0), (plain, 0.6)):
        close = difflib.get_close_matches(name, names, n=1, cutoff=cutoff)
        if close:
            break
    return f"; did you mean {plain[close[0]]!r}?" if close else ""


def unknown(what, name, known):
    """The sentence about a `name` that is not among the `known` ones, for an error.

    >>> unknown("data set", "minst", ["digits", "mnist"])
    "there is no data set 'minst'; there are digits, mnist; did you mean 'mnist'?"
    """
    return f"there is no {what} {name!r}; there are {', '.join(known)}{nearest(name, known)}"
