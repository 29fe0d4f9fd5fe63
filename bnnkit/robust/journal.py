"""The folder of a robust training: its finished rounds, from which it goes on after a kill."""

import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bnnkit._files import read_npz, remove_leftovers, write_npz, write_text
from bnnkit.nn.checkpoint import check_same, damaged
from bnnkit.robust.history import Round
from bnnkit.robust.seal import check_seal, seal
from bnnkit.robust.sources import Drawn

_READING = (AttributeError, ImportError, KeyError, TypeError, ValueError, EOFError, IndexError)


class Journal:
    """A folder that holds the finished rounds of one run.

    `run.json` says which run; `round-000.npz` and so on have a round each: its record, the
    images that it added, and its models, pickled. A round that this user has not written is
    refused before anything is unpickled, see `bnnkit.robust.seal`.

    Parameters are those of `bnnkit.nn.checkpoint.RunFolder`, as are `seed` and the errors.
    """

    def __init__(self, folder, identity, seed):
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self._folder)
        self._goes_on = True  # until a round is found missing
        path = self._folder / "run.json"
        if path.exists():
            old, self.seed = _read_run(path)
            check_same(self._folder, old, identity)
        elif self._path(0).exists():
            raise damaged(path, "it is missing")
        else:
            self.seed = seed
            write_text(path, json.dumps({"identity": identity, "seed": seed}, indent=2) + "\n")

    def read(self, index):
        """Round `index` as (Round, models, Drawn, used), or None if it is not finished."""
        path = self._path(index)
        self._goes_on = self._goes_on and path.exists()
        if not self._goes_on:
            return None
        try:
            arrays = read_npz(path)
        except ValueError as e:
            raise damaged(path, e) from None
        check_seal(path, arrays, arrays.pop("seal", None))
        try:
            rest = json.loads(arrays["json"].tobytes())
            finished = Round.from_dict(rest["round"])
            models = [_unpickled(arrays[f"model-{i}"]) for i in range(rest["n_models"])]
            drawn = Drawn(
                *(arrays[name].copy() for name in ("images", "labels")),
                *(finished.n_attacked, finished.n_undecided),
                arrays["origin"].copy(),
            )
            return finished, models, drawn, rest["used"]
        except _READING as e:
            raise damaged(path, e) from None

    def save(self, finished, models, drawn, used):
        """Write down a finished Round, its models, its Drawn, and how much stock is used."""
        rest = {"round": asdict(finished), "n_models": len(models), "used": used}
        arrays = {
            "json": np.frombuffer(json.dumps(rest).encode(), np.uint8),
            "images": drawn.images,
            "labels": drawn.labels,
            "origin": drawn.origin,
        }
        arrays |= {f"model-{i}": pickled(model) for i, model in enumerate(models)}
        arrays["seal"] = seal(arrays)
        write_npz(self._path(finished.index), arrays, compressed=False)

    def _path(self, index):
        return self._folder / f"round-{index:03}.npz"


def pickled(model):
    """The model as an array of bytes, or a TypeError that says why it cannot be kept."""
    import joblib

    file = io.BytesIO()
    try:
        joblib.dump(model, file)
    except Exception as error:  # whatever its own parts raise
        raise TypeError(
            f"with a folder, models must be picklable, and this {type(model).__name__} is not "
            f"({error}); give it functions that a module defines at its top, or leave folder out"
        ) from None
    return np.frombuffer(file.getbuffer(), np.uint8)


def _unpickled(array):
    import joblib

    return joblib.load(io.BytesIO(array.tobytes()))


def _read_run(path):
    """Identity and seed."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        identity, seed = run["identity"], run["seed"]
        if not (isinstance(identity, dict) and isinstance(seed, int)):
            raise ValueError("identity and seed are not what they should be")
    except (KeyError, TypeError, ValueError) as e:
        raise damaged(path, e) from None
    return identity, seed
