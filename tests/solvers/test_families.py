"""The solvers on formulas whose answers are known, and against each other on larger ones."""

import functools
import itertools

import families
import families_circuits as circuits
import numpy as np
import pytest
from families_counting import pigeon_hole, pigeon_sums, random_sums
from families_parity import dubois, minimal_disagreement, parity_chain, pret
from families_planning import agreeing_disjunction, hanoi
from families_random import aim, random_3sat

from bnnkit import solvers

KNOWN = {
    "pigeon hole 6": (lambda: pigeon_hole(6), "unsat"),
    "pigeon sums 6": (lambda: pigeon_sums(6), "unsat"),
    "odd parity 12": (lambda: parity_chain(12, 1), "unsat"),
    "even parity 12": (lambda: parity_chain(12, 2), "sat"),
    "planted sums": (lambda: random_sums(30, 40, 12, seed=1), "sat"),
}


@pytest.mark.parametrize("name", ["native", "minicard", "cadical"])
@pytest.mark.parametrize("family", KNOWN)
def test_known_answers(family, name):
    build, expected = KNOWN[family]
    assert answer(build(), name) == expected


SLOW = "pigeon hole 8", "pigeon hole 9", "random 3-SAT, 200"
EASY = [
    case
    for case in families.generated()
    if not f"{case.family} {case.name}".startswith(SLOW) and case.family != "random sums"
]


@pytest.mark.parametrize("family", dict.fromkeys(case.family for case in EASY))
def test_native_on_the_easy_formulas_of_the_benchmark(family):
    for case in EASY:
        if case.family == family:
            formula = case.build()
            expected = case.answer or answer(formula, "cadical")
            assert answer(formula, "native") == expected, case.name


DIFFERENTIAL = {
    "random 3-SAT": lambda seed: random_3sat(100, seed),
    "random sums": lambda seed: random_sums(14, 22, 9, seed, planted=False),
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
    formula = parity_chain(4, 0)
    with solvers.get("cadical")(formula) as solver:
        for bits in itertools.product([0, 1], repeat=4):
            assumed = [v if bit else -v for v, bit in enumerate(bits, start=1)]
            assert solver.solve(assumed).status == ("sat" if sum(bits) % 2 == 0 else "unsat")


@pytest.mark.parametrize("n", [4, 20])
def test_dubois_has_the_size_of_the_original_files(n):
    formula = dubois(n)
    assert (formula.n_vars, len(formula.clauses)) == (3 * n, 8 * n)
    assert set(np.diff(formula.clauses.offsets)) == {3}


@pytest.mark.parametrize("build", [functools.partial(dubois, 6), lambda: pret(8, 0)])
def test_odd_formulas_are_contradictory_as_a_whole_only(build):
    """Without the clauses of any one exclusive or, there is a model."""
    formula = build()
    clauses = formula.clauses.lists()
    variables = [frozenset(map(abs, clause)) for clause in clauses]
    for left_out in set(variables):
        weaker = type(formula)(formula.n_vars)
        for clause, its in zip(clauses, variables, strict=True):
            if its != left_out:
                weaker.add_clause(clause)
        assert answer(weaker) == "sat"


@pytest.mark.parametrize("seed", range(5))
def test_the_hidden_parity_is_the_only_question(seed):
    """Without noise, more samples than bits determine the parity; one more error is too many."""
    formula = minimal_disagreement(8, seed)
    assert answer(formula) == "sat"
    formula.add_sum(-np.arange(9, 25), 16)
    assert answer(formula) == "unsat"


@pytest.mark.parametrize("ratio", [1.6, 3.4])
@pytest.mark.parametrize("seed", range(5))
def test_aim_has_one_model_or_none(ratio, seed):
    formula = aim(50, ratio, True, seed)
    assert set(np.diff(formula.clauses.offsets)) == {3}
    assert abs(len(formula.clauses) - 50 * ratio) <= 1
    with solvers.get("cadical")(formula) as solver:
        model = solver.solve().model
        solver.add_clause(np.arange(1, 51) * np.where(model, -1, 1))
        assert solver.solve().status == "unsat"
    assert answer(aim(50, ratio, False, seed)) == "unsat"


@pytest.mark.parametrize(("discs", "least"), [(1, 1), (2, 3), (3, 7)])
def test_hanoi_takes_as_many_moves_as_it_should(discs, least):
    answers = [answer(hanoi(discs, moves)) for moves in range(least + 3)]
    assert answers == ["unsat"] * least + ["sat"] * 3


@pytest.mark.parametrize("n_terms", [1, 2])
def test_a_disjunction_is_found_exactly_if_there_is_one(n_terms):
    examples = np.array(list(itertools.product([0, 1], repeat=2)))
    terms = [(examples == term).all(axis=1) for term in examples]  # tables of all conjunctions
    terms += [examples[:, bit] == value for bit in (0, 1) for value in (0, 1)]
    terms += [np.zeros(4, bool), np.ones(4, bool)]
    possible = {tuple(np.any(some, axis=0)) for some in itertools.product(terms, repeat=n_terms)}
    for labels in itertools.product([False, True], repeat=4):
        expected = "sat" if labels in possible else "unsat"
        assert answer(agreeing_disjunction(examples, labels, n_terms)) == expected, labels


def outputs(circuit, inputs, fault):
    """The outputs of a circuit for every row of `inputs`, gate by gate; `fault` changes lines."""
    lines = list(inputs.T)
    for kind, one, other in circuit.gates:
        lines.append(circuits.GATES[kind](lines[one], lines[other]))
        fault(lines)
    return np.array([lines[line] for line in circuit.outputs])


@pytest.mark.parametrize("kind", ["stuck-at", "bridging"])
def test_faults_are_seen_exactly_if_an_input_shows_them(kind):
    inputs = np.array(list(itertools.product([0, 1], repeat=6)))
    seen = set()
    for seed, line in itertools.product(range(4), range(6, 24)):
        circuit = circuits.random_circuit(6, 20, 3, seed)

        def stuck(lines, line=line, value=seed % 2):
            if len(lines) == line + 1:
                lines[line] = np.full(64, value)

        def bridged(lines, line=line):
            if len(lines) == line + 2:
                lines[line] = lines[line + 1] = lines[line] & lines[line + 1]

        if kind == "stuck-at":
            formula, fault = circuits.stuck_at(circuit, line, seed % 2), stuck
        elif line not in circuit.gates[line + 1 - 6]:
            formula, fault = circuits.bridging(circuit, line), bridged
        else:
            continue
        good = outputs(circuit, inputs, lambda lines: None)
        shown = (good != outputs(circuit, inputs, fault)).any()
        assert answer(formula) == ("sat" if shown else "unsat"), (seed, line)
        seen.add(bool(shown))
    assert seen == {False, True}


def answer(formula, name="native"):
    with solvers.get(name)(formula) as solver:
        return solver.solve(timeout=60).status
