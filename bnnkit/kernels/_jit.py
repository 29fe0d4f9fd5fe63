"""One decorator for every compiled kernel of the package."""

import numba


def kernel(function):
    """Compile `function` with numba on its first call.

    The machine code is cached beside the source file, or in the user's cache where the
    installation is read-only; where neither can be written it is compiled anew in each
    process. Kernels release the GIL, and divide as NumPy does (no exception on zero),
    which lets loops be vectorised. numba notices a changed source file but not a changed
    callee in another file, so a kernel and what it calls live in one file.
    """
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba: "no locator available": nowhere to write a cache
        return numba.njit(**options)(function)
