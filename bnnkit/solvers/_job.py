"""Work that may be done in a thread of its own; who waits for it hears Ctrl-C and the clock."""

from __future__ import annotations

import threading
from collections.abc import Sequence


class EngineLost(Exception):
    """The engine stopped working; the next `Solver.solve` starts a new one."""


class Job:
    """A function to be run, here or in a thread; its result or exception is kept for the caller.

    A function that returns None has left the work to another job.
    """

    def __init__(self, function, wake: threading.Event):
        self._function, self._wake = function, wake
        self._result = self._error = None
        self.ended = False

    def start(self) -> None:
        """Run it in a thread."""
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        """Run it here; `wake` is set when it has ended."""
        try:
            self._result = self._function()
        except BaseException as error:
            self._error = error
        finally:
            self.ended = True
            self._wake.set()

    @property
    def answered(self) -> bool:
        """Whether there is a result, or an exception."""
        return self._result is not None or self._error is not None

    def result(self, reason: str) -> tuple[str, Sequence[int] | None, str]:
        """(status, literals, reason), where `reason` explains why an unknown is one."""
        if isinstance(self._error, EngineLost):
            return "unknown", None, reason or str(self._error)
        if self._error is not None:
            raise self._error
        status, literals = self._result
        if status == "unknown":
            return status, None, reason or "the engine gave up"
        return status, literals, ""
