"""The solvers on formulas whose answers are known, and against each other on larger ones."""

import families
import numpy as np
import pytest

from bnnkit import solvers

KNOWN = {
    "pigeon hole 6": (lambda: families.pigeon_hole(6), "unsat"),
    "pigeon sums 6": (lambda: families.pigeon_sums(6), "unsat"),
    "odd parity 12": (lambda: families.parity_chain(12, 1), "unsat"),
    "even parity 12": (lambda: families.parity_chain(12, 2), "sat"),
    "planted sums": (lambda: families.random_sums(30, 40, 12, seed=1), "sat"),
}


@pytest.mark.parametrize("name", ["native", "minicard", "cadical"])
@pytest.mark.parametrize("family", KNOWN)
def test_known_answers(family, name):
    build, expected = KNOWN[family]
    with solvers.get(name)(build()) as solver:
        assert solver.solve(timeout=60).status == expected


DIFFERENTIAL = {
    "random 3-SAT": lambda seed: families.random_3sat(100, seed),
    "random sums": lambda seed: families.random_sums(14, 22, 9, seed, planted=False),
}


@pytest.mark.parametrize("family", DIFFERENTIAL)
def test_native_agrees_with_minicard(family):
    seen = set()
    for seed in range(30):
        formula = DIFFERENTIAL[family](seed)
        assumptions = np.random.default_rng(seed).choice([-1, 1], 4) * [1, 2, 3, 4]
        with (
            solvers.get("native")(formula) as native,
            solvers.get("minicard")(formula) as minicard,
        ):
            for assumed in ((), assumptions):
                outcome = native.solve(assumed, timeout=60)
                assert outcome.status == minicard.solve(assumed, timeout=60).status
                seen.add(outcome.status)
                if outcome.status == "unsat":
                    assert minicard.solve(outcome.core, timeout=60).status == "unsat"
    assert seen == {"sat", "unsat"}, "the formulas should be of both kinds"


def test_parity_has_the_models_that_it_should_have():
    formula = families.parity_chain(4, 0)
    with solvers.get("cadical")(formula) as solver:
        for number in range(16):
            bits = [number >> i & 1 for i in range(4)]
            assumed = [v if bit else -v for v, bit in enumerate(bits, start=1)]
            assert solver.solve(assumed).status == ("sat" if sum(bits) % 2 else "unsat")
