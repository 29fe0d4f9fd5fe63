"""Threads: one pool, one setting, for work that can be cut into ranges.

Compiled kernels release the GIL, so ranges of images can be computed side by side by ordinary
threads. Nothing here runs inside a kernel, so that a process may be forked at any time.
"""

import itertools
import os
import threading
from concurrent.futures import ThreadPoolExecutor

_changing = threading.Lock()
_here = threading.local()  # `_here.busy`: this thread is one of the pool
_pool = None
_n_threads = None


def get_threads():
    """Number of threads that large batches are spread over.

    Returns
    -------
    int
        The cores that this process may use, unless `set_threads` has said otherwise.

    Examples
    --------
    >>> from bnnkit import get_threads, set_threads
    >>> set_threads(2)
    >>> get_threads()
    2
    >>> set_threads(None)  # all cores again
    """
    if _n_threads is not None:
        return _n_threads
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def set_threads(n):
    """Set the number of threads that large batches are spread over.

    Parameters
    ----------
    n : int or None
        1 computes in the calling thread. None returns to the default, all usable cores.

    Examples
    --------
    >>> from bnnkit import get_threads, set_threads
    >>> set_threads(1)
    >>> get_threads()
    1
    >>> set_threads(None)
    """
    global _n_threads, _pool
    if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < 1):
        raise ValueError(f"the number of threads must be an integer of at least 1, got {n!r}")
    with _changing:
        old, _n_threads, _pool = _pool, n, None
    if old is not None:
        old.shutdown(wait=False)  # what has begun ends in its own time


def map_ranges(work, n, size):
    """Call ``work(start, stop)`` for consecutive ranges that cover 0 to n.

    Parameters
    ----------
    work : callable
        Is called in several threads at a time, if there are several ranges. A call should
        take at least some 200 microseconds, to be worth the way to another thread.
    n : int
    size : int
        Length of the ranges; the last one may be shorter.

    Returns
    -------
    list
        What the calls returned, in order.

    Examples
    --------
    >>> from bnnkit.kernels import map_ranges
    >>> map_ranges(lambda start, stop: list(range(start, stop)), 5, 2)
    [[0, 1], [2, 3], [4]]
    """
    starts = range(0, n, size)
    stops = [min(start + size, n) for start in starts]
    if len(starts) < 2 or get_threads() == 1 or getattr(_here, "busy", False):
        return list(itertools.starmap(work, zip(starts, stops, strict=True)))
    return list(_submit(work, starts, stops))


def _submit(work, starts, stops):
    """Give the pool all ranges, making one if there is none; the results, in order."""
    global _pool
    with _changing:  # nobody ends the pool until it has everything
        if _pool is None:
            _pool = ThreadPoolExecutor(get_threads(), "bnnkit", initializer=_mark)
        return _pool.map(work, starts, stops)


def _mark():
    _here.busy = True


def _forget():
    """A forked child has the pool but not its threads, and perhaps a lock that nobody returns."""
    global _pool, _changing
    _pool, _changing = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
