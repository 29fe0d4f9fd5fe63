"""Put each question to every solver: about a network's images, or of formula files."""

import functools
import math
import numbers
import time
from dataclasses import dataclass
from pathlib import Path

from bnnkit import solvers as registry
from bnnkit._checks import as_eps, as_images, as_labels
from bnnkit._progress import progress
from bnnkit.comparison.results import Comparison, Record
from bnnkit.formula import Formula
from bnnkit.verification import verify
from bnnkit.verification.pipeline import check_fallback


def compare(network, images, labels, eps, solvers, timeout=60.0, **options):
    """Ask several solvers the same questions about the images of a network.

    Each question goes to all solvers before the next one, so that they see the machine in the
    same state, and another solver begins each time. What is finished is lost if the work is
    interrupted; to keep it, iterate over `iter_records`, through `written` for a file.

    Parameters
    ----------
    network : BinaryNetwork
    images : array_like
        uint8 in 0..255 or floats in [0, 1]; (N, C, H, W), (N, H, W) or (N, features).
    labels : array_like of int, shape (N,)
    eps : float, or sequence of float
        Radii on the [0, 1] scale; each image is asked about with each of them.
    solvers : sequence of str
        Names of `bnnkit.solvers.available()`, with encodings if you like ("cadical:totalizer").
    timeout : float
        Seconds for each question and solver.
    **options
        ``pixels``, ``falsify`` and ``fallback`` of `verify`. With ``falsify=0`` each question that
        bounds do not settle reaches the solvers.

    Returns
    -------
    Comparison

    Raises
    ------
    TypeError, ValueError
        For images, labels, eps, a time limit or solver names that make no sense.

    Examples
    --------
    >>> import bnnkit
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> images = np.zeros((2, 1, 28, 28), np.uint8)
    >>> labels = network.predict(images)
    >>> comparison = bnnkit.compare(network, images, labels, 0.01, ["native", "minicard"])
    >>> [(row.solver, row.solved) for row in comparison.summaries]
    [('native', 2), ('minicard', 2)]
    """
    for solver in [solvers] if isinstance(solvers, str) else solvers:
        check_fallback(solver, timeout, **options)
    questions = network_questions(network, images, labels, eps, **options)
    return Comparison(timeout, iter_records(questions, solvers, timeout))


def compare_formulas(paths, solvers, timeout=60.0):
    """Ask several solvers whether the formulas in some files are satisfiable.

    Parameters
    ----------
    paths : sequence of path-like
        Files that `Formula.load` reads. Reading is not part of any solver's time.
    solvers, timeout
        As for `compare`.

    Returns
    -------
    Comparison

    Raises
    ------
    FileNotFoundError
        Before anything is solved.
    TypeError, ValueError
        For a time limit or solver names that make no sense, or a file that is no formula.

    Examples
    --------
    >>> import tempfile
    >>> import bnnkit
    >>> from bnnkit.formula import Formula
    >>> formula = Formula(3)
    >>> formula.add_sum([1, 2, 3], 2)  # two of three, but no pair of them
    >>> formula.add_clauses([-1, -2, -1, -3, -2, -3], [2, 2, 2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     formula.save(f"{folder}/pairs.cnf")
    ...     comparison = bnnkit.compare_formulas([f"{folder}/pairs.cnf"], ["native", "cadical"])
    >>> [(record.solver, record.status) for record in comparison.records]
    [('native', 'unsat'), ('cadical', 'unsat')]
    """
    return Comparison(timeout, iter_records(formula_questions(paths), solvers, timeout))


def iter_records(questions, solvers, timeout):
    """Yield each solver's Record of each question as it is ready.

    Whoever iterates keeps what is finished if the work is interrupted.

    Parameters
    ----------
    questions : iterable
        Of `network_questions` or `formula_questions`.
    solvers, timeout
        As for `compare`.

    Examples
    --------
    >>> import bnnkit
    >>> from bnnkit.comparison import iter_records, network_questions
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> images = np.zeros((2, 1, 28, 28), np.uint8)
    >>> questions = network_questions(network, images, network.predict(images), [0.01])
    >>> for record in iter_records(questions, ["native"], timeout=60):
    ...     print(record.question, record.status)
    eps 0.01 image 0 robust
    eps 0.01 image 1 robust
    """
    solvers = list(dict.fromkeys([solvers] if isinstance(solvers, str) else solvers))
    if not solvers:
        raise ValueError("solvers must name at least one solver, got none")
    for solver in solvers:
        registry.get(solver)
    number = isinstance(timeout, numbers.Real) and not isinstance(timeout, bool)
    if not (number and 0 < timeout < math.inf):
        raise ValueError(
            f"timeout must be a positive number of seconds, got {timeout!r}; "
            "a comparison needs one, as undecided questions count by it"
        )
    return _asked(questions, solvers, timeout)


def _asked(questions, solvers, timeout):
    for i, question in enumerate(questions):
        first = i % len(solvers)
        for solver in solvers[first:] + solvers[:first]:
            yield question.ask(solver, timeout)


def network_questions(network, images, labels, eps, **options):
    """The questions that `compare` asks, eps by eps.

    Parameters
    ----------
    network, images, labels, eps
        As of `compare`; equal radii are asked about once.
    **options
        As of `compare`.

    Returns
    -------
    iterable of questions
        Each has a ``name``; `bnnkit.comparison.iter_records` asks them.

    Raises
    ------
    TypeError, ValueError
        For arguments that `bnnkit.verify` would not take, either.

    Examples
    --------
    >>> import bnnkit
    >>> from bnnkit.comparison import network_questions
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> images = np.zeros((2, 1, 28, 28), np.uint8)
    >>> questions = network_questions(network, images, network.predict(images), [0.01, 0.02])
    >>> [question.name for question in questions]
    ['eps 0.01 image 0', 'eps 0.01 image 1', 'eps 0.02 image 0', 'eps 0.02 image 1']
    """
    images = as_images(images, network.input_shape)
    labels = as_labels(labels, len(images), network.n_classes)
    radii = [eps] if isinstance(eps, numbers.Number) else eps
    radii = list(dict.fromkeys(map(as_eps, radii)))
    questions = [
        _NetworkQuestion(f"eps {_named(radius)} image {i}", network, image, label, radius, options)
        for radius in radii
        for i, (image, label) in enumerate(zip(images, labels, strict=True))
    ]
    return progress(questions, "comparing")


def _named(radius):
    """A radius as a float, if no other radius is printed so, else as a fraction."""
    return float(radius) if as_eps(float(radius)) == radius else radius


def formula_questions(paths):
    """The questions that `compare_formulas` asks; a file is read when it is its turn.

    Parameters
    ----------
    paths : sequence of str or Path
        Files that `bnnkit.formula.Formula.load` reads; equal ones are asked about once.

    Returns
    -------
    iterable of questions
        Each has a ``name``, its path; `bnnkit.comparison.iter_records` asks them.

    Raises
    ------
    OSError
        For a file that there is not, at once.
    ValueError
        For one that holds no formula, when it is its turn.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from bnnkit.comparison import formula_questions
    >>> from bnnkit.formula import Formula
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Formula(3).save(f"{folder}/free.cnf")
    ...     for question in formula_questions([f"{folder}/free.cnf"]):
    ...         print(Path(question.name).name)
    free.cnf
    """
    paths = list(dict.fromkeys(map(Path, paths)))
    for path in paths:
        path.stat()  # a missing file is an error now, not in the middle of the work
    questions = (_FormulaQuestion(str(path), Formula.load(path)) for path in paths)
    return progress(questions, "comparing", total=len(paths))


@dataclass(frozen=True)
class _NetworkQuestion:
    name: str
    network: object
    image: object
    label: int
    eps: object
    options: dict

    def ask(self, solver, timeout):
        verdict = verify(
            self.network, self.image, self.label, self.eps, solver, timeout, **self.options
        )
        return Record(
            question=self.name,
            solver=solver,
            status=verdict.status,
            stage=verdict.stage,
            encode_s=verdict.timings.get("encode", 0.0),
            solve_s=verdict.timings.get("solve", 0.0),
            seconds=verdict.seconds,
            reason=verdict.reason,
        )


@dataclass(frozen=True)
class _FormulaQuestion:
    name: str
    formula: Formula

    def ask(self, solver, timeout):
        _warm_up(solver)
        started = time.perf_counter()
        with registry.get(solver)(self.formula) as engine:
            outcome = engine.solve(timeout=timeout)
            seconds = time.perf_counter() - started
        return Record(
            question=self.name,
            solver=solver,
            status=outcome.status,
            stage="solver",
            encode_s=outcome.loading,
            solve_s=seconds - outcome.loading,
            seconds=seconds,
            reason=outcome.reason,
        )


@functools.cache
def _warm_up(solver):
    """Use a solver once: what is loaded or compiled then is no question's time."""
    with registry.get(solver)(Formula(1)) as engine:
        engine.solve()
