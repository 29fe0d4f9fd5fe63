"""Formulas of circuit testing: is there an input for which a fault can be seen at an output?

T. Larrabee: Test pattern generation using Boolean satisfiability. IEEE Trans. CAD 11 (1992). The
files ssa (single stuck-at faults) and bf (bridging faults) ask this about benchmark circuits; here
the circuits are random.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from bnnkit.formula import Formula

GATES = {
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "nand": lambda a, b: 1 - (a & b),
    "xor": lambda a, b: a ^ b,
}


@dataclass(frozen=True)
class Circuit:
    """Inputs 0 to `n_inputs` - 1; gate number i is the line `n_inputs` + i.

    Attributes
    ----------
    gates : list of (str, int, int)
        The kind of each gate and the lines that it reads, which come before it.
    outputs : range
        The lines that can be seen.
    """

    n_inputs: int
    gates: list
    outputs: range


def random_circuit(n_inputs, n_gates, n_outputs, seed):
    """A random circuit, in which a gate reads one of the last lines and one of all before it."""
    rng = np.random.default_rng(seed)
    kinds, gates = list(GATES), []
    for line in range(n_inputs, n_inputs + n_gates):
        near, far = rng.integers(max(0, line - 2 * n_inputs), line), rng.integers(0, line)
        gates.append((kinds[rng.integers(len(kinds))], int(near), int(far)))
    return Circuit(n_inputs, gates, range(line + 1 - n_outputs, line + 1))


def stuck_at(circuit, line, value):
    """A formula that has a model exactly if it can be seen that a line is always `value`."""
    formula, inputs, good = _good_circuit(circuit)
    constant = formula.new_var()
    formula.add_clause([constant if value else -constant])
    faulty = _encode(formula, circuit, inputs, {line: constant})
    return _differ(formula, circuit, good, faulty)


def bridging(circuit, line):
    """A formula that has a model exactly if it can be seen that two neighbouring gates touch.

    Whoever reads `line` or the next one gets the and of both. The next gate must not read `line`.
    """
    formula, inputs, good = _good_circuit(circuit)
    bridge = formula.new_var()
    faulty = _encode(formula, circuit, inputs, {line: bridge, line + 1: bridge})
    own = formula.new_vars(2).tolist()  # what the two gates would give by themselves
    for gate, output in zip((line, line + 1), own, strict=True):
        kind, *reads = circuit.gates[gate - circuit.n_inputs]
        _add_gate(formula, kind, [faulty[read] for read in reads], output)
    _add_gate(formula, "and", own, bridge)
    return _differ(formula, circuit, good, faulty)


def random_fault(kind, n_gates, seed, n_inputs=40, n_outputs=5):
    """The formula of a random "stuck-at" or "bridging" fault of a random circuit."""
    rng = np.random.default_rng(seed)
    circuit = random_circuit(n_inputs, n_gates, n_outputs, seed)
    lines = (n_inputs + rng.permutation(n_gates - 1)).tolist()
    if kind == "stuck-at":
        return stuck_at(circuit, lines[0], int(rng.integers(2)))
    apart = (line for line in lines if line not in circuit.gates[line + 1 - n_inputs])
    return bridging(circuit, next(apart))


def _good_circuit(circuit):
    formula = Formula()
    inputs = formula.new_vars(circuit.n_inputs).tolist()
    return formula, inputs, _encode(formula, circuit, inputs, {})


def _encode(formula, circuit, inputs, replaced):
    """The literals of all lines; what is `replaced` by line does not get those of its gate."""
    lits = list(inputs)
    for kind, one, other in circuit.gates:
        if len(lits) in replaced:
            lits.append(replaced[len(lits)])
            continue
        output = formula.new_var()
        _add_gate(formula, kind, (lits[one], lits[other]), output)
        lits.append(output)
    return lits


def _add_gate(formula, kind, reads, output):
    """Clauses that forbid what a gate does not do (Tseitin 1968)."""
    for values in itertools.product([0, 1], repeat=2):
        right = GATES[kind](*values)
        clause = [-lit if value else lit for lit, value in zip(reads, values, strict=True)]
        formula.add_clause([*clause, output if right else -output])


def _differ(formula, circuit, good, faulty):
    """Demand that the two circuits differ at some output."""
    differences = formula.new_vars(len(circuit.outputs)).tolist()
    for line, output in zip(circuit.outputs, differences, strict=True):
        _add_gate(formula, "xor", (good[line], faulty[line]), output)
    formula.add_clause(differences)
    return formula
