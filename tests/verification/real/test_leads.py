import itertools
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import real_boxes

from bnnkit.verification.bounds import propagate
from bnnkit.verification.real.leads import LeadModel
from bnnkit.verification.real.prover import counting_ties


def assignments(low, high):
    """All bits (n, inputs) between two ends."""
    return np.array(list(itertools.product(*map(range, low, high + 1))))


def scores_of(network, bits):
    """Scores (n, classes) of first-layer bits in (row, column, channel) order."""
    o, height, width = network.tail.input_shape
    maps = bits.reshape(-1, height, width, o).transpose(0, 3, 1, 2).astype(np.uint8)
    return network.tail.scores_of_levels(np.ascontiguousarray(maps))


@pytest.mark.parametrize("seed", range(40))
def test_free_bits_and_clauses_agree_with_enumeration(seed):
    rng = np.random.default_rng(seed)
    network = real_boxes.random_network(rng)
    circuit = counting_ties(network.tail)
    low = rng.integers(0, 2, circuit.n_inputs)
    high = np.maximum(low, rng.integers(0, 2, circuit.n_inputs) | (rng.random(len(low)) < 0.7))
    bits = assignments(low, high)
    scores = scores_of(network, bits)
    clauses = [
        [(int(k), int(rng.choice([-1, 1]))) for k in rng.permutation(len(low))[:2]]
        for _ in range(rng.integers(0, 3) if len(low) > 1 else 0)
    ]
    clauses = [clause for clause in clauses if all(low[k] < high[k] for k, _ in clause)]
    allowed = np.ones(len(bits), bool)
    for clause in clauses:
        allowed &= ~np.all([bits[:, k] == (s > 0) for k, s in clause], axis=0)
    pairs = list(itertools.permutations(range(3), 2))
    for case in [*itertools.permutations(pairs, 2), *([pair] for pair in pairs)]:
        reached = np.all([scores[:, a] >= scores[:, b] for a, b in case], axis=0)
        model = LeadModel(circuit, propagate(circuit, low, high), case)
        for clause in clauses:
            model.add_clause(clause)
        answer = model.solve(30)
        if answer.status == "below":
            assert not (reached & allowed).any()
        else:
            assert answer.status == "reached"
            chosen = np.where(answer.bits < 0, low, answer.bits)
            assert ((low <= chosen) & (chosen <= high)).all()
            found = scores_of(network, chosen)[0]
            assert all(found[a] >= found[b] for a, b in case)
            if all(answer.bits[k] >= 0 for clause in clauses for k, _ in clause):
                assert (reached & allowed).any()


def test_a_stopped_model_knows_nothing():
    network = real_boxes.random_network(np.random.default_rng(0))
    circuit = counting_ties(network.tail)
    bounds = propagate(circuit, np.zeros(circuit.n_inputs), np.ones(circuit.n_inputs))
    model = LeadModel(circuit, bounds, [(0, 1)])
    model.stop()
    assert model.solve(30).status == "unknown"
    assert LeadModel(circuit, bounds, [(0, 1)]).solve(0).status == "unknown"


def test_a_model_that_is_written_too_late_knows_nothing():
    network = real_boxes.random_network(np.random.default_rng(0))
    circuit = counting_ties(network.tail)
    bounds = propagate(circuit, np.zeros(circuit.n_inputs), np.ones(circuit.n_inputs))
    assert LeadModel(circuit, bounds, [(0, 1)], lambda: True).solve(30).status == "unknown"


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_is_heard_by_python_afterwards():
    program = """
        import signal, time
        import numpy as np, real_boxes
        from bnnkit.verification.bounds import propagate
        from bnnkit.verification.real.leads import LeadModel
        from bnnkit.verification.real.prover import counting_ties
        signal.signal(signal.SIGINT, signal.default_int_handler)
        circuit = counting_ties(real_boxes.random_network(np.random.default_rng(0)).tail)
        bounds = propagate(circuit, np.zeros(circuit.n_inputs), np.ones(circuit.n_inputs))
        LeadModel(circuit, bounds, [(0, 1)]).solve(30)
        try:
            signal.raise_signal(signal.SIGINT)
            time.sleep(5)
        except KeyboardInterrupt:
            print("heard")
    """
    places = [str(Path(real_boxes.__file__).parent), *sys.path]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr
