"""The proof that no case of a condition can hold, one case after the other."""

import itertools
import threading
import time

import numpy as np

from bnnkit.kernels.threads import get_threads
from bnnkit.verification.bounds import greatest_leads, propagate
from bnnkit.verification.circuit import circuit
from bnnkit.verification.encode import mark_cone
from bnnkit.verification.real.box import by_channel
from bnnkit.verification.real.coupling import Coupling
from bnnkit.verification.real.groups import grouped_leads
from bnnkit.verification.real.leads import LeadModel
from bnnkit.verification.real.rows import SignRows

MOST_TERMS = 3_000_000  # of a model that CP-SAT is given
_LINGER = 10  # seconds, at most, that the threads take to end


class Prover:
    """Refutes the cases of a condition, in threads of its own.

    A case is refuted if one of its comparisons is, by intervals, or all of them together, by a
    `LeadModel`. Where the model finds bits of the first layer with the leads, a `Coupling` looks
    for their pixels. Either there are some, or the reason why not is a clause from then on, for
    all cases.

    Parameters
    ----------
    network : RealNetwork
    box : Box
    condition : Condition
    is_counterexample : callable
        Takes pixels (inputs,) as float64, returns whether they are one, once put into the box.
    deadline : float
        A time of `time.perf_counter`, from which on nothing is begun.
    """

    def __init__(self, network, box, condition, is_counterexample, deadline):
        self._network, self._box = network, box
        self._is_counterexample, self._deadline = is_counterexample, deadline
        self._circuit = counting_ties(network.tail)
        low, high = (by_channel(bits).astype(np.int32) for bits in box.bits(network.front))
        self._bounds = propagate(self._circuit, low, high)
        self._open = self._not_ruled_out(_distinct(condition.cases), self._interval_leads)
        self._threads, self._models, self._lock = [], set(), threading.Lock()
        self._clauses, self._coupling, self._error = [], None, None
        self._stopped, self.failed, self.found = False, False, None
        self._coupling_lock, self._ended = threading.Lock(), threading.Event()

    @property
    def refuted(self):
        """Whether no case is left."""
        return not self._open

    @property
    def tractable(self):
        """Whether the models of the cases that are left are small enough to be built."""
        cone = np.zeros(self._circuit.n_nodes, np.int32)
        pairs = np.array(self._open[0])
        return mark_cone(self._circuit, pairs, self._bounds, cone) <= MOST_TERMS

    def tighten(self):
        """Refute what follows from pairs of bits and from groups of neurons."""
        self._rows = SignRows(self._network.front, self._box, self._open_bits())
        pairs = itertools.takewhile(lambda pair: not self._is_late(), self._rows.exclusive_pairs())
        self._clauses = [self._about_bits(pair) for pair in pairs]
        if self._network.tail.layers:
            self._open = self._not_ruled_out(self._open, self._grouped_leads)

    def start(self):
        """Begin with the proof."""
        self._waiting = list(self._open[::-1])
        for _ in range(min(get_threads(), len(self._open))):
            thread = threading.Thread(target=self._work, daemon=True)
            self._threads.append(thread)
            thread.start()

    def wait(self, seconds):
        """Wait so long at most; whether there is a result, or nothing more to be expected.

        Raises what was raised in a thread.
        """
        self._ended.wait(seconds)
        if self._error is not None:
            raise self._error
        return self._ended.is_set()

    def close(self):
        """End the threads, and wait for them: some are in the middle of foreign code."""
        self._stop()
        end = time.perf_counter() + _LINGER
        for thread in self._threads:
            thread.join(max(end - time.perf_counter(), 0))

    def _stop(self):
        self._stopped = True
        with self._lock:
            for model in self._models:
                model.stop()

    def _not_ruled_out(self, cases, greatest_leads):
        """Cases that upper bounds of leads leave open, the nearest to being refuted first."""
        greatest = np.zeros(self._circuit.needed.shape, np.int64)  # [b, a]
        for b in {b for case in cases for _, b in case}:
            greatest[b] = greatest_leads(b)
        excess = greatest - self._circuit.needed
        cases = [sorted(case, key=lambda pair: excess[pair[::-1]]) for case in cases]
        cases = [case for case in cases if excess[case[0][::-1]] >= 0]
        return sorted(cases, key=lambda case: excess[case[0][::-1]])

    def _interval_leads(self, label):
        greatest = np.zeros(self._network.n_classes, np.int64)
        greatest_leads(self._circuit, label, self._bounds, greatest)
        return greatest

    def _grouped_leads(self, label):
        if self._is_late():
            return self._interval_leads(label)
        return grouped_leads(self._circuit, label, self._bounds, self._clauses)

    def _open_bits(self):
        n = self._circuit.n_inputs
        return np.flatnonzero(self._bounds.low[:n] < self._bounds.high[:n])

    def _work(self):
        try:
            while not self._stopped:
                with self._lock:
                    if not self._waiting:
                        return
                    case = self._waiting.pop()
                if self._refute(case):
                    with self._lock:
                        self._open.remove(case)
                else:
                    self.failed = True
                if self.failed or self.found is not None or not self._open:
                    self._stop()
                    self._ended.set()
        except BaseException as error:
            self._error = error
            self._ended.set()

    def _refute(self, case):
        """Whether a case is impossible; `found` may be set if it is not."""
        model = LeadModel(self._circuit, self._bounds, case, self._is_late)
        with self._lock:
            self._models.add(model)
        known = 0
        while not self._stopped:
            with self._lock:
                news, known = self._clauses[known:], len(self._clauses)
            for clause in news:
                model.add_clause(clause)
            answer = model.solve(self._deadline - time.perf_counter())
            if answer.status != "reached":
                return answer.status == "below"
            if not self._exclude(answer.bits):
                return False
        return False

    def _exclude(self, bits):
        """Add clauses that exclude these bits; False if there are none, or pixels with them."""
        signs = np.where(bits[self._rows.bits] < 0, 0, 2 * bits[self._rows.bits] - 1)
        with self._coupling_lock:
            if self._coupling is None:
                self._coupling = Coupling(self._rows)
            outcome = self._coupling.realise(signs, self._deadline - time.perf_counter())
        if outcome.pixels is not None and self._is_counterexample(outcome.pixels):
            self.found = outcome.pixels
        with self._lock:
            self._clauses += map(self._about_bits, outcome.clauses)
        return bool(outcome.clauses)

    def _is_late(self):
        return self._stopped or time.perf_counter() >= self._deadline

    def _about_bits(self, literals):
        """Literals (row, sign) as (bit, sign)."""
        return [(int(self._rows.bits[row]), sign) for row, sign in literals]


def _distinct(cases):
    """Cases, each once, without what always holds, unless there is nothing else."""
    distinct = (tuple(dict.fromkeys((a, b) for a, b in case if a != b)) or case for case in cases)
    return list(dict.fromkeys(distinct))


def counting_ties(tail):
    """The circuit of the tail in which class a reaches class b with an equal score, too."""
    head = tail.head
    needed = -((head.bias - head.bias[:, None]) // abs(head.scale))
    return circuit(tail)._replace(needed=needed)
