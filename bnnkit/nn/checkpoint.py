"""The folder of a training run: what it goes on from after a kill, and a log to read."""

import hashlib
import json
from pathlib import Path

import numpy as np

from bnnkit._files import read_npz, remove_leftovers, write_npz, write_text


class RunFolder:
    """A folder that holds one training run as of its last finished epoch.

    `checkpoint.npz` has the arrays and, as JSON, the rest of `Trainer.state`; `log.jsonl` has
    an epoch's record a line. Each is replaced as a whole, so that a kill at any moment leaves
    the state after some epoch. Two processes must not share a folder.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    identity : dict of str to str
        Everything that the run depends on but its seed.
    seed : int
        For a new run.

    Attributes
    ----------
    seed : int
        With which the run was begun: that of the checkpoint if there is one.

    Raises
    ------
    ValueError
        The folder holds a run of another identity, or a damaged one.
    """

    def __init__(self, folder, identity, seed):
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self._folder)
        self._identity = identity
        self._saved = self._read()
        self.seed = seed
        if self._saved is not None:
            check_same(self._folder, self._saved[1]["identity"], identity)
            self.seed = self._saved[1]["seed"]

    def resume(self, trainer):
        """Bring a new `trainer` to where the run was; write down the start of a new one."""
        if self._saved is None:
            self.save(trainer)
            return
        arrays, rest = self._saved
        self._saved = None  # as much memory as the training itself takes
        try:
            trainer.restore(arrays, rest["run"])
        except (KeyError, TypeError, ValueError) as e:
            raise damaged(self._checkpoint, e) from None

    def save(self, trainer):
        """Replace the log, then the checkpoint: an epoch is done once it is in both."""
        log = "".join(json.dumps(record, default=_plain) + "\n" for record in trainer.history)
        write_text(self._folder / "log.jsonl", log)
        arrays, run = trainer.state()
        rest = {"identity": self._identity, "seed": self.seed, "run": run}
        text = np.frombuffer(json.dumps(rest, default=_plain).encode(), np.uint8)
        write_npz(self._checkpoint, {**arrays, "json": text}, compressed=False)

    @property
    def _checkpoint(self):
        return self._folder / "checkpoint.npz"

    def _read(self):
        """Arrays and the rest, or None if there is no checkpoint."""
        try:
            arrays = read_npz(self._checkpoint)
            rest = json.loads(arrays.pop("json").tobytes())
            if not (isinstance(rest["identity"], dict) and isinstance(rest["seed"], int)):
                raise ValueError("identity and seed are not what they should be")
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError, RecursionError) as e:
            raise damaged(self._checkpoint, e) from None
        return arrays, rest


def check_same(folder, old, new):
    """Raise unless two identities are the same: that of the run in `folder`, and that asked for."""
    changed = [
        f"{name} was {old.get(name)} and is {new.get(name)}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
    if changed:
        raise ValueError(
            f"{folder} holds another training run: {', '.join(changed)}; "
            "give another folder, or delete this one to start anew"
        )


def damaged(path, reason):
    """The error for a file of a run that cannot be read."""
    return ValueError(
        f"{path} is damaged or not a checkpoint ({reason}); give another folder, "
        "or delete this one to start anew"
    )


def _plain(value):
    """A number of NumPy's, which JSON does not know, as Python's."""
    return value.item()


def fingerprint(array):
    """Type, shape and the first 64 bits of the SHA-256 of an array, as text."""
    content = hashlib.sha256(np.ascontiguousarray(array)).hexdigest()
    return f"{array.dtype} {array.shape} {content[:16]}"
