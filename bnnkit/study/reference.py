"""The table of all keys of a study, from the schema that checks them."""

from bnnkit.study.kinds import REQUIRED
from bnnkit.study.schema import DATA, MEASURES, MODEL, POOL, RUN, STUDY

_TITLES = {
    "At the top:": STUDY,
    "`[data]`:": DATA,
    "`[models.NAME]`, a recipe:": MODEL,
    "`[runs.NAME]`, networks with rounds of hardening, or none:": RUN,
    "`[pools.NAME]`, adversarial images that are made once:": POOL,
}
_MEASURES = "`[measures.NAME]`: a `kind`, perhaps a `title` (its name by default), and of the kind:"
_COLUMNS = ("key", "value", "default", "meaning")


def reference():
    """All keys with what they may be, their defaults and meanings, as Markdown tables.

    Returns
    -------
    str

    Examples
    --------
    >>> from bnnkit import study
    >>> study.reference().splitlines()[4]
    '| `title` | a text | required | heads the report |'
    """
    parts = [
        f"{title}\n\n{_table(_COLUMNS, [_row(name, key) for name, key in keys.items()])}"
        for title, keys in _TITLES.items()
    ]
    found = {}
    for kind, keys in MEASURES.items():
        for name, key in keys.items():
            found.setdefault(_row(name, key), []).append(kind)
    rows = [(*row, ", ".join(kinds)) for row, kinds in found.items()]
    parts.append(f"{_MEASURES}\n\n{_table((*_COLUMNS, 'kinds'), rows)}")
    return "\n\n".join(parts) + "\n"


def _table(header, rows):
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(name, key):
    value = key.kind.expected
    if "names below" in value:
        value = value.replace(
            "the names below", ", ".join(f"`{each}`" for each in key.kind.names({}))
        )
    return f"`{name}`", value, _default(key.default), key.about


def _default(value):
    if value is REQUIRED:
        return "required"
    if value is None or value == "":
        return "none"
    text = str(value).lower() if isinstance(value, bool) else str(value).replace("'", '"')
    return f"`{text}`"
