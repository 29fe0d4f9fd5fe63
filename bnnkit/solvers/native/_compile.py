"""Compiling the solver's functions, which call each other across files.

numba caches machine code by the file of the called function only, so after a change in another
file it would load code that is out of date. The cache folder is therefore named by the contents
of all files of this folder.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

import numba

from bnnkit.datasets.places import user_cache

# `_nrt=False`: the arrays in a state outlive every call, so nothing in here counts references;
# it makes the search two to three times as fast. numpy's error model: no exception on zero.
_OPTIONS = {"nogil": True, "error_model": "numpy", "_nrt": False}


def inner(function):
    """Compile a function into its callers."""
    wrappers = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return numba.njit(forceinline=True, **wrappers, **_OPTIONS)(function)


def shared(function):
    """Compile a function that several compiled functions call; give it few arrays."""
    wrappers = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return numba.njit(**wrappers, **_OPTIONS)(function)


def entry(function):
    """Compile a function that Python calls; its machine code is cached where that is possible."""
    folder = _cache_folder()
    if folder is None:
        return numba.njit(**_OPTIONS)(function)
    usual, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    finally:
        numba.config.CACHE_DIR = usual


def _cache_folder():
    """The first folder that can be written, or None."""
    import os

    here = Path(__file__).parent
    digest = hashlib.sha256()
    for source in sorted(here.glob("*.py")):
        digest.update(source.read_bytes())
    name = f"native-{digest.hexdigest()[:16]}"
    chosen = [Path(numba.config.CACHE_DIR)] if numba.config.CACHE_DIR else []
    for base in (*chosen, here / "__pycache__", user_cache(sys.platform, os.environ)):
        try:
            (base / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=base / name):
                return base / name
        except OSError:
            continue
    return None
