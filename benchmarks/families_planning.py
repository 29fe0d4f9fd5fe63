"""The towers of Hanoi as a planning problem, and learning a Boolean function from examples."""

import itertools

import numpy as np

from bnnkit.formula import Formula


def hanoi(discs, moves):
    """A plan that brings all discs from the first of three pegs to the last.

    Satisfiable exactly if there are at least 2**discs - 1 moves. The file hanoi4 asks for four
    discs and 15 moves (Selman and Kautz, from their work on planning as satisfiability, 1992).
    """
    formula = Formula()
    at = formula.new_vars((moves + 1) * discs * 3).reshape(moves + 1, discs, 3).tolist()
    moved = formula.new_vars(moves * discs).reshape(moves, discs).tolist()
    for disc in range(discs):  # the greatest is the last
        formula.add_clause([at[0][disc][0]])
        formula.add_clause([at[moves][disc][2]])
    for time, disc in itertools.product(range(moves + 1), range(discs)):
        formula.add_clause(at[time][disc])
        _add_at_most_one(formula, at[time][disc])
    for time in range(moves):
        _add_at_most_one(formula, moved[time])
        for disc, peg in itertools.product(range(discs), range(3)):
            now, then = at[time][disc][peg], at[time + 1][disc][peg]
            formula.add_clause([-now, then, moved[time][disc]])  # leaving
            for smaller in range(disc):  # is not on the peg that is left or reached
                formula.add_clause([-now, then, -at[time][smaller][peg]])
                formula.add_clause([now, -then, -at[time][smaller][peg]])
    return formula


def inductive_inference(n_bits, n_terms, n_examples, seed):
    """Learn a hidden disjunction of `n_terms` conjunctions from random examples: satisfiable.

    The files ii ask this question (Kamath, Karmarkar, Ramakrishnan and Resende 1992: a continuous
    approach to inductive inference).
    """
    rng = np.random.default_rng(seed)
    examples = rng.integers(0, 2, (n_examples, n_bits))
    # in a hidden term, a bit must be 0, must be 1, or (2) is not looked at
    terms = rng.choice([0, 1, 2, 2, 2, 2], (n_terms, n_bits))
    labels = ((examples[:, None] == terms) | (terms == 2)).all(axis=2).any(axis=1)
    return agreeing_disjunction(examples, labels, n_terms)


def agreeing_disjunction(examples, labels, n_terms):
    """Is there a disjunction of `n_terms` conjunctions that labels all examples as they are?"""
    formula, n_bits = Formula(), examples.shape[1]
    # demands[value, term, bit]: the term is true only if the bit is `value`
    demands = formula.new_vars(2 * n_terms * n_bits).reshape(2, n_terms, n_bits)
    for example, label in zip(examples, labels, strict=True):
        violated = demands[1 - example, :, np.arange(n_bits)].T  # by term: what would make it false
        if not label:
            for demand in violated:
                formula.add_clause(demand)
            continue
        true = formula.new_vars(n_terms)
        formula.add_clause(true)
        for term, demand in zip(true.tolist(), violated.tolist(), strict=True):
            for lit in demand:
                formula.add_clause([-term, -lit])
    return formula


def _add_at_most_one(formula, lits):
    for one, other in itertools.combinations(lits, 2):
        formula.add_clause([-one, -other])
