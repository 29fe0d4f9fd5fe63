"""`Record`: one solver's answer to one question; `Comparison`: a table of them."""

import csv
import io
import os
from collections import Counter
from dataclasses import asdict, astuple, dataclass, fields
from statistics import fmean, median

from bnnkit._files import write_text
from bnnkit._table import table
from bnnkit.verification.verdict import contradictory

_ANSWERS = ("robust", "falsified", "sat", "unsat")


@dataclass(frozen=True)
class Record:
    """One solver's answer to one question, and the seconds that it took.

    Attributes
    ----------
    question : str
        The same for all solvers that were asked it.
    solver : str
        A name of the registry, perhaps with an encoding ("cadical:totalizer").
    status : str
        "robust", "falsified" or "unknown" for a network, "sat", "unsat" or "unknown" for a
        formula.
    stage : str
        What gave the answer, see `bnnkit.verification.Verdict`; "solver" for a formula.
    encode_s, solve_s : float
        Building the formula, and translating it for the solver and loading it; constructing and
        running the solver. 0 where the stage did not run.
    seconds : float
        All stages together.
    reason : str
        Why an "unknown" is one.

    Examples
    --------
    >>> from bnnkit.comparison import Record
    >>> record = Record("image 7, eps 0.1", "native", "robust", "solver", 0.25, 1.5, 1.75)
    >>> record.decided, record.seconds
    (True, 1.75)
    """

    question: str
    solver: str
    status: str
    stage: str
    encode_s: float
    solve_s: float
    seconds: float
    reason: str = ""

    @property
    def decided(self):
        """Whether this is an answer."""
        return self.status != "unknown"


@dataclass(frozen=True)
class Summary:
    """What one solver did with its questions.

    Attributes
    ----------
    solver : str
    questions, solved : int
        How many it was asked, and answered.
    counts : dict of str to int
        How often it gave each status.
    par2 : float
        Mean of its seconds, each undecided question counted as twice the time limit.
    mean, median : float
        Of its seconds over all questions, each undecided one counted as the time limit.
    encode, solve : float
        Mean seconds of the two stages over all questions, as measured; 0 where one did not run.
    wins : int
        Questions that reached the solvers and that it answered faster than every other one.

    Examples
    --------
    >>> from bnnkit.comparison import Comparison, Record
    >>> comparison = Comparison(10, [
    ...     Record("image 0", "native", "robust", "solver", 0.5, 0.5, 1.0),
    ...     Record("image 1", "native", "unknown", "solver", 0.5, 10.0, 10.5, "timeout"),
    ... ])
    >>> (summary,) = comparison.summaries
    >>> summary.solved, summary.counts, summary.par2  # (1 + 2 * 10) / 2
    (1, {'robust': 1, 'unknown': 1}, 10.5)
    """

    solver: str
    questions: int
    solved: int
    counts: dict[str, int]
    par2: float
    mean: float
    median: float
    encode: float
    solve: float
    wins: int


class Comparison:
    """The records of several solvers that were asked the same questions.

    Parameters
    ----------
    timeout : float
        The time limit in seconds of each question and solver.
    records : iterable of Record

    Attributes
    ----------
    timeout : float
    records : list of Record
        May grow.

    Examples
    --------
    >>> from bnnkit.comparison import Comparison, Record
    >>> comparison = Comparison(10, [
    ...     Record("image 0", "native", "robust", "solver", 0.001, 0.002, 0.003),
    ...     Record("image 0", "cadical", "unknown", "solver", 0.001, 10.0, 10.001),
    ... ])
    >>> [(summary.solver, summary.solved, summary.par2) for summary in comparison.summaries]
    [('native', 1, 0.003), ('cadical', 0, 20.0)]
    >>> comparison.disagreements
    {}
    """

    def __init__(self, timeout, records=()):
        self.timeout = timeout
        self.records = list(records)

    def __repr__(self):
        n_questions, n_solvers = len(self._by("question")), len(self._by("solver"))
        return f"Comparison({n_questions} questions, {n_solvers} solvers)"

    def __str__(self):
        """The table, what its numbers are over, and whether the solvers agree."""
        limit = self.timeout
        notes = [
            f"{len(self._by('question'))} questions, time limit {limit:g} s. Times are over all of "
            f"them; an undecided one",
            f"counts {2 * limit:g} s in PAR-2, {limit:g} s in mean and median, "
            "and as measured in encode and solve.",
        ]
        if len(self._by("solver")) > 1:
            notes += self._agreement()
        return "\n".join([self.table(), *notes])

    @property
    def summaries(self):
        """A Summary for each solver, in the order in which they were asked first."""
        wins = Counter(map(_winner, self._by("question").values()))
        return [
            self._summary(solver, records, wins[solver])
            for solver, records in self._by("solver").items()
        ]

    @property
    def disagreements(self):
        """The answers, {question: {solver: status}}, where solvers contradict each other."""
        return {
            question: {record.solver: record.status for record in records}
            for question, records in self._by("question").items()
            if contradictory(record.status for record in records)
        }

    def solved_times(self):
        """For each solver the seconds of the questions that it answered, ascending."""
        return {
            solver: sorted(record.seconds for record in records if record.decided)
            for solver, records in self._by("solver").items()
        }

    def table(self):
        """The summaries as lines of text."""
        seen = {record.status for record in self.records}
        answers = [status for status in _ANSWERS if status in seen]
        times = ("par2", "mean", "median", "encode", "solve")
        header = ("solver", "questions", "solved", *answers, "unknown")
        header += ("PAR-2", "mean s", "median s", "encode s", "solve s", "wins")
        rows = [
            (
                *(s.solver, s.questions, s.solved),
                *(s.counts.get(status, 0) for status in (*answers, "unknown")),
                *(f"{getattr(s, name):.4f}" for name in times),
                s.wins,
            )
            for s in self.summaries
        ]
        return table(header, rows)

    def to_csv(self, path=None):
        """The records as CSV: written to `path`, atomically, or returned where there is none."""
        text = io.StringIO()
        rows = _csv_writer(text)
        rows.writerows(map(_row, self.records))
        if path is None:
            return text.getvalue()
        write_text(path, text.getvalue())
        return None

    def to_dict(self):
        """Time limit, summaries and disagreements as plain dicts, lists and numbers."""
        return {
            "timeout": self.timeout,
            "solvers": [asdict(summary) for summary in self.summaries],
            "disagreements": self.disagreements,
        }

    def _by(self, name):
        """The records by their value of an attribute, in the order of the first of each."""
        groups = {}
        for record in self.records:
            groups.setdefault(getattr(record, name), []).append(record)
        return groups

    def _summary(self, solver, records, wins):
        counts = Counter(record.status for record in records)
        penalised = [r.seconds if r.decided else 2 * self.timeout for r in records]
        limited = [r.seconds if r.decided else self.timeout for r in records]
        return Summary(
            solver=solver,
            questions=len(records),
            solved=len(records) - counts["unknown"],
            counts=dict(counts),
            par2=fmean(penalised),
            mean=fmean(limited),
            median=median(limited),
            encode=fmean(record.encode_s for record in records),
            solve=fmean(record.solve_s for record in records),
            wins=wins,
        )

    def _agreement(self):
        wrong = self.disagreements
        if not wrong:
            return ["no disagreement between solvers"]
        lines = [f"DISAGREEMENT between solvers on {len(wrong)} of the questions:"]
        for question, answers in wrong.items():
            given = ", ".join(f"{solver} says {status}" for solver, status in answers.items())
            lines.append(f"  {question}: {given}")
        # only these two come with something that can be checked, and it has been
        return [*lines, "falsified and sat have been checked, so those who deny them are wrong"]


def written(records, path):
    """Yield from `records` while each is written to the CSV file `path` as it comes.

    Whatever ends the iteration, what is finished is on disk.

    Parameters
    ----------
    records : iterable of Record
    path : path-like
        An existing file is replaced, and missing folders are made.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from bnnkit.comparison import Record, written
    >>> records = [Record("image 0", "native", "robust", "solver", 0.25, 0.5, 0.75)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for record in written(records, f"{folder}/rows.csv"):
    ...         print(record.status)
    ...     print(pathlib.Path(folder, "rows.csv").read_text(), end="")
    robust
    question,solver,status,stage,encode_s,solve_s,seconds,reason
    image 0,native,robust,solver,0.250000,0.500000,0.750000,
    """
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = _csv_writer(file)
        for record in records:
            rows.writerow(_row(record))
            file.flush()
            yield record


def _csv_writer(file):
    """A writer of rows that has written the header."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(field.name for field in fields(Record))
    return rows


def _row(record):
    return [f"{cell:.6f}" if isinstance(cell, float) else cell for cell in astuple(record)]


def _winner(records):
    """The one solver that answered first a question which reached the solvers, or None."""
    answers = [record for record in records if record.decided and record.solve_s > 0]
    best = min((record.seconds for record in answers), default=None)
    fastest = [record.solver for record in answers if record.seconds == best]
    return fastest[0] if len(fastest) == 1 else None
