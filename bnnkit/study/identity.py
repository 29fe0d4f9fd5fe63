"""What a result depends on: the settings of its own part, and of all that it is made of.

A result is kept as long as these stay the same. What has its default is left out, so that a key
that a later version adds does not part a folder from its study.
"""

from bnnkit.study.kinds import REQUIRED
from bnnkit.study.order import needed
from bnnkit.study.schema import DATA, MEASURES, NAMED

_SHOWN = ("kind", "title", "of", "sources", "targets")  # whom it is about comes with `identity`


def identity(settings, *made_of, **asked):
    """All settings that a result depends on.

    Parameters
    ----------
    settings : dict
        Of the study.
    *made_of : tuple of str
        (section, name) of each part that it is made of, such as ("runs", "gen").
    **asked : object
        What else it depends on.

    Returns
    -------
    dict of str to object
        By the names that the keys have in a sentence of error: "[models.bnn] epochs".
    """
    found = _given("[data]", settings["data"], DATA)
    if settings["seed"]:
        found["seed"] = settings["seed"]
    for section, name in _closure(settings, made_of):
        found |= _given(f"[{section}.{name}]", settings[section][name], NAMED[section])
    return found | asked


def asked(table, *without):
    """What the results of a measure depend on, of its own table, as keywords of `identity`."""
    own = {key: value for key, value in table.items() if key not in (*_SHOWN, *without)}
    keys = MEASURES[table["kind"]]
    return {key: value for key, value in own.items() if not _is_default(keys[key], value)}


def differences(old, new):
    """What parts two identities, as text: "[models.bnn] epochs was 2 and is 3"."""
    return ", ".join(
        f"{key} was {_said(old, key)} and is {_said(new, key)}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    )


def _closure(settings, parts):
    """These parts and what they need, in any order, each once."""
    found, open_ = [], list(parts)
    while open_:
        part = open_.pop()
        if part in found:
            continue
        found.append(part)
        if part[0] in ("runs", "pools"):
            open_ += needed(settings, *part)
        if part[0] == "runs":
            open_.append(("models", settings["runs"][part[1]]["model"]))
    return found


def _given(label, table, keys):
    return {
        f"{label} {name}": table[name]
        for name, key in keys.items()
        if not _is_default(key, table[name])
    }


def _is_default(key, value):
    return key.default is not REQUIRED and key.default == value


def _said(found, key):
    return repr(found[key]) if key in found else "its default"
