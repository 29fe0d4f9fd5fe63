"""Damage done to real files, for the tests that every reader must pass."""

import contextlib
import signal
import sys
import threading

import numpy as np

_NUMBERS = (b"0", b"-1", b"1", b"255", b"65536", b"2147483648", b"-9223372036854775809", b"9" * 400)
_WORDS = (b"", b"\0", b"\n", b" ", b"\xff\xfe", "é٣".encode(), b"nan", b"(", b"#", b";", b"~")


def mutations(content, count, seed=0):
    """Yield `count` damaged copies of some bytes: cut, changed, moved, repeated, with odd numbers.

    Parameters
    ----------
    content : bytes
        A file that can be read.
    count : int
    seed : int
    """
    rng = np.random.default_rng(seed)
    ways = (_cut, _change_bytes, _flip_bit, _delete, _repeat, _move, _insert, _change_number)
    for i in range(count):
        damaged = bytearray(content)
        for _ in range(1 + int(rng.integers(3)) * int(rng.random() < 0.3)):
            ways[i % len(ways)](damaged, rng)
        yield bytes(damaged)


def check_reader(read, path, content, count=200, seed=0, pack=bytes, named=True):
    """Assert that a reader takes damaged files or refuses them by a ValueError, and quickly.

    Parameters
    ----------
    read : callable
        Takes a path; what it returns is handed back to the caller for further checks.
    path : Path
        Where the damaged files are written, one after another.
    content : bytes
        A file that can be read.
    pack : callable
        What is done to the damaged bytes before they are written, such as ``gzip.compress``.
    named : bool
        Whether errors must name the file.

    Returns
    -------
    list
        What was read from the damaged files that were taken.
    """
    path.write_bytes(pack(content))
    read(path)
    taken, refusals, memory = [], [], _most_memory()
    for damaged in mutations(content, count, seed):
        path.write_bytes(pack(damaged))
        try:
            with _alarm(20):
                taken.append(read(path))
        except ValueError as error:
            refusals.append(error)
    for error in refusals:
        assert not isinstance(error, UnicodeError), error
        assert not named or path.name in str(error), error
        assert len(str(error)) < 2_000, "an error is a sentence, not the file"
    assert _most_memory() - memory < 300e6, "damaged files must not take memory"
    assert refusals, "nothing was refused; is the damage any?"
    return taken


def _place(data, rng):
    return int(rng.integers(len(data) + 1))


def _span(data, rng):
    start = _place(data, rng)
    return start, min(len(data), start + 1 + int(rng.geometric(0.05)))


def _cut(data, rng):
    del data[_place(data, rng) :]


def _change_bytes(data, rng):
    start, end = _span(data, rng)
    data[start:end] = rng.bytes(end - start)


def _flip_bit(data, rng):
    if data:
        data[_place(data, rng) % len(data)] ^= 1 << int(rng.integers(8))


def _delete(data, rng):
    start, end = _span(data, rng)
    del data[start:end]


def _repeat(data, rng):
    start, end = _span(data, rng)
    data[start:start] = data[start:end] * int(rng.integers(1, 50))


def _move(data, rng):
    start, end = _span(data, rng)
    part = data[start:end]
    del data[start:end]
    place = _place(data, rng)
    data[place:place] = part


def _insert(data, rng):
    place = _place(data, rng)
    data[place:place] = _WORDS[rng.integers(len(_WORDS))]


def _change_number(data, rng):
    """Replace a run of digits, or four bytes where there is none nearby."""
    place = _place(data, rng)
    start = next((i for i in range(place, len(data)) if chr(data[i]) in "0123456789"), None)
    if start is None or start > place + 1000:
        data[place : place + 4] = (2**31 - 1).to_bytes(4, "little")
        return
    end = start
    while end < len(data) and chr(data[end]) in "0123456789":
        end += 1
    data[start:end] = _NUMBERS[rng.integers(len(_NUMBERS))]


@contextlib.contextmanager
def _alarm(seconds):
    """Raise TimeoutError in a block that takes longer, where the system has alarms."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_):
        raise TimeoutError(f"a damaged file keeps its reader busy for more than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _most_memory():
    """The most bytes that this process has ever had in memory; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
