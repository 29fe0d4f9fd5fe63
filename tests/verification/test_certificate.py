"""The names that variables of a question have in its certificate; tests/checker has the rest."""

import numpy as np
import pytest
from helpers import flat, random_box, random_network

from bnnkit.verification.bounds import possible_rivals, propagate
from bnnkit.verification.certificate import _names
from bnnkit.verification.circuit import circuit
from bnnkit.verification.encode import encode, encode_all


@pytest.mark.parametrize("layers", [(), ("dense",), ("conv", "pool", "dense")])
def test_names(layers):
    """Level for level, neuron for neuron, class for class."""
    rng = np.random.default_rng(0)
    named = 0
    for _ in range(80):
        network = random_network(rng, (1, 3, 3), layers)
        c, box = circuit(network), [flat(end) for end in random_box(rng, network)]
        bounds = propagate(c, *box)
        label = int(rng.integers(network.n_classes))
        rivals = possible_rivals(c, label, bounds)
        question, whole = encode(c, label, rivals, bounds), encode_all(c, label, *box)
        names = _names(question, whole, label)
        for node in np.flatnonzero(question.first):
            for step in range(bounds.high[node] - bounds.low[node]):
                assert names[question.first[node] + step] == whole.first[node] + step
                named += 1
        wins = range(whole.formula.n_vars - len(whole.rivals) + 1, whole.formula.n_vars + 1)
        meaning = dict(zip(wins, whole.rivals.tolist(), strict=True))
        of_rivals = names[len(names) - len(rivals) :]
        assert [meaning[name] for name in of_rivals] == rivals.tolist()
        assert len(names) == question.formula.n_vars + 1
    assert named > 20
