"""The ways to ask a question about networks; what they say must not differ."""

import math
import tempfile
from dataclasses import replace
from functools import partial

from bnnkit import solvers
from bnnkit.checker import check_certificate
from bnnkit.fuzz import same_networks
from bnnkit.fuzz.native_ways import TIMEOUT, Hesitant, Proving, Reducing
from bnnkit.verification import minimal_epsilon, verify, verify_joint, verify_vote
from bnnkit.verification._question import checked_limits
from bnnkit.verification.pipeline import Question

TURN = 1e-4  # seconds of the first turn, so that there are many
_ASK = {"vote": verify_vote, "joint": verify_joint}


def of(solver):
    """The ways to ask a solver, by names: functions of a case that return an answer, or None."""
    return {solver: partial(ask, solver=solver)} | (NATIVE if solver == "native" else {})


def ask(case, solver="native", falsify=0, **options):
    """The answer of `verify`, `verify_vote` or `verify_joint`."""
    question = _ASK.get(case.question)
    asked = partial(question, case.networks) if question else partial(verify, case.networks[0])
    verdict = asked(
        *(case.image, case.label, case.eps),
        **{"solver": solver, "falsify": falsify, "timeout": TIMEOUT, "pixels": case.pixels},
        **options,
    )
    return _checked(case, verdict)


def _checked(case, verdict):
    """The status of a verdict whose witness, if it must have one, is one by definition."""
    if verdict.status == "falsified" and not case.is_witness(verdict.adversarial):
        return "the witness is none"
    reason = verdict.reason
    undecided = verdict.status == "unknown" and reason != "timeout"
    return f"unknown, {reason}" if undecided and "float32 cannot" not in reason else verdict.status


def _with_engine(case, engine, falsify=0, fallback=None):
    """The answer with a solver that has no name; None about several networks."""
    if case.question != "one":
        return None
    eps, grey = checked_limits(case.image, case.eps, TIMEOUT, case.pixels), case.pixels == "uint8"
    question = (case.networks[0], case.image, case.label, eps, TIMEOUT, grey, fallback)
    return _checked(case, Question(*question).answer(engine, falsify))


def _certified(case):
    """The answer of `verify`, whose certificate the checker must accept."""
    if case.question != "one" or case.pixels != "real":
        return None
    with tempfile.TemporaryDirectory() as folder:
        answer = ask(case, certificate=folder)
        if answer == "robust" and not (checked := check_certificate(folder)).verified:
            return f"no certificate: {checked.reason}"
    return answer


def _fallen_back(case):
    """The answer of a second solver, as the first one soon gives up; the second may be too slow."""
    hasty = solvers.get("native", conflict_limit=1)
    answer = _with_engine(case, hasty, TURN, solvers.get("minicard"))
    return "unknown" if answer == "unknown, the engine gave up" else answer


def _minimal(case):
    """What `minimal_epsilon` implies; it must be the least eps that `verify` falsifies."""
    if case.question != "one":
        return None
    question = (case.networks[0], case.image, case.label)
    found = minimal_epsilon(*question, timeout=TIMEOUT, pixels=case.pixels, max_eps=case.eps)
    if not found.exact:
        return "unknown"
    if found.upper == math.inf:
        return "robust"
    if not case.is_witness(found.adversarial):
        return "the witness is none"
    below = math.nextafter(found.upper, 0)
    if found.upper and verify(*question, below, pixels=case.pixels).status == "falsified":
        return f"{found.upper} is not minimal"
    return "falsified"


def _smaller(case):
    """What is falsified in a smaller ball is so here."""
    answer = ask(replace(case, eps=case.eps / 2))
    return None if answer == "robust" else answer


def _greater(case):
    """What is robust in a greater ball is so here."""
    answer = ask(replace(case, eps=min(case.eps * 3 / 2, 1)))
    return None if answer == "falsified" else answer


def _reversed_classes(case):
    """With the classes in the opposite order; a vote's ties would go elsewhere then."""
    if case.question == "vote":
        return None
    label = len(case.members[0]["head"]["bias"]) - 1 - case.label
    return _same(replace(case, label=label), same_networks.reversed_classes)


def _transposed(case):
    return _same(replace(case, image=case.image.swapaxes(1, 2)), same_networks.transposed)


def _same(case, change):
    return ask(replace(case, members=[change(member) for member in case.members]))


NATIVE = {
    "native, turns": partial(ask, falsify=TURN),
    "native, hunts": partial(_with_engine, engine=Hesitant, falsify=1e-8),  # no search before
    "native, reducing": partial(_with_engine, engine=Reducing),
    "native, proving": partial(_with_engine, engine=Proving),
    "native, certificate": _certified,
    "native, fallback": _fallen_back,
    "minimal epsilon": _minimal,
    "smaller eps": _smaller,
    "greater eps": _greater,
    "classes reversed": _reversed_classes,
    "channels reversed": partial(_same, change=same_networks.reversed_channels),
    "dead neurons": partial(_same, change=same_networks.with_dead_neurons),
    "neurons negated": partial(_same, change=same_networks.negated),
    "identity layer": partial(_same, change=same_networks.with_identity),
    "image transposed": _transposed,
}
