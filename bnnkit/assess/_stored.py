"""Results that can be written to a file and read again, so that a picture can be drawn later."""

import csv
import io
import json
from dataclasses import fields

import numpy as np

from bnnkit._files import read_npz, write_npz, write_text


class Tabular:
    """Something with ``rows()``: a header, and the rows below it."""

    def to_csv(self, path=None):
        """The table `rows` as CSV: written to `path`, atomically, or returned without one."""
        text = as_csv(*self.rows())
        if path is None:
            return text
        write_text(path, text)
        return None


class Stored(Tabular):
    """A dataclass whose fields are arrays, in one .npz file, and plain values, as JSON in it."""

    def save(self, path):
        """Write everything to `path` (.npz), atomically."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays = {name: each for name, each in values.items() if isinstance(each, np.ndarray)}
        plain = {name: each for name, each in values.items() if name not in arrays}
        about = json.dumps({"kind": type(self).__name__, "plain": plain})
        write_npz(path, arrays | {"about": np.frombuffer(about.encode(), dtype=np.uint8)})

    @classmethod
    def load(cls, path):
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            The file is damaged, or holds something else.
        """
        members = read_npz(path)
        try:
            about = json.loads(members.pop("about").tobytes())
            kind, values = about["kind"], members | about["plain"]
        except (KeyError, TypeError, ValueError, RecursionError):
            raise ValueError(f"{path}: not a result of bnnkit.assess, or damaged") from None
        if kind != cls.__name__ or values.keys() != {field.name for field in fields(cls)}:
            raise ValueError(f"{path}: holds a {kind}, not a {cls.__name__} of this version")
        try:
            return cls(**values)
        except (TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"{path}: not a {cls.__name__}, or damaged ({error})") from None


def as_csv(header, rows):
    """A table as CSV; what is read back from it are the same floats."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value):
    return repr(float(value)) if isinstance(value, (float, np.floating)) else value


def check_shapes(named, **shapes):
    """Raise ValueError unless the arrays of an object have these shapes.

    A letter in a shape stands for one number, the same wherever it stands.
    """
    sizes = {}
    for name, expected in shapes.items():
        array = getattr(named, name)
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{name} must be an array, got {type(array).__name__}")
        matches = len(array.shape) == len(expected) and all(
            size == (sizes.setdefault(letter, size) if isinstance(letter, str) else letter)
            for size, letter in zip(array.shape, expected, strict=True)
        )
        if not matches:
            raise ValueError(f"{name} must have shape {expected}, got {array.shape}")
