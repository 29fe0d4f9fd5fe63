"""Formulas about parity: long chains of exclusive ors, and ones spread over a graph."""

import itertools

import numpy as np

from bnnkit.formula import Formula


def parity_chain(length, parity):
    """Two chains of exclusive ors over the same variables, the second one shuffled.

    Satisfiable exactly if `parity` is even.
    """
    formula = Formula(length)
    order = np.random.default_rng(length).permutation(length) + 1
    add_parity(formula, list(range(1, length + 1)), 0)
    add_parity(formula, order.tolist(), parity % 2)
    return formula


def dubois(n):
    """Two chains of exclusive ors over the same variables in the same order: unsatisfiable.

    3 n variables and 8 n clauses of three literals, as O. Dubois' generator gensathard made them
    for the second DIMACS challenge (Johnson and Trick 1996).
    """
    formula = Formula(n + 2)
    for odd in (0, 1):
        *chain, one, other = range(1, n + 3)
        total = chain[0]
        for variable in chain[1:]:
            longer = formula.new_var()
            add_exclusive_or(formula, (total, variable, longer), 0)
            total = longer
        add_exclusive_or(formula, (total, one, other), odd)
    return formula


def pret(n_vertices, seed):
    """A parity for each vertex of a random cubic graph, odd in total: unsatisfiable.

    The variables are the edges. Tseitin 1968; the files pret of the second DIMACS challenge are
    such formulas (Pretolani 1993: two-colourings of graphs with a parity constraint), and as large
    as those with 40 or 100 vertices.
    """
    rng = np.random.default_rng(seed)
    charges = rng.integers(0, 2, n_vertices)
    charges[0] ^= 1 - charges.sum() % 2
    edges_at = [[] for _ in range(n_vertices)]
    for edge, ends in enumerate(_cubic_graph(n_vertices, rng).tolist(), start=1):
        for vertex in ends:
            edges_at[vertex].append(edge)
    formula = Formula(3 * n_vertices // 2)
    for edges, odd in zip(edges_at, charges.tolist(), strict=True):
        add_exclusive_or(formula, edges, odd)
    return formula


def minimal_disagreement(n_bits, seed):
    """Learn a parity of some of `n_bits` bits from twice as many samples, an eighth of them wrong.

    Satisfiable: the hidden parity disagrees with that many. The files par8, par16 and par32 ask
    this question (Crawford, Kearns and Schapire 1994: the minimal disagreement parity problem).
    """
    rng = np.random.default_rng(seed)
    n_samples, n_wrong = 2 * n_bits, n_bits // 4
    samples = rng.integers(0, 2, (n_samples, n_bits))
    hidden = rng.integers(0, 2, n_bits)
    labels = samples @ hidden % 2
    labels[rng.choice(n_samples, n_wrong, replace=False)] ^= 1
    formula = Formula()
    chosen = formula.new_vars(n_bits)
    disagrees = formula.new_vars(n_samples)
    for sample, label, output in zip(samples, labels.tolist(), disagrees.tolist(), strict=True):
        add_parity(formula, [*chosen[sample == 1].tolist(), output], label)
    formula.add_sum(-disagrees, n_samples - n_wrong)
    return formula


def add_parity(formula, lits, odd):
    """Demand that the number of true literals is odd, or even, by a chain of new variables."""
    total, *rest = lits
    for lit in rest:
        longer = formula.new_var()
        add_exclusive_or(formula, (total, lit, longer), 0)
        total = longer
    formula.add_clause([total if odd else -total])


def add_exclusive_or(formula, lits, odd):
    """Demand that the number of true literals is odd, or even, by a clause for each wrong case."""
    for values in itertools.product([False, True], repeat=len(lits)):
        if sum(values) % 2 != odd:
            formula.add_clause([-lit if v else lit for lit, v in zip(lits, values, strict=True)])


def _cubic_graph(n_vertices, rng):
    """The edges of a random graph without loops and double edges, three at each vertex."""
    while True:
        stubs = rng.permutation(np.repeat(np.arange(n_vertices), 3))
        edges = np.sort(stubs.reshape(-1, 2), axis=1)
        if (edges[:, 0] < edges[:, 1]).all() and len(np.unique(edges, axis=0)) == len(edges):
            return edges
