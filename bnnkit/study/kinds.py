"""What a value in a study may be: a test, and the words for an error."""

import math
from dataclasses import dataclass
from typing import Any

from bnnkit import solvers
from bnnkit._names import nearest
from bnnkit.nn.architectures import parse_architecture

REQUIRED = object()
_MOST = 1e12  # a number beyond is a mistake, and perhaps no float


@dataclass(frozen=True)
class Kind:
    """A set of allowed values.

    Attributes
    ----------
    expected : str
        Ends the sentence "KEY must be ...".
    fits : callable
        Whether a value is allowed, given the names that are known in each section; or it raises
        a ValueError that says what is wrong.
    names : callable, optional
        The allowed names, where the value is one, or a list of them: for the nearest match.
    """

    expected: str
    fits: Any
    names: Any = None

    def check(self, where, value, known):
        """Raise ValueError unless `value` is allowed; `where` names the key."""
        try:
            if self.fits(value, known):
                return
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        names = self.names(known) if self.names else ()
        listed = f"; there are {', '.join(names) or 'none'}" if names else ""
        raise ValueError(
            f"{where} must be {self.expected}, got {value!r}{listed}{nearest_of(value, names)}"
        )


@dataclass(frozen=True)
class Key:
    """One key of a section.

    Attributes
    ----------
    kind : Kind
    about : str
        What it means, for the table of all keys.
    default : object
        `REQUIRED`, or the value where the key is missing.
    quick : object, optional
        With ``--quick`` the number is at most this, or the list at most so long.
    """

    kind: Kind
    about: str
    default: Any = REQUIRED
    quick: Any = None

    def shortened(self, value):
        """The value that ``--quick`` makes of it."""
        if self.quick is None or value is None:
            return value
        return value[: self.quick] if isinstance(value, list) else min(value, self.quick)


def nearest_of(value, names):
    """As `bnnkit._names.nearest`; of a list, by its first odd one, and nothing for no text."""
    odd = [each for each in (value if isinstance(value, list) else [value]) if each not in names]
    if not odd or not isinstance(odd[0], str):
        return ""
    return nearest(odd[0], names)


def text():
    """Any text."""
    return Kind("a text", lambda value, _: isinstance(value, str))


def flag():
    """True or false."""
    return Kind("true or false", lambda value, _: isinstance(value, bool))


def whole(least):
    """A whole number of at least `least`."""
    return Kind(f"a whole number of at least {least}", lambda value, _: _is_whole(value, least))


def number(low, high, low_is_in=True):
    """A number from `low` to `high`."""

    def fits(value, _):
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        return good and low <= value <= min(high, _MOST) and (low_is_in or value > low)

    if high == math.inf:
        return Kind("a positive number" if not low_is_in else f"at least {low}", fits)
    return Kind(f"a number {'from' if low_is_in else 'above'} {low} to {high}", fits)


def choice(*names):
    """One of some names."""
    return Kind("one of the names below", lambda value, _: value in names, lambda _: names)


def solver():
    """The name of a solver, perhaps with an encoding."""

    def fits(value, _):
        return isinstance(value, str) and bool(solvers.get(value))

    return Kind("the name of a solver that `bnnkit solvers` lists", fits)


def architecture():
    """A name or a specification of hidden layers."""

    def fits(value, _):
        return isinstance(value, str) and bool(parse_architecture(value))

    return Kind('the name of an architecture, or layers such as "512-100"', fits)


def shares():
    """A table of names and shares."""
    share = number(0, 1)

    def fits(value, known):
        return isinstance(value, dict) and all(share.fits(each, known) for each in value.values())

    return Kind("a table of judges and shares from 0 to 1, such as { pgd = 0.9 }", fits)


def name_in(*sections, also=()):
    """The name of something in one of the sections, or one of the names `also`."""

    def names(known):
        return [*(name for section in sections for name in known[section]), *also]

    what = " or ".join(f"[{section}.NAME]" for section in sections)
    expected = f"the NAME of a section {what}" + (", or an attack" if also else "")
    return Kind(expected, lambda value, known: value in names(known), names)


def list_of(kind, empty=False, different=True):
    """A list of values of a kind; perhaps an empty one; perhaps without repetition."""

    def fits(value, known):
        return (
            isinstance(value, list)
            and (empty or len(value) > 0)
            and all(kind.fits(each, known) for each in value)
            and (not different or len(set(map(repr, value))) == len(value))
        )

    values = "different values" if different else "values"
    return Kind(f"a list of {values}, each {kind.expected}", fits, kind.names)


def _is_whole(value, least):
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
