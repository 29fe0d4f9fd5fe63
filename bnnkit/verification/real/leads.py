"""Upper bounds of leads, by CP-SAT: can class a reach class b at all, and c reach d with it?

The bits of the first layer are free variables here, but for clauses about them that hold for all
pixels of the box. Each later neuron is tied to its sum in the one direction in which the lead
could gain by cheating. So the greatest lead of this model is at least that of every input. It is
the objective, in a domain that begins where a counterexample does: the model has no solution as
soon as the bound of the objective falls below, which is sooner than if the lead were a constraint.
Further leads of the same case are constraints.

CP-SAT decides models of integers; that it is right when it says that there is no solution is what
a proof rests on. No float of ours is part of it.
"""

import itertools
from typing import NamedTuple

import numpy as np

from bnnkit.formula import Formula
from bnnkit.solvers.cpsat import over_variables
from bnnkit.verification.encode import network_rows

_UNBOUNDED = 2**40  # beyond every sum


class Answer(NamedTuple):
    """What is known of a lead.

    Attributes
    ----------
    status : "below", "reached", "unknown"
        The leads cannot be reached at once; they are with `bits`; or neither is known.
    bits : ndarray of int8 or None, shape (inputs of the circuit,)
        Of the first layer; -1 where no lead depends on the bit.
    """

    status: str
    bits: np.ndarray | None = None


class LeadModel:
    """The model of the comparisons of a case: score[a] >= score[b] for all its pairs (a, b).

    Parameters
    ----------
    circuit : Circuit
        With `needed` as the condition counts ties.
    bounds : Bounds
    case : sequence of (int, int)
        Of two classes each. The first pair, best the hardest one to reach, is the objective.
    is_late : callable, optional
        Whether to give up writing the model down; then nothing will be known.
    """

    def __init__(self, circuit, bounds, case, is_late=lambda: False):
        from ortools.sat.python import cp_model

        case = np.array(case)
        cone, rows = network_rows(circuit, case, bounds)
        formula = Formula(int(cone.sum()) + len(case))
        formula.add_sums(rows.lits, rows.lengths, rows.bounds, rows.coefs, rows.outputs)
        self._n_inputs = circuit.n_inputs
        self._owner = np.flatnonzero(cone[: circuit.n_inputs])
        self._variable = dict(zip(self._owner.tolist(), range(len(self._owner)), strict=True))
        self._model = cp_model.CpModel()
        self._solver = cp_model.CpSolver()
        self._stopped = False
        self._write(formula, len(case), is_late)

    def add_clause(self, literals):
        """Some (bit, sign) of `literals` must not hold; ignored where no lead has such a bit."""
        if all(bit in self._variable for bit, _ in literals):
            negated = [-self._variable[b] - 1 if s > 0 else self._variable[b] for b, s in literals]
            self._model.proto.constraints.add().bool_or.literals.extend(negated)

    def stop(self):
        """End `solve`, which runs in another thread, soon."""
        self._stopped = True
        self._solver.stop_search()

    def solve(self, seconds):
        """Decide whether the leads can be reached at once.

        Returns
        -------
        Answer
        """
        solver = self._solver
        solver.parameters.max_time_in_seconds = seconds
        solver.parameters.stop_after_first_solution = True
        solver.parameters.catch_sigint_signal = False  # after it, Ctrl-C would end the process
        # one worker with the full linear relaxation; in CP-SAT's portfolio of two it is missing
        solver.parameters.num_workers, solver.parameters.linearization_level = 1, 2
        if self._stopped or seconds <= 0:
            return Answer("unknown")
        status = solver.status_name(solver.solve(self._model))
        if status in ("OPTIMAL", "FEASIBLE"):
            return Answer("reached", self._bits(solver.response_proto.solution))
        return Answer("below" if status == "INFEASIBLE" else "unknown")

    def _bits(self, values):
        bits = np.full(self._n_inputs, -1, np.int8)
        bits[self._owner] = np.array(values, np.int8)[: len(self._owner)]
        return bits

    def _write(self, formula, n_leads, is_late):
        """Variables, sums with their outputs, and the last sums, the leads."""
        sums, proto = formula.sums, self._model.proto
        for _ in range(formula.n_vars - n_leads):
            proto.variables.add().domain.extend([0, 1])
        wanted, sums = _wanted(sums, n_leads), over_variables(sums)
        places, outputs = sums.offsets.tolist(), sums.outputs.tolist()
        bounds, variables, coefs = (a.tolist() for a in (sums.bounds, sums.lits, sums.coefs))
        objective = len(sums) - n_leads
        for row, (start, stop) in enumerate(itertools.pairwise(places)):
            if is_late():
                self._stopped = True
                return
            reached = [bounds[row], _UNBOUNDED]
            if row == objective:
                proto.objective.vars.extend(variables[start:stop])
                proto.objective.coeffs.extend([-c for c in coefs[start:stop]])
                proto.objective.domain.extend([-_UNBOUNDED, -bounds[row]])
                continue
            ways = [([], reached)]
            if row < objective:
                below = [-_UNBOUNDED, bounds[row] - 1]
                ways = [([-outputs[row]], below), ([outputs[row] - 1], reached)]
                ways = [way for way, want in zip(ways, wanted, strict=True) if want[outputs[row]]]
            for references, domain in ways:
                constraint = proto.constraints.add()
                constraint.enforcement_literal.extend(references)
                constraint.linear.vars.extend(variables[start:stop])
                constraint.linear.coeffs.extend(coefs[start:stop])
                constraint.linear.domain.extend(domain)


def _wanted(sums, n_leads):
    """For 0 and for 1: whether one of the last sums could gain by a variable with this value."""
    wanted = np.zeros((2, int(np.abs(np.append(sums.lits, sums.outputs)).max(initial=0)) + 1), bool)
    places = sums.offsets.tolist()
    for row in range(len(sums) - 1, -1, -1):
        lits = sums.lits[places[row] : places[row + 1]]
        up, down = np.abs(lits[lits > 0]), np.abs(lits[lits < 0])
        output, is_lead = sums.outputs[row], row >= len(sums) - n_leads
        if is_lead or wanted[1, output]:
            wanted[1, up] = wanted[0, down] = True
        if not is_lead and wanted[0, output]:
            wanted[0, up] = wanted[1, down] = True
    return wanted
