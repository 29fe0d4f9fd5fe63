"""Reading a study: a TOML file becomes a `Study` without missing keys, or a sentence of error."""

import copy
import re
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from bnnkit._names import nearest
from bnnkit.study.kinds import REQUIRED, nearest_of
from bnnkit.study.order import check_order
from bnnkit.study.schema import DATA, MEASURES, NAMED, SECTIONS, STUDY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_NOT_SIZES = {*STUDY, *SECTIONS}


@dataclass(frozen=True)
class Study:
    """What a study is to do.

    Attributes
    ----------
    name : str
        Of its file, without the suffix.
    size : str or None
        Which table of other values was laid over it.
    quick : bool
    settings : dict
        "title", "about", "seed" and "data"; "models", "runs", "pools" and "measures" by name;
        each with all its keys.

    Examples
    --------
    >>> from bnnkit import study
    >>> loop = study.load("loop")
    >>> loop["data"]["name"], sorted(loop.settings)
    ('digits', ['about', 'data', 'measures', 'models', 'pools', 'runs', 'seed', 'title'])
    """

    name: str
    size: str | None
    quick: bool
    settings: dict

    def __getitem__(self, section):
        return self.settings[section]


def names():
    """The studies that come with bnnkit.

    Examples
    --------
    >>> from bnnkit import study
    >>> "loop" in study.names()
    True
    """
    return sorted(path.name[:-5] for path in _folder().iterdir() if path.name.endswith(".toml"))


def source(study):
    """The text of a study: of a file, or of one that comes with bnnkit, by its name.

    Examples
    --------
    >>> from bnnkit import study
    >>> print(study.source("loop").splitlines()[0])
    title = "Robust training: premade images against live ones"
    """
    if study in names():
        return (_folder() / f"{study}.toml").read_text(encoding="utf-8")
    path = Path(study)
    if not path.is_file():
        raise ValueError(
            f"{study} is neither a file nor a study that comes with bnnkit: "
            f"{', '.join(names())}{nearest(str(study), names())}"
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{study}: not a text in UTF-8 ({error})") from None


def load(study, size=None, quick=False):
    """Read and check a study.

    Parameters
    ----------
    study : str or path
        A file, or the name of one of `names`.
    size : str, optional
        A table of the file, such as "full", whose values replace those outside of it. The first
        one unless given, if the file has any.
    quick : bool
        Shrink everything, to see whether it runs.

    Returns
    -------
    Study

    Raises
    ------
    ValueError
        With a sentence that names the key.

    Examples
    --------
    >>> from bnnkit.study import load
    >>> load("loop", "full").settings["data"]["name"]
    'mnist'
    """
    study = str(study)
    given = _parsed(study)
    sizes = {key: given.pop(key) for key in [*given] if _is_size(key, given[key])}
    if size is not None and size not in sizes:
        there = f"has the sizes {', '.join(sizes)}" if sizes else "has no sizes"
        raise ValueError(f"{study}: there is no size {size!r}; it {there}{nearest(size, sizes)}")
    size = size or next(iter(sizes), None)
    checked = {each: _Reader(study).all(_laid_over(given, sizes[each])) for each in sizes}
    plain = _Reader(study).all(given) if size is None else checked[size]
    check_order(plain, study)
    if quick:
        plain = _shortened(plain)
    return Study(Path(study).stem, size, quick, plain)


def sizes(study):
    """The names of the sizes that a study has.

    Examples
    --------
    >>> from bnnkit import study
    >>> study.sizes("loop")
    ['lesson', 'full', 'original']
    """
    return [key for key, value in _parsed(study).items() if _is_size(key, value)]


def _parsed(study):
    try:
        return tomllib.loads(source(study))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"{study}: not a TOML file: {error}") from None


def _folder():
    return resources.files("bnnkit.study")


def _is_size(key, value):
    """A table beside the sections, which holds some of them."""
    return key not in _NOT_SIZES and isinstance(value, dict) and bool(_NOT_SIZES & value.keys())


def _laid_over(given, other):
    result = copy.deepcopy(given)
    for key, value in other.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _laid_over(result[key], value) if both else value
    return result


class _Reader:
    """Checks the tables of one file."""

    def __init__(self, study):
        self._study = study

    def all(self, given):
        """All sections, with their defaults."""
        self._refuse_unknown("", given, [*STUDY, *SECTIONS])
        self._known = {section: [*self._table(given, section)] for section in NAMED}
        top = {key: value for key, value in given.items() if key in STUDY}
        result = self._keys("", top, STUDY)
        result["data"] = self._keys("data", self._table(given, "data"), DATA)
        for section, keys in NAMED.items():
            tables = self._tables(given, section)
            result[section] = {
                name: self._keys(f"{section}.{name}", table, keys) for name, table in tables
            }
        measures = self._tables(given, "measures")
        result["measures"] = {name: self._measure(name, table) for name, table in measures}
        return result

    def _measure(self, name, table):
        where = f"measures.{name}"
        kind = table.get("kind")
        if kind not in MEASURES:
            raise self._wrong(
                f"[{where}] needs a kind, one of {', '.join(MEASURES)}, got {kind!r}"
                f"{nearest_of(kind, [*MEASURES])}"
            )
        rest = {key: value for key, value in table.items() if key not in ("kind", "title")}
        title = table.get("title", name)
        if not isinstance(title, str):
            raise self._wrong(f"[{where}] title must be a text, got {title!r}")
        return {"kind": kind, "title": title, **self._keys(where, rest, MEASURES[kind])}

    def _keys(self, where, table, keys):
        self._refuse_unknown(where, table, [*keys])
        result = {}
        for name, key in keys.items():
            label = f"[{where}] {name}" if where else name
            if name in table:
                try:
                    key.kind.check(label, table[name], self._known)
                except ValueError as error:
                    raise self._wrong(error) from None
            elif key.default is REQUIRED:
                raise self._wrong(f"{label} is missing; it must be {key.kind.expected}")
            result[name] = table.get(name, key.default)
        return result

    def _table(self, given, section):
        table = given.get(section, {})
        if not isinstance(table, dict):
            raise self._wrong(f"{section} must be a table: write [{section}] above its keys")
        return table

    def _tables(self, given, section):
        for name, table in self._table(given, section).items():
            if not isinstance(table, dict):
                raise self._wrong(
                    f"[{section}] holds named tables, such as [{section}.{name}], "
                    f"but {name} is {table!r}"
                )
            if not _NAME.fullmatch(name):
                raise self._wrong(
                    f"[{section}.{name}]: a name has letters, digits, '-', '_' and '.' only, "
                    "40 of them at most"
                )
            yield name, table

    def _refuse_unknown(self, where, table, allowed):
        for key in table:
            if key not in allowed:
                place = f"in [{where}]" if where else "at the top of the file"
                raise self._wrong(
                    f"unknown key {key!r} {place}; there are {', '.join(allowed)}"
                    f"{nearest(key, allowed)}"
                )

    def _wrong(self, sentence):
        return ValueError(f"{self._study}: {sentence}")


def _shortened(settings):
    result = dict(settings)
    result["data"] = _short(settings["data"], DATA)
    for section, keys in NAMED.items():
        result[section] = {name: _short(table, keys) for name, table in settings[section].items()}
    result["measures"] = {
        name: {"kind": table["kind"], "title": table["title"]}
        | _short(table, MEASURES[table["kind"]])
        for name, table in settings["measures"].items()
    }
    return result


def _short(table, keys):
    # what is not given is large: all images of the data, everything that is found
    size = {"train", "test", "size"}
    return {
        name: key.quick if table[name] is None and name in size else key.shortened(table[name])
        for name, key in keys.items()
    }
