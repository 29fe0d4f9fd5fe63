"""A worker's side: questions go to a child process, which is watched and replaced.

A worker is whatever joblib runs `answer` in: a thread of this process, or a thread or process of
a cluster. It only waits, so it survives whatever happens to the child.
"""

import contextlib
import itertools
import math
import os
import threading
import time

from bnnkit.campaign.answering import SLICE, Answerer, Lost
from bnnkit.solvers._job import EngineLost
from bnnkit.solvers._process import RemoteObject

GRACE = 5.0  # seconds after a timeout, when a child that has not answered is ended
IDLE = 30.0  # seconds that a child waits for more questions
GLANCE = 0.1  # seconds between two looks at the clock
RECIPES = 4  # that are kept

_lock = threading.Lock()
_recipes = {}  # by key, the latest ones
_idle = []  # workers whose children wait, the latest one last
_busy = {}  # sets of workers, by the run that they work for
_stopped = set()  # runs
_watcher = None  # a thread, see `_watch`


class RunStopped(Exception):
    """Nobody waits for these answers any more."""


def answer(run, key, recipe, memory_limit, arguments, places, questions):
    """Answer the first ones of some questions.

    Parameters
    ----------
    run : str
        Whoever asks, for `stop`.
    key : str
        Stands for the recipe and the limit.
    recipe : bytes or None
        See `Answerer`; None: it was here before.
    memory_limit : int or None
    arguments : dict
        See `Answerer.answer`.
    places : list
        Handed back.
    questions : list of (image, label)

    Returns
    -------
    places : list
    environment : str
    outcomes : list of Verdict or Lost, or None
        None: the recipe is not here, ask again with it.
    """
    with _lock:
        recipe = _recipes[key] = recipe or _recipes.pop(key, None)
        for old in [*_recipes][:-RECIPES]:
            del _recipes[old]
        if recipe is None:
            del _recipes[key]
            return places, "", None
    with _worker(run, key, recipe, memory_limit) as worker:
        outcomes = worker.answer(arguments, questions)
        return places, worker.environment, outcomes


def stop(run):
    """End all children that work for `run` in this process."""
    with _lock:
        _stopped.add(run)
        for worker in _busy.get(run, ()):
            worker.stop()


class _Worker:
    """A child process for the questions about one network, and its successors."""

    def __init__(self, key, recipe, memory_limit):
        self.key, self._recipe, self._limit = key, recipe, memory_limit
        self._stopped, self._deadline = False, math.inf
        self._start()

    def _start(self):
        """Start a child, cold if an easy question ends it: the others shall have their chance."""
        for warm in (True, False):
            if self._stopped:
                raise RunStopped
            self._remote = RemoteObject(Answerer, self._recipe, self._limit, warm)
            try:
                self.environment = self._remote.call("environment")
                return
            except (EngineLost, MemoryError) as error:
                self._remote.kill()
                lost = error
                if self._limit is not None:
                    break
        limit = "" if self._limit is None else f"; memory_limit={self._limit} may be too low"
        raise RuntimeError(f"the process that shall answer cannot even start: {lost}{limit}")

    def answer(self, arguments, questions):
        """See `Answerer.answer`; if the child ends, the questions are asked one at a time."""
        try:
            return self._call(arguments, questions)
        except (EngineLost, MemoryError):
            self._start()
        outcomes = []
        for question in questions:
            started = time.perf_counter()
            try:
                outcomes += self._call(arguments, [question])
            except (EngineLost, MemoryError) as error:
                reason = str(error) or "out of memory"
                outcomes.append(Lost(reason, time.perf_counter() - started))
                self._start()
                break
        return outcomes

    def _call(self, arguments, questions):
        timeout = arguments["timeout"]
        self._late = False
        if timeout is not None:
            self.end_after(SLICE + timeout + GRACE)
        try:
            return self._remote.call("answer", arguments, questions)
        except MemoryError:
            self._remote.kill()  # who knows what state it is in
            raise MemoryError(f"out of memory, the limit is {self._limit} bytes") from None
        except EngineLost as error:
            if self._stopped:
                raise RunStopped from None
            reason = str(error).replace("solver's process", "process")
            if self._late:
                reason = (
                    f"no answer {GRACE:g} s after the timeout of {timeout:g} s, "
                    "so the process was ended"
                )
            raise EngineLost(reason) from error
        finally:
            self.end_after(math.inf)

    def end_after(self, seconds):
        """Have the child ended, unless this is called again before."""
        self._deadline = time.monotonic() + seconds

    def look_at_the_clock(self):
        """End the child if it is time."""
        if time.monotonic() >= self._deadline:
            self._late = True
            self._remote.kill()

    def stop(self):
        """End the child; what waits for it raises RunStopped."""
        self._stopped = True
        self._remote.kill()

    @property
    def usable(self):
        return self._remote.usable

    def discard(self):
        """Leave the process to the next child where that can do without a limit."""
        if self._limit is None:
            self._remote.release()
        else:
            self._remote.kill()


@contextlib.contextmanager
def _worker(run, key, recipe, memory_limit):
    """An idle worker with this key, or a new one; idle again afterwards."""
    worker = _take(key) or _Worker(key, recipe, memory_limit)
    with _lock:
        if run in _stopped:
            worker.stop()
            raise RunStopped
        busy = _busy.setdefault(run, set())
        busy.add(worker)
        _start_watching()
    answered = False
    try:
        yield worker
        answered = True
    finally:
        if (
            not answered
        ):  # the reply may still come, and would be taken for that to another question
            worker.stop()
        with _lock:
            busy.discard(worker)
            if not busy:
                _busy.pop(run, None)
            if answered and worker.usable:
                worker.end_after(IDLE)
                _idle.append(worker)


def _take(key):
    with _lock:
        gone = [worker for worker in _idle if not worker.usable]
        matching = [worker for worker in _idle if worker.key == key and worker.usable]
        others = [worker for worker in _idle if worker.key != key and worker.usable]
        chosen = (matching[-1:] or others[:1] or [None])[0]
        for worker in (*gone, *filter(None, [chosen])):
            _idle.remove(worker)
            worker.end_after(math.inf)
    if chosen is None or chosen.key == key:
        return chosen
    chosen.discard()
    return None


def _start_watching():
    """Have a thread that looks at the clock for all workers; one for each batch would be dear."""
    global _watcher
    if _watcher is None:
        _watcher = threading.Thread(target=_watch, daemon=True)
        _watcher.start()


def _watch():
    global _watcher
    while True:
        time.sleep(GLANCE)
        with _lock:
            _idle[:] = [worker for worker in _idle if worker.usable]
            watched = [*_idle, *itertools.chain(*_busy.values())]
            if not watched:
                _watcher = None
                return
        for worker in watched:
            worker.look_at_the_clock()


def _forget():
    """A forked process has neither the children nor the thread, and perhaps a lock held."""
    global _lock, _watcher
    _lock, _watcher = threading.Lock(), None
    _idle.clear()
    _busy.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
