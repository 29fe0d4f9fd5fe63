"""A row of the table, and the clock: medians of turns that functions take one after the other."""

import time
from typing import NamedTuple

import numpy as np

_TURN = 0.05  # seconds that a function runs before it is another one's turn


class Row(NamedTuple):
    """One line of the table: what is compared, with whom, two amounts, the ratio to reach."""

    work: str
    peer: str
    ours: float
    theirs: float
    unit: str
    bar: float = 0  # 0 where there is none

    @property
    def ratio(self):
        return self.theirs / self.ours


def medians(functions, rounds, clock=time.thread_time):
    """Median seconds of a call of each function, by the CPU time of this thread.

    The functions take turns, so that what slows the machine down for a while slows all of them.
    """
    calls = [max(1, round(_TURN / _seconds(function, 1, clock))) for function in functions]
    turns = [
        [_seconds(*turn, clock) for turn in zip(functions, calls, strict=True)]
        for _ in range(rounds)
    ]
    return np.median(turns, axis=0)


def _seconds(function, calls, clock):
    """Seconds of a call, after one that is not counted."""
    function()
    started = clock()
    for _ in range(calls):
        function()
    return (clock() - started) / calls
