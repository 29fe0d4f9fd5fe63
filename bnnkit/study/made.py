"""`made.json`: what each result in the folder of a study was made of."""

import json

from bnnkit._files import write_text
from bnnkit.nn.checkpoint import damaged
from bnnkit.study.identity import differences


class Made:
    """The identities of the results in a folder, by their paths in it.

    An identity is written down before its result is made, and a result of another one is deleted
    before that: whenever a process ends, what is there is what is written.

    Parameters
    ----------
    path : Path
        Of the file.

    Raises
    ------
    ValueError
        It is damaged.
    """

    def __init__(self, path):
        self._path, self._found = path, {}
        if path.exists():
            self._found = _read(path)

    def of(self, name):
        """The identity of a result, or None."""
        return self._found.get(name)

    def is_same(self, name, identity):
        """Whether a result was made of just this."""
        return self.of(name) == _plain(identity)

    def check(self, what, name, identity):
        """Raise ValueError if `what`, the result `name`, was made of something else."""
        old = self.of(name)
        if old is not None and old != _plain(identity):
            raise ValueError(
                f"{self._path.parent} holds another {what}: {differences(old, _plain(identity))}; "
                "take the change back, give it another name, or give another folder"
            )

    def note(self, name, identity):
        """Write down what a result is going to be made of."""
        if not self.is_same(name, identity):
            self._found[name] = _plain(identity)
            write_text(self._path, json.dumps(self._found, indent=2) + "\n")


def _plain(identity):
    return json.loads(json.dumps(identity))


def _read(path):
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(each, dict) for each in found.values()):
            raise ValueError("it holds no settings")
    except (ValueError, AttributeError, RecursionError) as error:
        raise damaged(path, error) from None
    return found
