"""Random formulas that grow, and what each way of solving them says."""

import itertools
import time
from dataclasses import dataclass, replace

from bnnkit import solvers
from bnnkit.formula import Formula
from bnnkit.fuzz import plain
from bnnkit.fuzz.draw_formulas import draw_formula
from bnnkit.fuzz.native_ways import NATIVE, TIMEOUT, Proving
from bnnkit.fuzz.shrink import without_runs

MOST_VARS = 60  # so that an assignment is a number of 64 bits
MOST_REPEATS = 500  # literals of a sum, for solvers that need coefficients written out


@dataclass(frozen=True)
class FormulaCase:
    """A formula that grows, and questions about it in between.

    Attributes
    ----------
    n_vars : int
        At most `MOST_VARS`.
    steps : list of list
        ["clause", lits], ["sum", lits, coefs, bound, output] with the output 0 where the sum must
        hold, or ["solve", assumptions].

    Examples
    --------
    >>> from bnnkit.fuzz import FormulaCase
    >>> steps = [["clause", [1, 2]], ["solve", [-1]], ["clause", [-2]], ["solve", [-1]]]
    >>> case = FormulaCase(2, steps)
    >>> case.statements(FormulaCase.ways("cadical"))
    {'cadical': ['sat', 'unsat'], 'enumeration': ['sat', 'unsat']}
    """

    n_vars: int
    steps: list

    kind = "formula"

    @classmethod
    def draw(cls, seed, index):
        """Number `index` of the random cases of a seed."""
        return cls(*draw_formula(seed, index))

    @staticmethod
    def ways(solver):
        """The ways to ask a solver, by names."""
        return {solver: solvers.get(solver)} | (NATIVE if solver == "native" else {})

    @staticmethod
    def rare_ways():
        """The ways that are not about one solver, by names: none."""
        return {}

    def statements(self, ways):
        """What each way says: a list with "sat", "unsat" or "unknown" for each question.

        The list of a way that goes wrong has a sentence that says how.
        """
        questions = list(self._questions())
        given = list(itertools.takewhile(lambda step: step[0] != "solve", self.steps))
        formula = _formula(self.n_vars, given)
        said = {
            name: self._ask(make, formula, len(given), questions) for name, make in ways.items()
        }
        if self.n_vars <= plain.MOST_VARS:
            said["enumeration"] = [
                "unsat" if plain.first_model(self.n_vars, *rows) < 0 else "sat"
                for rows, _, _ in questions
            ]
        return said

    def smaller(self):
        """Yield cases with less of something."""
        for steps in without_runs(self.steps):
            yield replace(self, steps=steps)
        for i, step in enumerate(self.steps):
            for less in _smaller_steps(*step):
                yield replace(self, steps=[*self.steps[:i], less, *self.steps[i + 1 :]])
        used = {abs(lit) for step in self.steps for lit in _literals(*step)}
        for unused in without_runs([v for v in range(1, self.n_vars + 1) if v not in used]):
            number = {v: i for i, v in enumerate(sorted(used.union(unused)), start=1)}
            n_vars = len(number)
            number |= {-v: -i for v, i in number.items()} | {0: 0}
            yield FormulaCase(n_vars, [_renamed(number, *step) for step in self.steps])

    def to_dict(self):
        """What a file of the case holds."""
        return {"n_vars": self.n_vars, "steps": self.steps}

    @classmethod
    def from_dict(cls, values):
        """The case that a file holds; an error if it is none."""
        n_vars, steps = values["n_vars"], [list(step) for step in values["steps"]]
        if not {kind for kind, *_ in steps} <= {"clause", "sum", "solve"} or n_vars > MOST_VARS:
            raise ValueError(f"steps of a wrong kind, or more than {MOST_VARS} variables")
        # questions are no part of the formula, but their literals are to be checked as well
        _formula(
            n_vars,
            [["clause", *rest] if kind == "solve" else [kind, *rest] for kind, *rest in steps],
        )
        return cls(n_vars, steps)

    def _questions(self):
        """Of each question: all rows, those of the formula, and the assumptions."""
        steps = []
        for step in self.steps:
            if step[0] != "solve":
                steps.append(step)
                continue
            assumed = [["clause", [lit]] for lit in step[1]]
            yield plain.rows_of([*assumed, *steps]), list(steps), step[1]

    def _ask(self, make, formula, n_given, questions):
        said = []
        try:
            with make(formula) as solver:
                if self._is_too_long(solver):
                    return []
                for step in self.steps[n_given:]:
                    if step[0] == "solve":
                        outcome = _answer(solver, step[1])
                        said.append(self._status(outcome, *questions[len(said)]))
                    else:
                        _add(solver, *step)
        except Exception as error:  # of any kind: it is what is looked for
            said.append(f"{type(error).__name__}: {error}")
        return said

    def _is_too_long(self, solver):
        """Whether a solver, or its proof, would write out many literals for coefficients."""
        sums = (step[2] for step in self.steps if step[0] == "sum")
        longest = max((sum(map(abs, coefs)) for coefs in sums), default=0)
        writes_out = "coefficients" not in solver.abilities or isinstance(solver, Proving)
        return writes_out and longest > MOST_REPEATS

    def _status(self, outcome, rows, steps, assumptions):
        """The status of an outcome if its model or core is right."""
        if outcome.status == "sat":
            bits = sum(1 << v for v, value in enumerate(outcome.model.tolist()) if value)
            return "sat" if plain.is_model(bits, *rows) else f"{outcome.model} is no model"
        if outcome.status == "unsat":
            return "unsat" if self._is_core(outcome.core, steps, assumptions) else "no core"
        return "unknown" if outcome.reason == "timeout" else f"unknown, {outcome.reason}"

    def _is_core(self, core, steps, assumptions):
        if set(core) == set(assumptions) or self.n_vars > plain.MOST_VARS:
            return set(core) <= set(assumptions)
        rows = plain.rows_of([*(["clause", [lit]] for lit in core), *steps])
        return set(core) < set(assumptions) and plain.first_model(self.n_vars, *rows) < 0


def _answer(solver, assumptions):
    """The outcome of a question; where a limit of conflicts ends each call, of many calls."""
    end = time.monotonic() + TIMEOUT
    while True:
        outcome = solver.solve(assumptions, timeout=TIMEOUT)
        limited = getattr(solver, "conflict_limit", None) and outcome.status == "unknown"
        if not limited or time.monotonic() > end:
            return outcome


def _formula(n_vars, steps):
    """The formula of some clauses and sums."""
    formula = Formula(n_vars)
    clauses = [lits for kind, lits, *_ in steps if kind == "clause"]
    sums = [step[1:] for step in steps if step[0] == "sum"]
    formula.add_clauses([*itertools.chain(*clauses)], [*map(len, clauses)])
    lits, coefs, bounds, outputs = zip(*sums, strict=True) if sums else [()] * 4
    flat, factors = [*itertools.chain(*lits)], [*itertools.chain(*coefs)]
    formula.add_sums(flat, [*map(len, lits)], bounds, factors, outputs)
    return formula


def _add(target, kind, lits, *rest):
    """Add a clause or a sum to a formula or a solver."""
    if kind == "clause":
        target.add_clause(lits)
    else:
        coefs, bound, output = rest
        target.add_sum(lits, bound, coefs, output or None)


def _literals(kind, lits, *rest):
    return [*lits, rest[2]] if kind == "sum" and rest[2] else lits


def _smaller_steps(kind, lits, *rest):
    if kind != "sum":
        yield from ([kind, fewer] for fewer in without_runs(lits))
        return
    coefs, bound, output = rest
    for terms in without_runs(list(zip(lits, coefs, strict=True))):
        fewer, factors = [lit for lit, _ in terms], [coef for _, coef in terms]
        yield [kind, fewer, factors, bound, output]
        yield [kind, fewer, factors, bound - sum(coefs) + sum(factors), output]
    for i, coef in enumerate(coefs):
        if abs(coef) > 1:
            less = [*coefs[:i], coef // abs(coef), *coefs[i + 1 :]]
            yield [kind, lits, less, bound, output]
            yield [kind, lits, less, bound - coef + less[i], output]
    for less in sorted({bound // 2, bound - 1, bound + 1}, key=abs):
        if abs(less) < abs(bound):
            yield [kind, lits, coefs, less, output]
    if output:
        yield [kind, lits, coefs, bound, 0]


def _renamed(number, kind, lits, *rest):
    lits = [number[lit] for lit in lits]
    return [kind, lits, *rest[:2], number[rest[2]]] if kind == "sum" else [kind, lits]
