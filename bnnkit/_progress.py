"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import sys
import time

_SECONDS_BETWEEN_LINES = 10.0


def progress(iterable, description, total=None, note=None):
    """Yield from `iterable` while showing how far it is, on standard error.

    On a terminal this is a tqdm bar. Elsewhere (a log file, a pipe) it is a plain line
    every ten seconds, and none for work that is shorter than that. Both tell the rate and, where
    the total is known, the time that is left.

    Parameters
    ----------
    iterable : iterable
    description : str
    total : int, optional
        Number of items, where ``len(iterable)`` does not say.
    note : callable, optional
        Gives a text that is shown as well, as it is then.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(iterable, desc=description, total=total, leave=False, dynamic_ncols=True) as bar:
            for item in bar:
                if note is not None:
                    bar.set_postfix_str(note(), refresh=False)
                yield item
        return
    total = total if total is not None else getattr(iterable, "__len__", lambda: None)()
    started = spoken = time.monotonic()
    for done, item in enumerate(iterable, start=1):
        now = time.monotonic()
        if now - spoken >= _SECONDS_BETWEEN_LINES:
            line = f"{description}: {_how_far(done, total, now - started)}"
            print(line + (f", {note()}" if note else ""), file=sys.stderr, flush=True)
            spoken = now
        yield item


def _how_far(done, total, seconds):
    rate = done / max(seconds, 1e-9)
    if total is None:
        return f"{done}, {rate:.3g} a second"
    return f"{done} of {total}, {rate:.3g} a second, {(total - done) / rate:.0f} s left"


def say(text):
    """Print a line to standard output without tearing the bars that are on the terminal."""
    if "tqdm" in sys.modules:
        sys.modules["tqdm"].tqdm.write(text)
        sys.stdout.flush()
    else:
        print(text, flush=True)
