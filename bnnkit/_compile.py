"""Compiling functions that call each other across the files of a folder.

numba caches machine code by the file of the called function only, so after a change in another
file it would load code that is out of date. The cache folder is therefore named by the contents
of all files of the folder.
"""

import contextlib
import hashlib
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numba

from bnnkit._files import user_cache

# `_nrt=False`: the arrays outlive every call, so nothing in here counts references; it makes
# the native solver two to three times as fast. numpy's error model: no exception on zero.
_OPTIONS = {"nogil": True, "error_model": "numpy", "_nrt": False}
_WRAPPERS = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_OLD = 7 * 24 * 3600  # seconds after which the machine code of other sources is thrown away


def inner(function):
    """Compile a function into its callers."""
    return numba.njit(forceinline=True, **_WRAPPERS, **_OPTIONS)(function)


def shared(function):
    """Compile a function that several compiled functions call; give it few arrays."""
    return numba.njit(**_WRAPPERS, **_OPTIONS)(function)


def entries(folder):
    """The decorator for functions of a folder that Python calls.

    Parameters
    ----------
    folder : Path
        Everything that the functions call in their turn is in its files.

    Returns
    -------
    callable
        Compiles a function on its first call; the machine code is cached where that is possible.
        The function can make no arrays, it gets them.
    """
    cache = _cache_folder(folder)

    def entry(function):
        if cache is None:
            return numba.njit(**_OPTIONS)(function)
        usual, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(cache)
        try:
            return numba.njit(cache=True, **_OPTIONS)(function)
        finally:
            numba.config.CACHE_DIR = usual

    return entry


def _cache_folder(folder):
    """The first folder that can be written, or None."""
    import os

    if not Path(__file__).exists():  # installed without sources, so nothing names their content
        return None
    digest = hashlib.sha256()
    for source in (Path(__file__), *sorted(folder.glob("*.py"))):
        digest.update(source.read_bytes())
    name = f"{folder.name}-{digest.hexdigest()[:16]}"
    chosen = [Path(numba.config.CACHE_DIR)] if numba.config.CACHE_DIR else []
    for base in (*chosen, folder / "__pycache__", user_cache(sys.platform, os.environ)):
        try:
            new = not (base / name).exists()
            (base / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=base / name):
                pass
        except OSError:
            continue
        if new:
            _remove_old(base, folder.name)
        return base / name
    return None


def _remove_old(base, name):
    """Remove the cache folders of other sources; a process that still uses one compiles anew."""
    for other in base.glob(f"{name}-{'[0-9a-f]' * 16}"):
        with contextlib.suppress(OSError):  # another process may be doing the same
            if time.time() - other.stat().st_mtime > _OLD:
                shutil.rmtree(other)
