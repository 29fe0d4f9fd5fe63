"""Objects that live in a child process, for engines that only the end of their process can stop.

The child is a fresh Python interpreter, neither a fork nor a second run of the user's program.
It takes a quarter of a second to start (twice that for OR-Tools), so a child whose object has been
released waits for the next one (at most `KEPT` do), until this process ends.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

from bnnkit.formula import ClauseArrays, Formula, SumArrays
from bnnkit.solvers._job import EngineLost
from bnnkit.solvers.base import Solver

KEPT = 2
PATIENCE = 0.03  # seconds

_idle: list[_Child] = []
_idle_lock = threading.Lock()


class ProcessSolver(Solver):
    """A solver whose engine lives in a child process.

    A timeout, `interrupt` and Ctrl-C kill the process, and what the engine has learnt with it; a
    process that dies by itself gives the status "unknown". The process starts with the solver, or
    with the next `solve` after its end; closed solvers leave theirs to later ones.

    Parameters
    ----------
    formula : Formula, optional
    engine : type
        Of an object with the methods ``add(n_vars, clauses, sums)``, see `Solver._add`, and
        ``search(assumptions, seconds)``, see `Solver._search`.
    *arguments
        For `engine`.
    """

    def __init__(self, formula: Formula | None, engine: type, *arguments):
        self._recipe = engine, *arguments
        super().__init__(formula)

    def _prepare(self) -> None:
        for module in self.requires:
            RemoteObject(importlib.import_module, module).release()

    def _start(self) -> None:
        self._remote = RemoteObject(*self._recipe)

    def _add(self, n_vars: int, clauses: ClauseArrays, sums: SumArrays) -> None:
        self._remote.call("add", n_vars, clauses, sums)

    def _load(self) -> None:
        if self._started and not self._remote.usable:  # it ended between two calls
            self._discard_engine()
        super()._load()

    def _search(self, assumptions: list[int]) -> tuple[str, Sequence[int] | None]:
        answer = self._remote.call("search", assumptions, self._deadline - time.monotonic())
        early = self._deadline - time.monotonic()
        if answer[0] == "unknown" and 0 < early < PATIENCE:  # by the engine's own, faster clock
            time.sleep(early)
        return answer

    def _halt(self) -> None:
        # an engine that minds its seconds ends just after the deadline without being killed
        if not 0 <= time.monotonic() - self._deadline < PATIENCE:
            self._remote.kill()

    def _stop(self) -> None:
        self._remote.release()


class RemoteObject:
    """An object in a child process; its methods are called with `call`, one at a time.

    Parameters
    ----------
    make : callable
        A class or function of an importable module, called in the child.
    *arguments
        For `make`. Arguments and results are pickled.
    """

    def __init__(self, make, *arguments):
        self._child = _take_idle() or _Child()
        self._child.send("make", make, arguments)
        self._made = False

    def call(self, method: str, *arguments) -> Any:
        """Call a method and wait for its result; an exception of the method is raised here.

        Raises
        ------
        EngineLost
            If the child process ends before.
        """
        self.wait()
        self._child.send("call", method, arguments)
        return self._child.receive()

    def wait(self) -> None:
        """Wait until the object exists; an exception of its making is raised here."""
        if not self._made:
            self._child.receive()
            self._made = True

    @property
    def usable(self) -> bool:
        """Whether the child process lives and is ours, not that of a parent that has forked."""
        return self._child.usable

    def kill(self) -> None:
        """End the child process at once; a `call` in another thread raises EngineLost."""
        self._child.kill()

    def release(self) -> None:
        """Delete the object; its child process waits for the next one."""
        child = self._child
        with contextlib.suppress(EngineLost):
            self.wait()
            child.send("make", object, ())
            child.receive()
            with _idle_lock:
                if len(_idle) < KEPT:
                    _idle.append(child)
                    return
        child.kill()


class _Child:
    """The parent's side of a child process."""

    def __init__(self):
        # nothing is ever written into the lifeline: that it closes tells of this process's end
        theirs, ours = os.pipe() if os.name == "posix" else (None, None)
        program = (
            f"import sys; sys.path[:] = {sys.path!r}\n"
            f"from bnnkit.solvers._process import serve\nserve({theirs})"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is the parent's
            pass_fds=() if theirs is None else (theirs,),
        )
        self._owner = os.getpid()  # a fork of it must leave the child alone
        # at exit, too
        self.kill = weakref.finalize(self, _kill, self._process, ours, self._owner)
        if theirs is not None:
            os.close(theirs)

    @property
    def usable(self) -> bool:
        return self.kill.alive and self._owner == os.getpid()

    def send(self, *request) -> None:
        if not self.usable:
            raise EngineLost("the solver's process was ended, or belongs to another process")
        with self._ending_if_broken():
            pickle.dump(request, self._process.stdin)
            self._process.stdin.flush()

    def receive(self) -> Any:
        with self._ending_if_broken():
            done, value = pickle.load(self._process.stdout)
        if not done:
            raise value
        return value

    @contextlib.contextmanager
    def _ending_if_broken(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
            self.kill()
            code = self._process.wait()
            raise EngineLost(f"the solver's process ended with exit code {code}") from error


def _kill(process: subprocess.Popen, lifeline: int | None, owner: int) -> None:
    if os.getpid() != owner:
        return
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):  # of what could not be written any more
            pipe.close()
    if lifeline is not None:
        os.close(lifeline)


def _take_idle() -> _Child | None:
    with _idle_lock:
        while _idle:
            child = _idle.pop()
            if child.usable:
                return child
    return None


def serve(lifeline: int | None) -> None:
    """The child's side: answer requests until the parent closes the pipe or is gone."""
    if lifeline is not None:
        _end_with(lifeline)
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what an engine prints must not come between the replies
    target = None
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            action, what, arguments = pickle.load(requests)
            try:
                if action == "make":
                    target = None  # free the old one first
                    target, value = what(*arguments), None
                else:
                    value = getattr(target, what)(*arguments)
                reply = True, value
            except Exception as error:
                reply = False, error
            pickle.dump(reply, replies)
            replies.flush()


def _end_with(lifeline: int) -> None:
    """Have the system end this process when the other end of a pipe closes, without any Python.

    Engines hold the interpreter's lock while they search, so a thread could not watch the parent.
    But the system can send a signal (SIGIO) when something happens on a pipe, and a process that
    does not handle it ends.
    """
    import fcntl
    import select

    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:
        sys.exit("the parent ended before its solver process had started")
