"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import sys
import time

_SECONDS_BETWEEN_LINES = 10.0


def progress(iterable, description, total=None, note=None, count=None):
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
    count : callable, optional
        Gives how many of `total` are done, as it is then: where that is not the number of items,
        or where some were done before. The rate is that of what is done here.
    """
    total = total if total is not None else getattr(iterable, "__len__", lambda: None)()
    before = count() if count else 0
    if sys.stderr.isatty():
        from tqdm import tqdm

        bar = tqdm(*(None, description, total), initial=before, leave=False, dynamic_ncols=True)
        with bar:
            for items, item in enumerate(iterable, start=1):
                if note is not None:
                    bar.set_postfix_str(note(), refresh=False)
                bar.update((count() if count else items) - bar.n)
                yield item
        return
    started = spoken = time.monotonic()
    for items, item in enumerate(iterable, start=1):
        now = time.monotonic()
        if now - spoken >= _SECONDS_BETWEEN_LINES:
            done = count() if count else items
            line = f"{description}: {_how_far(done, total, (done - before) / (now - started))}"
            print(line + (f", {note()}" if note else ""), file=sys.stderr, flush=True)
            spoken = now
        yield item


def _how_far(done, total, rate):
    so_far = f"{done}" if total is None else f"{done} of {total}"
    left = f", {(total - done) / rate:.0f} s left" if total is not None and rate > 0 else ""
    return f"{so_far}, {rate:.3g} a second{left}"


def say(text):
    """Print a line to standard output without tearing the bars that are on the terminal."""
    if "tqdm" in sys.modules:
        sys.modules["tqdm"].tqdm.write(text)
        sys.stdout.flush()
    else:
        print(text, flush=True)
