"""Random formulas of several shapes, with everything in them that is allowed."""

import random

# of coefficients: the least, the greatest, and a common factor
_SMALL = ((1, 1, 1), (-2, 2, 1), (0, 7, 3), (-3, 5, 7))
_LARGE = ((-(10**8), 10**8, 1), (-1, 3, 10**7))


def draw_formula(seed, index):
    """Number `index` of the random formulas of a seed: (number of variables, steps).

    The steps are those of a `FormulaCase`.
    """
    rng = random.Random(f"formula {seed} {index}")
    shape = rng.choices([_anything, _network, _equations, _threshold], [70, 20, 5, 5])[0]
    n_vars, constraints = shape(rng)
    steps, grows = [], rng.random() < 0.3
    for constraint in constraints:
        steps.append(constraint)
        if grows and rng.random() < 0.2:
            steps.append(_question(rng, n_vars))
    return n_vars, [*steps, ["solve", []], _question(rng, n_vars)]


def _anything(rng):
    """Few variables and any constraints: repeated and opposite literals, trivial sums."""
    n_vars, large = rng.randint(1, 9), rng.random() < 0.05
    return n_vars, [_constraint(rng, n_vars, large) for _ in range(rng.randint(0, 9))]


def _network(rng):
    """Layers of reified sums, the last of which must not all be false, as `verify` asks it."""
    n_vars = n_inputs = rng.randint(2, 8)
    constraints, first = [], 1
    for _ in range(rng.randint(1, 3)):
        sources = range(first, n_vars + 1)
        first, width = n_vars + 1, rng.randint(1, 4)
        for output in range(first, first + width):
            lits = [v * rng.choice((-1, 1)) for v in sources if rng.random() < 0.8]
            coefs = [rng.choice((1, 1, 1, 2)) for _ in lits]
            bound = sum(coefs) // 2 + rng.randint(-1, 1)
            constraints.append(["sum", lits, coefs, bound, output])
        n_vars += width
    if rng.random() < 0.5:  # an input of three levels
        constraints.append(["clause", [-min(2, n_inputs), 1]])
    outputs = list(range(first, n_vars + 1))
    constraints += [["clause", outputs], ["sum", outputs, [1] * width, rng.randint(0, width), 0]]
    return n_vars, constraints


def _equations(rng):
    """Sums that must be equal to something: much work for few variables.

    Cornuéjols, Dawande: A class of hard small 0-1 programs. IPCO 1998.
    """
    n_vars, constraints = rng.randint(6, 14), []
    for _ in range(rng.randint(1, 3)):
        lits = [v * rng.choice((-1, 1)) for v in range(1, n_vars + 1)]
        coefs = [rng.randint(1, 9) for _ in lits]
        bound = sum(coefs) // 2 + rng.randint(-2, 2)
        constraints.append(["sum", lits, coefs, bound, 0])
        constraints.append(["sum", lits, [-coef for coef in coefs], -bound, 0])
    return n_vars, constraints


def _threshold(rng):
    """Too many variables to try all assignments; clauses and sums that nearly half of these meet.

    About as many as where random formulas cease to have models, so that there is something to
    learn.
    """
    n_vars, constraints = rng.randint(20, 45), []
    for _ in range(int(n_vars * rng.uniform(2.6, 3.4))):
        lits = [v * rng.choice((-1, 1)) for v in rng.sample(range(1, n_vars + 1), 3)]
        constraints.append(["clause", lits])
    for _ in range(rng.randint(2, n_vars // 4)):
        size = rng.randint(4, 9)
        lits = [v * rng.choice((-1, 1)) for v in rng.sample(range(1, n_vars + 1), size)]
        output = rng.choice((0, rng.randint(1, n_vars)))
        constraints.append(["sum", lits, [1] * size, size // 2 + (output > 0), output])
    rng.shuffle(constraints)
    return n_vars, constraints


def _constraint(rng, n_vars, large):
    size = rng.choices((0, 1, 2, 3, 5, 8), (2, 8, 20, 30, 20, 20))[0]
    lits = _literals(rng, n_vars, size)
    if rng.random() < 0.25:
        return ["clause", lits]
    least, most, factor = rng.choice(_LARGE if large else _SMALL)
    coefs = [factor * rng.randint(least, most) for _ in lits]
    least, most = (sum(c for c in coefs if sign * c > 0) for sign in (-1, 1))
    bound = rng.randint(least - 1, most + 1)
    if rng.random() < 0.02:
        bound = rng.choice((-(10**12), 10**12))
    output = _literals(rng, n_vars, 1)[0]  # may be one of the terms
    return ["sum", lits, coefs, bound, output if rng.random() < 0.8 else 0]


def _question(rng, n_vars):
    return ["solve", _literals(rng, n_vars, rng.randint(0, 4))]


def _literals(rng, n_vars, size):
    """Literals, drawn with replacement."""
    return [rng.randint(1, n_vars) * rng.choice((-1, 1)) for _ in range(size)]
