"""Many random cases, each asked in several ways."""

import itertools
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from bnnkit import solvers as registry
from bnnkit._files import write_text
from bnnkit._options import check_count, check_range, check_seed
from bnnkit._progress import progress
from bnnkit.campaign.environment import environment
from bnnkit.fuzz.findings import KINDS, SOLVERS, contradictory, save
from bnnkit.fuzz.shrink import shrink
from bnnkit.solvers._process import ProcessSolver

SLOW_EVERY = 100  # cases, of which one is asked of the solvers that live in child processes
RARE_EVERY = 20  # cases, of which one is asked about in the ways of no solver
SECONDS = 10.0  # between two writings of the journal
_VERSIONS = ("bnnkit", "python", "numpy", "numba", "python-sat", "ortools")


@dataclass
class Report:
    """What has been done, and what came of it.

    Attributes
    ----------
    kind : "formula", "network"
    seed : int
    solvers : list of str
    cases : int
        The cases 0, 1, ... of the seed that have been asked.
    counts : dict of str to dict of str to int
        Of each way: how often it gave each answer.
    findings : list of str
        Files of cases about which ways disagree or go wrong.
    seconds : float
    versions : dict of str to str
        Of what took part.

    Examples
    --------
    >>> from bnnkit.fuzz import Report
    >>> report = Report("formula", seed=0, solvers=["native"], cases=1, seconds=2.0)
    >>> report.add({"native": ["sat", "unsat"], "brute force": ["sat", "unsat"]})
    >>> print(report)
    2 cases (formula, seed 0), 2 s
    asked        sat  unsat
    native         1      1
    brute force    1      1
    all agree
    """

    kind: str
    seed: int
    solvers: list
    cases: int = 0
    counts: dict = field(default_factory=dict)
    findings: list = field(default_factory=list)
    seconds: float = 0.0
    versions: dict = field(default_factory=dict)

    def add(self, said):
        """Count the answers about one more case."""
        self.cases += 1
        for name, answers in said.items():
            counted = self.counts.setdefault(name, {})
            for answer in filter(None, answers):
                counted[answer] = counted.get(answer, 0) + 1

    def __str__(self):
        from bnnkit._table import table

        columns = sorted({answer for counted in self.counts.values() for answer in counted})
        rows = [
            (name, *(str(counted.get(answer, 0)) for answer in columns))
            for name, counted in self.counts.items()
        ]
        end = "\n".join(["these disagree:", *self.findings]) if self.findings else "all agree"
        head = f"{self.cases} cases ({self.kind}, seed {self.seed}), {self.seconds:.0f} s"
        return "\n".join([head, table(("asked", *columns), rows, left=(0,)), end])


def run(kind, count=None, seconds=None, seed=0, solvers=SOLVERS, folder=".", journal=None):
    """Ask about random cases until something ends it.

    Parameters
    ----------
    kind : "formula", "network"
    count : int, optional
        Number of cases, those before an interruption included.
    seconds : float, optional
        Time of this call.
    seed : int
        Same seed, same cases.
    solvers : sequence of str
        Those that live in child processes are asked about one of a hundred cases.
    folder : path
        Where each finding is saved, once it is as small as it gets.
    journal : path, optional
        A file from which a call with the same arguments goes on.

    Returns
    -------
    Report

    Raises
    ------
    TypeError, ValueError
        For arguments that make no sense, and a journal of another run.

    Examples
    --------
    >>> import tempfile
    >>> from bnnkit import fuzz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = fuzz.run("formula", count=3, solvers=["native"], folder=folder)
    >>> report.cases, report.findings
    (3, [])
    """
    report, ways = _begin(kind, count, seconds, seed, solvers, journal)
    started = spoken = time.monotonic()
    before = report.seconds
    numbers = itertools.count(report.cases) if count is None else range(report.cases, count)
    try:
        for index in progress(
            numbers, f"asking about {kind}s", total=count, count=lambda: report.cases
        ):
            now = time.monotonic()
            if seconds is not None and now - started >= seconds:
                break
            if now - spoken >= SECONDS:
                spoken = now
                _write(report, journal)
            _ask(report, ways, index, folder)
            report.seconds = before + time.monotonic() - started
    finally:
        _write(report, journal)
    return report


def _begin(kind, count, seconds, seed, solvers, journal):
    """The Report to go on with, and the ways of each solver."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if count is None and seconds is None:
        raise ValueError("name the number of cases or the seconds, or both")
    if count is not None:
        check_count("count", count)
    if seconds is not None:
        check_range("seconds", seconds, "(0, inf)")
    check_seed("seed", seed)
    ways = {name: (registry.get(name), KINDS[kind].ways(name)) for name in solvers}
    report = Report(kind, seed, list(solvers), versions=_versions())
    return _read(report, journal), ways


def _ask(report, ways, index, folder):
    case = KINDS[report.kind].draw(report.seed, index)
    chosen = dict(_chosen(ways, index))
    if index % RARE_EVERY == 0:
        chosen |= case.rare_ways()
    said = case.statements(chosen)
    report.add(said)
    if contradictory(said):
        needed = {name: chosen[name] for name in _quarrel(said) if name in chosen}
        small = shrink(case, lambda case: contradictory(case.statements(needed)))
        report.findings.append(str(save(small, small.statements(chosen), folder)))


def _quarrel(said):
    """A few ways that suffice for a contradiction."""
    for name in said:
        others = {other: said[other] for other in said if other != name}
        if contradictory(others):
            return _quarrel(others)
    return list(said)


def _chosen(ways, index):
    """The ways to ask about a case: of each solver the plain one, and one of the others."""
    for solver, named in ways.values():
        slow = issubclass(getattr(solver, "func", solver), ProcessSolver)
        if slow and index % SLOW_EVERY:
            continue
        (plain, *others) = named.items()
        yield plain
        if others:
            yield others[(index // SLOW_EVERY if slow else index) % len(others)]


def _versions():
    found = json.loads(environment())
    return {name: found[name] for name in _VERSIONS}


def _write(report, journal):
    if journal is not None:
        write_text(journal, json.dumps(vars(report), indent=1) + "\n")


def _read(report, journal):
    """The Report of a journal, which must be of the same run; the one given if there is none."""
    if journal is None or not Path(journal).exists():
        return report
    try:
        found = Report(**json.loads(Path(journal).read_text(encoding="utf-8")))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{journal}: not a journal of bnnkit fuzz ({error})") from None
    for name in ("kind", "seed", "solvers", "versions"):
        if getattr(found, name) != getattr(report, name):
            raise ValueError(
                f"{journal} is of another run: {name} {getattr(found, name)!r}, "
                f"not {getattr(report, name)!r}; name another file, or delete this one"
            )
    return found
