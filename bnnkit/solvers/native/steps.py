"""One walk of the search, step by step, for people: decisions, what follows, and what is learnt.

The functions that search take the steps; here they are only called one at a time and read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bnnkit.formula import Formula
from bnnkit.solvers.native._compile import entry
from bnnkit.solvers.native.assign import assign
from bnnkit.solvers.native.clauses import FULL
from bnnkit.solvers.native.engine import _external, _internal
from bnnkit.solvers.native.learning import analyze
from bnnkit.solvers.native.reasons import CONFLICT, explain
from bnnkit.solvers.native.search import propagate
from bnnkit.solvers.native.solver import Native
from bnnkit.solvers.native.trail import new_level

ROOT = np.uint64(0)


@dataclass(frozen=True)
class Step:
    """A literal of the trail.

    Attributes
    ----------
    lit : int
    level : int
        How many decisions were made before or with it; 0 for what always holds.
    reason : tuple of int, or None
        The true literals that it follows from, by one clause or sum; None for a decision.

    Examples
    --------
    A decision, and what follows from it:

    >>> from bnnkit.formula import Formula
    >>> from bnnkit.solvers.native.steps import trace
    >>> formula = Formula(2)
    >>> formula.add_clause([-1, 2])
    >>> for step in trace(formula, [1]).trail:
    ...     print(step)
    Step(lit=1, level=1, reason=None)
    Step(lit=2, level=1, reason=(1,))
    """

    lit: int
    level: int
    reason: tuple[int, ...] | None


@dataclass(frozen=True)
class Trace:
    """What some decisions led to.

    Attributes
    ----------
    trail : list of Step
        The literals in the order in which they became true.
    conflict : tuple of int, or None
        True literals that one clause or sum forbids together.
    learnt : tuple of int, or None
        After a conflict: a clause that follows from the formula and is false now. Its first
        literal is the only one of the current level; empty if the formula has no model.
    back : int, or None
        After a conflict: the level to go back to, where the first literal of `learnt` follows.

    Examples
    --------
    >>> from bnnkit.formula import Formula
    >>> from bnnkit.solvers.native.steps import trace
    >>> formula = Formula(2)
    >>> formula.add_clauses([-1, 2, -1, -2], [2, 2])
    >>> found = trace(formula, [1])
    >>> sorted(found.conflict), found.learnt, found.back
    ([1, 2], (-1,), 0)
    """

    trail: list[Step]
    conflict: tuple[int, ...] | None = None
    learnt: tuple[int, ...] | None = None
    back: int | None = None


def trace(formula: Formula, decisions: Sequence[int]) -> Trace:
    """Make decisions one after another, propagating each; stop at a conflict and learn from it.

    Parameters
    ----------
    formula : Formula
    decisions : sequence of int
        Literals. One that holds already when it is its turn is passed over.

    Raises
    ------
    ValueError
        For a decision that is no literal of the formula, or is false when it is its turn.

    Examples
    --------
    >>> from bnnkit.formula import Formula
    >>> from bnnkit.solvers.native.steps import trace
    >>> formula = Formula(3)
    >>> formula.add_clauses([-1, 2, -1, -2, 3], [2, 3])
    >>> for step in trace(formula, [1]).trail:
    ...     print(step.lit, step.level, step.reason and sorted(step.reason))
    1 1 None
    2 1 [1]
    3 1 [1, 2]
    >>> formula.add_clause([-2, -3])
    >>> trace(formula, [1]).learnt
    (-1,)
    """
    with Native(formula) as solver:
        decisions = solver._check_assumptions(decisions)
        solver._load()
        engine = solver._engine
        engine._prepare([], None)
        if solver._contradiction or engine._contradiction:
            return Trace([], (), (), 0)
        conflict = _propagated(engine)
        for lit, place in zip(decisions, _internal(np.array(decisions, dtype=int)), strict=True):
            if conflict != 0:
                break
            if engine.state.value[place] < 0:
                raise ValueError(
                    f"the decision {lit} is false already, as {-lit} follows from those before it; "
                    "leave it out"
                )
            if engine.state.value[place] == 0:
                decide(engine.state, np.uint64(place))
                conflict = _propagated(engine)
        return _read(engine, conflict)


def _propagated(engine):
    conflict = propagate_all(engine.state)
    while conflict == FULL:
        engine._make_room()
        conflict = propagate_all(engine.state)
    return np.uint64(conflict)


def _read(engine, conflict) -> Trace:
    """The trail without the constant true, and what the conflict, if there is one, teaches."""
    s = engine.state
    lits = s.trail[1 : engine._count("TRAIL")].copy()
    steps = [
        Step(int(lit), int(s.level[place >> 1]), _reason(s, place))
        for lit, place in zip(_external(lits), lits, strict=True)
    ]
    if conflict == 0:
        return Trace(steps)
    clash = _negated(s, explain_one(s, conflict, CONFLICT))
    if engine._count("LEVEL") == 0:
        return Trace(steps, clash, (), 0)
    back = learn_from(s, conflict)
    learnt = _external(s.learnt[: engine._count("LEARNT_SIZE")])
    return Trace(steps, clash, tuple(learnt.tolist()), int(back))


def _reason(s, place):
    code = np.uint64(s.reason[place >> 1])
    if code == 0 and s.level[place >> 1] > 0:
        return None
    return _negated(s, explain_one(s, code, np.uint64(place))) if code else ()


def _negated(s, n) -> tuple[int, ...]:
    """The true literals whose negations the last reason has; not the constant true."""
    lits = s.why[: int(n)]
    return tuple((-_external(lits[lits > 1])).tolist())


@entry
def propagate_all(s):
    """Draw all conclusions from the trail."""
    return propagate(s)


@entry
def decide(s, lit):
    """Begin a level with a decision."""
    new_level(s)
    assign(s, lit, ROOT)


@entry
def explain_one(s, code, lit):
    """Write the reason of one literal to `s.why`; how many literals it has."""
    return explain(s, code, lit)


@entry
def learn_from(s, conflict):
    """Write the clause that a conflict teaches to `s.learnt`; the level to go back to."""
    level, _ = analyze(s, conflict)
    return level
