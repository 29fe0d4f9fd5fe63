"""Seals: by which a file of models is known to be this user's, before anything in it is unpickled.

A pickle is a program, and models of any kind can be kept as pickles only. So what a run writes is
sealed with a key that each user has, and what has no such seal is not loaded.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

import numpy as np

VARIABLE = "BNNKIT_KEY"
_SIZE = 32  # bytes


def seal(arrays):
    """The HMAC-SHA-256 of a dict of arrays, with this user's key: uint8 (32,)."""
    code = hmac.new(_key(), digestmod=hashlib.sha256)
    for name, array in sorted(arrays.items()):
        code.update(f"{len(name)} {name} {array.dtype.str} {array.shape} ".encode())
        code.update(np.ascontiguousarray(array))
    return np.frombuffer(code.digest(), np.uint8)


def check_seal(path, arrays, found):
    """Raise ValueError unless `found` is the seal of the arrays of the file `path`."""
    content = b"" if found is None else found.tobytes()
    if not hmac.compare_digest(content, seal(arrays).tobytes()):
        raise ValueError(
            f"{path} has not been written with the key in {_place()}, and the models in it could "
            "run any program: not loaded. Give another folder; or, if the file is your own, set "
            f"{VARIABLE} to the file of the key that it was written with"
        )


def _place():
    return Path(os.environ.get(VARIABLE) or "~/.bnnkit/key").expanduser()


def _key():
    """The key of this user, made when it is first needed; nobody else may read its file."""
    place = _place()
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_SIZE))
            with contextlib.suppress(FileExistsError):
                os.link(temporary, place)  # unlike a renaming, never in place of another key
        finally:
            os.unlink(temporary)
    key = place.read_bytes()
    if len(key) != _SIZE:
        raise ValueError(
            f"{place} is no key: {len(key)} bytes, not {_SIZE}; delete it for a new one"
        )
    return key
