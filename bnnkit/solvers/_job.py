"""Work in a thread of its own, so that whoever waits for it hears Ctrl-C and the clock."""

from __future__ import annotations

import threading
from collections.abc import Sequence


class EngineLost(Exception):
    """The engine stopped working; the next `Solver.solve` starts a new one."""


class Job:
    """A function that runs in a thread; its result or exception is kept for the caller."""

    def __init__(self, function, wake: threading.Event):
        self._function, self._wake = function, wake
        self._result = self._error = None
        self.ended = False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:
            self._error = error
        finally:
            self.ended = True
            self._wake.set()

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
