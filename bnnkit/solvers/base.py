"""The abstract solver: checks, timing, threads and incremental loading, once for all backends."""

from __future__ import annotations

import importlib
import math
import operator
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from bnnkit.formula import ClauseArrays, Formula, SumArrays
from bnnkit.formula._arrays import portions
from bnnkit.solvers import translate
from bnnkit.solvers._job import Job
from bnnkit.solvers.outcome import Outcome, WrongAnswer

SLICE = 20_000  # literals that are loaded between two looks at the clock
SMALL = 100_000  # literals of a formula that is loaded, and searched briefly, without a thread
NUDGE = 0.01  # seconds between two requests to stop, as a request may come before the search
GLANCE = 0.2  # seconds between two looks at the keyboard, where waiting cannot be interrupted

Answer = tuple[str, Sequence[int] | None]  # of an engine, see `Solver._search`


class Solver(ABC):
    """A complete solver for one formula, which may grow between its calls.

    A subclass implements the hooks `_start`, `_add`, `_search`, `_halt` and `_stop`; TEMPLATE.py
    shows how. Constraints are loaded when `solve` is called, so that its timeout covers all, and
    both loading and search run in a thread of their own, so that Ctrl-C is heard at once. Only
    what takes no more than some milliseconds may be done without one, see `_search_briefly`.

    Parameters
    ----------
    formula : Formula, optional
        Copied: it can grow on its own afterwards. Empty if left out.

    Attributes
    ----------
    name, description : str
        Of the class: the name in the registry, and what the engine is.
    abilities : frozenset of str
        Of the class: the sums that it takes natively, of "cardinality" (sums with coefficients 1
        that must hold), "reified" (with an output literal) and "coefficients". What is missing is
        done for it by `bnnkit.solvers.translate`. A solver of clauses only has none of them, and
        passes the sums that it gets to `bnnkit.solvers.encodings.ClauseEncoder`.
    requires : tuple of str
        Of the class: the modules that it needs, imported when the first solver is made.
    takes_encoding : bool
        Of the class: whether there is an option `encoding`.
    resumes : bool
        Of the class: whether a call after an interrupted one goes on where it was.
    brief : bool
        Of the class: whether there is a `_search_briefly`.
    proves : bool
        Of the class: whether there is an option `log`, and with it a method `proof`.
    hints : frozenset of str
        Of the class: options by which whoever makes the formula can guide the search, of
        "priorities", "diverse" and "seed" (see `Native`).
    formula : Formula
        What is being solved.

    Examples
    --------
    >>> from bnnkit import solvers
    >>> from bnnkit.formula import Formula
    >>> formula = Formula(3)
    >>> formula.add_sum([1, 2, 3], 2)
    >>> with solvers.get("minicard")(formula) as solver:
    ...     print(solver.solve().status, solver.solve(assumptions=[-1, -2]).status)
    sat unsat
    """

    name: ClassVar[str]
    description: ClassVar[str]
    abilities: ClassVar[frozenset[str]] = frozenset(translate.ABILITIES)
    requires: ClassVar[tuple[str, ...]] = ()
    takes_encoding: ClassVar[bool] = False
    resumes: ClassVar[bool] = False
    brief: ClassVar[bool] = False
    proves: ClassVar[bool] = False
    hints: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, formula: Formula | None = None):
        self.formula = Formula() if formula is None else formula.copy()
        self._closed = False
        self._solving = threading.Lock()
        self._wake = threading.Event()  # set when the search has ended or shall end
        self._interrupted = self._stopping = False
        self._engine_lock = threading.Lock()  # for stopping it in one thread, halting in another
        self._deadline = math.inf  # of the current call, on the clock of time.monotonic
        self._forget_engine()
        self._prepare()

    # hooks

    def _prepare(self) -> None:
        """Do what takes long the first time, here and not within the timeout of the first call."""
        for module in self.requires:
            importlib.import_module(module)

    @abstractmethod
    def _start(self) -> None:
        """Make an engine without constraints; called before the first `_add` and after a loss."""

    @abstractmethod
    def _add(self, n_vars: int, clauses: ClauseArrays, sums: SumArrays) -> None:
        """Add constraints over variables up to `n_vars`; called with small portions.

        There are no empty clauses. The sums are of the kinds that `abilities` names,
        normalised (see `translate.normalise`), and none of them is trivial or a clause.
        """

    @abstractmethod
    def _search(self, assumptions: list[int]) -> Answer:
        """Solve under assumptions on distinct variables.

        Returns
        -------
        ("sat", model), ("unsat", core) or ("unknown", None)
            The model as the sequence of its true literals, the core as one of assumptions.

        Raises
        ------
        EngineLost
            If the engine cannot be used any more; the message says why.
        """

    def _search_briefly(self, assumptions: list[int]) -> Answer | None:
        """Search a small formula in the caller's thread, for some milliseconds at most.

        A thread has to wait for a processor, on a busy machine for longer than it takes to decide
        an easy formula. Only called where `brief` is true.

        Returns
        -------
        As `_search`, or None
            None if that was not enough: `_search` goes on in a thread.
        """
        return None

    @abstractmethod
    def _halt(self) -> None:
        """Make the `_search` that runs in another thread end soon.

        Called repeatedly until it has ended, also when it has not begun or has just ended.
        """

    @abstractmethod
    def _stop(self) -> None:
        """Release the engine that `_start` made."""

    # public calls

    def new_var(self) -> int:
        """Make one new variable."""
        return int(self.new_vars(1)[0])

    def new_vars(self, n: int) -> np.ndarray:
        """Make `n` new variables, see `Formula.new_vars`."""
        return self._usable_formula().new_vars(n)

    def add_clause(self, lits: Sequence[int]) -> None:
        """Demand that at least one of `lits` holds."""
        self._usable_formula().add_clause(lits)

    def add_sum(
        self,
        lits: Sequence[int],
        bound: int,
        coefs: Sequence[int] | None = None,
        output: int | None = None,
    ) -> None:
        """Add a sum, see `Formula.add_sum`."""
        self._usable_formula().add_sum(lits, bound, coefs, output)

    def solve(self, assumptions: Sequence[int] = (), timeout: float | None = None) -> Outcome:
        """Look for an assignment that satisfies the formula and the assumptions.

        Parameters
        ----------
        assumptions : sequence of int
            Literals that must hold in this call.
        timeout : float, optional
            Limit for the whole call in seconds; none if left out.

        Raises
        ------
        RuntimeError
            If the solver is closed, or is solving in another thread.
        WrongAnswer
            If it gives a wrong model or core.
        KeyboardInterrupt
            On Ctrl-C; the solver can still be used.
        """
        assumptions = self._check_assumptions(assumptions)
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout must be at least 0 seconds or None, got {timeout}")
        if not self._solving.acquire(blocking=False):
            raise RuntimeError(f"this {self.name} solver is solving in another thread")
        started = time.monotonic()
        try:
            self._interrupted, self._loading = False, 0.0
            self._usable_formula()  # closing in another thread comes before this, or interrupts
            self._deadline = math.inf if timeout is None else started + timeout
            status, literals, reason = self._supervise(assumptions)
            model = self._check_model(literals, assumptions) if status == "sat" else None
            core = self._check_core(literals, assumptions) if status == "unsat" else None
            seconds = time.monotonic() - started
            return Outcome(status, model, core, reason, seconds, self._loading)
        finally:
            self._solving.release()

    def interrupt(self) -> None:
        """End the `solve` that runs in another thread; its status is "unknown".

        Without one, nothing happens.
        """
        self._interrupted = True
        self._wake.set()

    def close(self) -> None:
        """Release the engine; nothing can be solved afterwards. Closing twice is allowed."""
        self._closed = True
        self.interrupt()
        with self._solving:
            self._discard_engine()

    def __enter__(self) -> Solver:
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Solver {self.name}: {repr(self.formula).strip('<>')}>"

    # the course of a call

    def _supervise(self, assumptions: list[int]) -> tuple[str, Sequence[int] | None, str]:
        """Run the engine and end it when it is time; (status, literals, reason)."""
        size = len(self.formula.clauses.lits) + len(self.formula.sums.lits)
        if self.brief and size <= SMALL:
            job = Job(lambda: self._load_and_search(assumptions, self._search_briefly), self._wake)
            job.run()
            if job.answered:
                return job.result("")
            if time.monotonic() >= self._deadline:
                return "unknown", None, "timeout"
        self._wake.clear()
        job = Job(lambda: self._load_and_search(assumptions, self._search), self._wake)
        job.start()
        try:
            reason = self._wait(job)
        finally:  # Ctrl-C comes this way, too
            self._end(job)
        return job.result(reason)

    def _wait(self, job: Job) -> str:
        """Wait until the job has ended or must end; the reason why it must, if it must."""
        while not job.ended and not self._interrupted:
            left = self._deadline - time.monotonic()
            if left <= 0:
                break
            self._wake.wait(min(left, GLANCE))
        if self._interrupted:
            return "interrupted"
        return "timeout" if time.monotonic() >= self._deadline else ""

    def _end(self, job: Job) -> None:
        """Return when the job has ended, even if Ctrl-C is pressed again and again."""
        self._stopping, pressed = True, None
        while not job.ended:
            try:
                self._wake.clear()
                with self._engine_lock:
                    if self._started:
                        self._halt()
                if not job.ended:
                    self._wake.wait(NUDGE)
            except KeyboardInterrupt as again:
                pressed = again
        self._stopping = False
        if pressed:
            raise pressed

    def _load_and_search(self, assumptions: list[int], search: Callable) -> Answer | None:
        assumed = set(assumptions)
        clash = [lit for lit in assumptions if -lit in assumed]
        if clash:
            return "unsat", clash
        started = time.monotonic()
        try:
            try:
                self._load()
            finally:
                self._loading += time.monotonic() - started
            if self._contradiction:
                return "unsat", ()
            return ("unknown", None) if self._stopping else search(assumptions)
        except BaseException:  # half loaded or dead: whatever happened, start afresh next time
            self._discard_engine()
            raise

    def _load(self) -> None:
        """Give the engine what has been added to the formula since the last time."""
        if not self._started:
            self._start()
            self._started = True
        clauses, sums = self.formula.clauses, self.formula.sums
        for start, stop in portions(clauses.offsets, self._loaded_clauses, SLICE):
            if self._stopping:
                return
            self._load_portion(clauses.rows(start, stop), sums.rows(0, 0))
            self._loaded_clauses = stop
        for start, stop in portions(sums.offsets, self._loaded_sums, SLICE):
            if self._stopping:
                return
            self._load_portion(clauses.rows(0, 0), sums.rows(start, stop))
            self._loaded_sums = stop
        if self._loaded_vars < self.formula.n_vars:
            self._load_portion(clauses.rows(0, 0), sums.rows(0, 0))

    def _load_portion(self, clauses: ClauseArrays, sums: SumArrays) -> None:
        if len(sums):
            translated, sums = translate.adapt(sums, self.abilities)
            clauses = translate.join_clauses(clauses, translated)
        filled = clauses.lengths > 0
        if not filled.all():
            self._contradiction = True
            clauses = ClauseArrays(clauses.lits, clauses.offsets[np.append(True, filled)])
        self._loaded_vars = self.formula.n_vars
        self._add(self._loaded_vars, clauses, sums)

    def _forget_engine(self) -> None:
        self._started = self._contradiction = False
        self._loaded_vars = self._loaded_clauses = self._loaded_sums = 0

    def _discard_engine(self) -> None:
        with self._engine_lock:
            if self._started:
                self._stop()
            self._forget_engine()

    # checks

    def _usable_formula(self) -> Formula:
        if self._closed:
            raise RuntimeError(f"this {self.name} solver is closed; make a new one")
        return self.formula

    def _check_assumptions(self, assumptions: Sequence[int]) -> list[int]:
        lits = list(dict.fromkeys(map(operator.index, assumptions)))
        for lit in lits:
            if not 1 <= abs(lit) <= self.formula.n_vars:
                raise ValueError(
                    f"an assumption must be +v or -v with v in [1, {self.formula.n_vars}], "
                    f"got {lit}"
                )
        return lits

    def _check_model(self, true_lits: Sequence[int], assumptions: list[int]) -> np.ndarray:
        model = np.zeros(self.formula.n_vars, dtype=bool)
        variables = np.asarray(true_lits, dtype=np.int64)
        model[variables[(variables > 0) & (variables <= len(model))] - 1] = True
        if not (
            self.formula.holds(model) and all(model[abs(a) - 1] == (a > 0) for a in assumptions)
        ):
            raise WrongAnswer(
                f"the solver {self.name} gave a model that violates the formula or an assumption; "
                "none of its answers can be trusted"
            )
        return model

    def _check_core(self, core: Sequence[int], assumptions: list[int]) -> tuple[int, ...]:
        core = tuple(map(int, core))
        if not set(core) <= set(assumptions):
            raise WrongAnswer(
                f"the solver {self.name} gave a core {core} that is not among the assumptions; "
                "none of its answers can be trusted"
            )
        return core
