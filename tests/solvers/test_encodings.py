"""Each cardinality encoding, plain and reified, against the definition for every small sum."""

import itertools

import numpy as np
import pytest
from pysat.solvers import Solver as Engine
from solvers.formulas import all_assignments, models

from bnnkit.formula import Formula
from bnnkit.solvers.encodings import ENCODINGS, ClauseEncoder, encode
from bnnkit.solvers.translate import adapt

N = 6  # literals in the longest sum
SHAPES = [(n, bound) for n in range(1, N + 1) for bound in range(1, n + 1)]


def cases():
    """Literals, bound, output, top: signs mixed, repeated literals, an output in its own sum."""
    for n, bound in SHAPES:
        lits = [v if v % 2 else -v for v in range(1, n + 1)]
        for output in (0, n + 1, -(n + 1)):
            yield lits, bound, output, n + 1
        yield lits, bound, 1, n
        yield [*lits, *lits[: n // 2]], bound, n + 1, n + 3


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings_mean_the_sum(encoding):
    for lits, bound, output, top in cases():
        clauses, new_top = encode(lits, bound, output, encoding, top)
        assert max((abs(lit) for clause in clauses for lit in clause), default=0) <= new_top
        with Engine("minisat22", bootstrap_with=clauses) as engine:
            for signs in itertools.product([-1, 1], repeat=top):
                true = {sign * v for v, sign in enumerate(signs, start=1)}
                reached = sum(lit in true for lit in lits) >= bound
                expected = reached == (output == 0 or output in true)
                assert engine.solve(assumptions=list(true)) == expected, (lits, bound, output, true)


@pytest.mark.parametrize("encoding", sorted({*ENCODINGS} - {"mtotalizer", "kmtotalizer"}))
def test_unit_propagation_reaches_the_output(encoding):
    for n, bound in SHAPES:
        lits, output = list(range(1, n + 1)), n + 1
        clauses, _ = encode(lits, bound, output, encoding, n + 1)
        with Engine("minisat22", bootstrap_with=clauses) as engine:
            for chosen in itertools.combinations(lits, bound):
                assert output in engine.propagate(assumptions=list(chosen))[1]
            for chosen in itertools.combinations(lits, n - bound + 1):
                assert -output in engine.propagate(assumptions=[-lit for lit in chosen])[1]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encoder_keeps_the_numbering_of_a_growing_formula(encoding):
    formula, encoder, engine = Formula(), ClauseEncoder(encoding), Engine("minisat22")
    for step in range(3):  # auxiliary variables come between those of the formula
        formula.new_vars(4)
        lits = [formula.n_vars - 3, -2, formula.n_vars, 3, -(formula.n_vars - 1)]
        formula.add_sum(lits, 2 + step % 2, output=-1)
        clauses, sums = adapt(formula.sums.rows(step, step + 1), ())
        for clause in encoder.add(formula.n_vars, clauses, sums):
            engine.add_clause(clause)
            assert 1 not in map(abs, clause)
        for values, good in zip(all_assignments(formula.n_vars), models(formula), strict=True):
            true = np.where(values, 1, -1) * np.arange(1, formula.n_vars + 1)
            assert engine.solve(assumptions=encoder.to_solver(true).tolist()) == good
            if good:
                assert encoder.from_solver(engine.get_model()).tolist() == true.tolist()
    engine.delete()


@pytest.mark.parametrize("name", ["pairwise", "", "Totalizer"])
def test_unknown_encodings_are_refused(name):
    listing = r"there is no encoding .*; there are seqcounter, .*kmtotalizer"
    with pytest.raises(ValueError, match=listing):
        ClauseEncoder(name)
