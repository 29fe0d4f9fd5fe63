"""The engine: owns the arrays of a search, makes them grow, and does what the search pauses for."""

import numpy as np

from bnnkit.formula import ClauseArrays, SumArrays
from bnnkit.solvers._job import EngineLost
from bnnkit.solvers.native import state as names
from bnnkit.solvers.native.clause_database import learnt_clauses, load_clauses, rebuild_clauses
from bnnkit.solvers.native.search import search
from bnnkit.solvers.native.state import HEADER, INFO, NEVER, grown, new_state, with_variables
from bnnkit.solvers.native.sum_database import rebuild_sums
from bnnkit.solvers.native.trail import back_to_root
from bnnkit.solvers.translate import join_sums

# conflicts between two reductions: at first, and how many more each time
REDUCE_FIRST, REDUCE_STEP = 2000, 300
DIVERSE_FIRST, DIVERSE_STEP = 500, 50  # models are found with fewer clauses, proofs with more
SIMPLIFY_STEP = 1000  # conflicts between two simplifications
GLUE = 2  # learnt clauses of so few levels are kept
VARIABLE_BYTES = 124  # of all arrays that have an entry for each variable or literal
FOREVER = 2**63
FIRST_RANDOM = 0x9E3779B97F4A7C15  # anything but 0, with many bits set
_SUM_TYPES = np.uint32, np.int32, np.uint64, np.int64, np.uint32  # as in SumArrays
LONGEST = 2**31  # words of an array that references can reach


class MemoryLimit(EngineLost):
    """The arrays would become greater than allowed."""


class Engine:
    """A search with its formula, for one thread at a time.

    Parameters
    ----------
    seed : int
        Of small random activities at the beginning, none for 0; if diverse, of random values.
    priorities : ndarray of float64
        By variable (from 1 on): factor of what a conflict adds to its activity.
    phases : ndarray of bool
        By variable: the value that is tried first.
    diverse : bool
        Whether decisions take random values, restarts follow Luby's sequence, and fewer clauses
        are kept.
    memory_limit : int or None
        Bytes of all arrays.
    log : StepLog or None
        Gets what is learnt, for a proof.
    """

    def __init__(self, seed, priorities, phases, diverse, memory_limit, log=None):
        self.state = new_state()
        # a diverse search keeps the order of the variables, where the inputs may come first
        self._random = np.random.default_rng(seed) if seed and not diverse else None
        self._priorities, self._phases = priorities, phases
        self._memory_limit, self._log = memory_limit, log
        self._sums = SumArrays(
            *(np.zeros(n, t) for n, t in zip((0, 0, 1, 0, 0), _SUM_TYPES, strict=True))
        )
        self._new_sums = []
        self._stale = True  # the database must be rebuilt before the next search
        self._contradiction = False
        self._reductions = 0
        self._reduce_step = DIVERSE_STEP if diverse else REDUCE_STEP
        self._reduce_first = DIVERSE_FIRST if diverse else REDUCE_FIRST
        self._set("NEXT_REDUCE", self._reduce_first)
        self._set("RANDOM", (FIRST_RANDOM + seed) % 2**64 or 1 if diverse else 0)

    @property
    def n_vars(self) -> int:
        """Number of variables of the formula."""
        return len(self.state.level) - 1

    def add(self, n_vars: int, clauses: ClauseArrays, sums: SumArrays) -> None:
        """Add variables up to `n_vars`, clauses, and normalised sums."""
        if n_vars > self.n_vars:
            self._add_variables(n_vars)
            self._stale = True
        if len(clauses):
            words = len(clauses.lits) + HEADER * len(clauses)
            self._reserve(arena=self._count("ARENA") + words)
            lits, offsets = _internal(clauses.lits), clauses.offsets.astype(np.uint64)
            before = self._count("ARENA")
            self._contradiction |= not load_clauses(self.state, lits, offsets)
            self._stale |= self._count("ARENA") > before
        if len(sums):
            self._new_sums.append(sums)
            self._stale = True

    def run(self, assumptions, conflict_limit) -> tuple[str, np.ndarray | None]:
        """Search until there is an answer, or so many conflicts (None: as many as it takes).

        Returns as `Solver._search` does.

        Raises
        ------
        MemoryLimit
            If the arrays would become too great, also from `add`; the engine cannot be used any
            more.
        """
        self._prepare(assumptions, conflict_limit)
        answer = names.UNSAT if self._contradiction else self._search()
        status, literals = self._result(answer)
        back_to_root(self.state)
        self._read_log()
        return status, literals

    def stop(self) -> None:
        """End the `run` in another thread soon."""
        self._set("STOP", 1)

    def statistics(self) -> dict[str, int]:
        """Numbers of events so far."""
        shown = "CONFLICTS", "DECISIONS", "PROPAGATIONS", "RESTARTS", "LEARNT", "DELETED"
        return {name.lower(): self._count(name) for name in shown}

    def _prepare(self, assumptions, conflict_limit):
        self._set("STOP", 0)
        self._set("N_ASSUMPTIONS", len(assumptions))
        self.state.assumptions[: len(assumptions)] = _internal(np.array(assumptions, dtype=int))
        conflicts = self._count("CONFLICTS")
        self._set("CONFLICT_LIMIT", conflicts + (conflict_limit or FOREVER))
        if self._stale and not self._contradiction:
            self._set("NEXT_SIMPLIFY", conflicts)
            self._join_sums()
            self._fill_heap()
            self._rebuild()
            self._stale = False

    def _search(self) -> int:
        """Search until there is an answer, or the formula turns out to be contradictory."""
        while not self._contradiction:
            answer = search(self.state)
            if answer == names.ROOM:
                self._make_room()
            elif answer == names.REDUCE:
                self._reduce()
            elif answer == names.SIMPLIFY:
                self._rebuild()
                self._set("NEXT_SIMPLIFY", self._count("CONFLICTS") + SIMPLIFY_STEP)
            elif self._count("PENDING"):  # a conflict without decisions and assumptions
                self._contradiction = True
            else:
                return answer
        return names.UNSAT

    def _result(self, answer: int) -> tuple[str, np.ndarray | None]:
        if answer == names.SAT:
            return "sat", np.flatnonzero(self.state.value[2::2] > 0) + 1
        if answer == names.UNKNOWN:
            return "unknown", None
        if self._contradiction:
            return "unsat", ()
        return "unsat", _external(self.state.learnt[: self._count("LEARNT_SIZE")])

    def _reduce(self):
        """Discard the worse half of the learnt clauses: those of many levels, long, and old."""
        self._reductions += 1
        step = self._reduce_first + self._reduce_step * self._reductions
        self._set("NEXT_REDUCE", self._count("CONFLICTS") + step)
        arena = self.state.arena
        refs = np.zeros(self._count("ARENA") // HEADER, np.uint32)
        refs = refs[: learnt_clauses(self.state, refs)]
        lbd, size = arena[refs + 1], arena[refs]
        worst_first = np.lexsort((refs, -size.astype(int), -lbd.astype(int)))
        discarded = worst_first[: len(refs) // 2]
        discarded = discarded[lbd[discarded] > GLUE]
        arena[refs[discarded] + 1] = NEVER
        self._set("DELETED", self._count("DELETED") + len(discarded))
        self._rebuild()

    def _rebuild(self):
        """Simplify clauses and sums by what holds for ever, and compact them."""
        n_clauses = self._count("ARENA") // (HEADER + 2)
        self._reserve(pool=8 * n_clauses + 8 * len(self.state.value))
        self._read_log()
        kept = np.zeros(n_clauses, bool)
        self._contradiction |= not rebuild_clauses(self.state, kept)
        if self._log:  # after a contradiction, all that was read may be needed to see it
            self._log.keep(kept | self._contradiction, self.state)
        if self._stale or self._count("TRAIL") > self._count("FIXED"):
            sums = self._sums
            rebuild_sums(self.state, sums.lits, sums.coefs, sums.offsets, sums.bounds, sums.outputs)

    def _read_log(self):
        if self._log:
            self._log.read(self.state)
            self._check_memory(0)

    def _join_sums(self):
        """Take the new sums to the others, and make room for them."""
        if self._new_sums:
            parts = [_as_columns(sums) for sums in self._new_sums]
            self._sums = SumArrays(*_in_types(join_sums(self._sums, *parts)))
            self._new_sums = []
        n_sums, n_terms = len(self._sums), len(self._sums.lits)
        self._reserve(sum_lits=n_terms, sum_coefs=n_terms, info=INFO * n_sums)
        self._reserve(bound=2 * n_sums, distance=2 * n_sums)
        n_occurrences = 2 * n_terms + 4 * n_sums
        self._reserve(occurs=n_occurrences, occurs_coefs=n_occurrences)

    def _make_room(self):
        """Double what is nearly full."""
        arena, pool = len(self.state.arena), len(self.state.pool)
        longest_clause = self.n_vars + HEADER
        if self._count("ARENA") + 2 * longest_clause > arena:
            self._reserve(arena=2 * arena + 2 * longest_clause)
        else:
            self._reserve(pool=2 * pool + 64 * (self._count("LARGEST") + 1))

    def _add_variables(self, n_vars: int):
        first = self.n_vars + 1
        self._check_memory(VARIABLE_BYTES * n_vars)
        self.state = state = with_variables(self.state, n_vars + 1)
        state.weight[first:] = _tail(self._priorities, first, n_vars, 1.0)
        state.phase[first:] = ~_tail(self._phases, first, n_vars, False)
        state.activity[first:] = state.weight[first:] * 1e-6
        if self._random is not None:
            state.activity[first:] *= self._random.random(n_vars + 1 - first)

    def _fill_heap(self):
        """Put all unassigned variables into the heap; a sorted array is one."""
        state = self.state
        free = np.flatnonzero(state.value[2::2] == 0) + 1
        order = free[np.argsort(-state.activity[free], kind="stable")]
        state.heap[: len(order)] = order
        state.place[:] = 0
        state.place[order] = np.arange(1, len(order) + 1)
        self._set("HEAP", len(order))

    def _reserve(self, **sizes: int):
        """Make arrays at least so long, with some more room if they have to grow."""
        arrays = {name: getattr(self.state, name) for name in sizes}
        sizes = {
            name: size + size // 4 + 1024
            for name, size in sizes.items()
            if size > len(arrays[name])
        }
        if not sizes:
            return
        for name, size in sizes.items():
            if size > LONGEST:
                raise MemoryLimit(f"the {name} of the native solver would exceed 2**31 words")
        self._check_memory(sum(size * arrays[name].itemsize for name, size in sizes.items()))
        longer = {name: grown(arrays[name], size) for name, size in sizes.items()}
        self.state = self.state._replace(**longer)

    def _check_memory(self, more: int):
        if self._memory_limit is None:
            return
        used = sum(array.nbytes for array in self.state)
        used += self._log.nbytes if self._log else 0
        if used + more > self._memory_limit:
            raise MemoryLimit(f"the native solver would need more than {self._memory_limit} bytes")

    def _count(self, name: str) -> int:
        return int(self.state.count[getattr(names, name)])

    def _set(self, name: str, value: int):
        self.state.count[getattr(names, name)] = value


def _internal(lits: np.ndarray) -> np.ndarray:
    """Literals of the formula as those of the state; 0 becomes TRUE."""
    return (2 * np.abs(lits.astype(np.int64)) + (lits < 0)).astype(np.uint32)


def _external(lits: np.ndarray) -> np.ndarray:
    variables = (lits >> 1).astype(np.int64)
    return np.where(lits & 1, -variables, variables)


def _as_columns(sums: SumArrays) -> SumArrays:
    """Sums over the literals of the state."""
    return SumArrays(
        _internal(sums.lits), sums.coefs, sums.offsets, sums.bounds, _internal(sums.outputs)
    )


def _in_types(sums: SumArrays) -> list[np.ndarray]:
    """Copies of the arrays in the types that the compiled functions take."""
    arrays = sums.lits, sums.coefs, sums.offsets, sums.bounds, sums.outputs
    return [array.astype(dtype) for array, dtype in zip(arrays, _SUM_TYPES, strict=True)]


def _tail(values: np.ndarray, first: int, last: int, default):
    """The values of variables `first` to `last`, with a default where there are none."""
    tail = np.full(last + 1 - first, default)
    given = values[first - 1 : last]
    tail[: len(given)] = given
    return tail
