"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import sys
import time

_SECONDS_BETWEEN_LINES = 10.0


def progress(iterable, description, total=None):
    """Yield from `iterable` while showing how far it is, on standard error.

    On a terminal this is a tqdm bar. Elsewhere (a log file, a pipe) it is a plain line
    every ten seconds, and none for work that is shorter than that.

    Parameters
    ----------
    iterable : iterable
    description : str
    total : int, optional
        Number of items, where ``len(iterable)`` does not say.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(iterable, desc=description, total=total, leave=False, dynamic_ncols=True)
        return
    total = total if total is not None else getattr(iterable, "__len__", lambda: None)()
    spoken = time.monotonic()
    for done, item in enumerate(iterable):
        now = time.monotonic()
        if now - spoken >= _SECONDS_BETWEEN_LINES:
            of_total = f" of {total}" if total is not None else ""
            print(f"{description}: {done}{of_total}", file=sys.stderr, flush=True)
            spoken = now
        yield item


def say(text):
    """Print a line to standard output without tearing the bars that are on the terminal."""
    if "tqdm" in sys.modules:
        sys.modules["tqdm"].tqdm.write(text)
        sys.stdout.flush()
    else:
        print(text, flush=True)
