"""Solvers by name: the package's own, those of other packages, and those of the running program."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from bnnkit._names import unknown
from bnnkit.solvers.base import Solver
from bnnkit.solvers.encodings import check_encoding

GROUP = "bnnkit.solvers"  # the entry points of other packages

_registered: dict[str, type[Solver] | Callable[[], type[Solver]]] = {}


def register(name: str, solver: type[Solver] | Callable[[], type[Solver]]) -> None:
    """Make a solver known under a name; a solver that has the name already is replaced.

    Parameters
    ----------
    name : str
        Without a colon, which separates the encoding in "cadical:totalizer".
    solver : subclass of Solver, or function that returns one
        A function is called when the solver is first asked for.

    Notes
    -----
    A package makes its solvers known by entry points in the group "bnnkit.solvers".

    Examples
    --------
    >>> from bnnkit import solvers
    >>> from bnnkit.formula import Formula
    >>> from bnnkit.solvers.TEMPLATE import Backtracking
    >>> solvers.register("mine", Backtracking)
    >>> with solvers.get("mine")(Formula(2)) as solver:
    ...     solver.solve().status
    'sat'
    """
    if not name or ":" in name:
        raise ValueError(f"the name of a solver must not be empty or have a colon, got {name!r}")
    _registered[name] = solver


def available() -> dict[str, str]:
    """The solvers that can be used here: descriptions by names.

    A solver is left out if a module that it requires is not installed. Nothing heavy is imported.

    Examples
    --------
    >>> from bnnkit.solvers import available
    >>> available()["native"]
    "bnnkit's own clause learning: reified sums with coefficients natively"
    """
    classes = {name: _load(name) for name in _names()}
    return {
        name: solver.description
        for name, solver in classes.items()
        if all(map(_installed, solver.requires))
    }


def get(name: str, **options) -> Callable[..., Solver]:
    """The solver with a name, to be called with a formula.

    Parameters
    ----------
    name : str
        One of `available`, for solvers of clauses also with an encoding, as "cadical:totalizer".
    **options
        Keyword arguments for the solver, such as ``encoding="totalizer"`` or ``workers=2``.

    Returns
    -------
    subclass of Solver, or `functools.partial` of one
        The latter if there are options or an encoding.

    Raises
    ------
    ValueError
        If there is no such solver, or it takes no encoding.

    Examples
    --------
    >>> from bnnkit.solvers import get
    >>> get("cadical:totalizer").keywords
    {'encoding': 'totalizer'}
    """
    if not isinstance(name, str):
        listing = ", ".join(available())
        raise TypeError(f"a solver is asked for by its name, got {name!r}; there are {listing}")
    name, colon, encoding = name.partition(":")
    if name not in _names():
        raise ValueError(unknown("solver", name, available()))
    solver = _load(name)
    if colon:
        if not solver.takes_encoding:
            raise ValueError(f"the solver {name} takes no encoding, got {encoding!r}")
        options = {"encoding": check_encoding(encoding), **options}
    return functools.partial(solver, **options) if options else solver


def _names() -> list[str]:
    return [*_registered, *(name for name in _entry_points() if name not in _registered)]


@functools.cache
def _entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _load(name: str) -> type[Solver]:
    solver = _registered[name] if name in _registered else _entry_points()[name].load
    if isinstance(solver, type):
        return solver
    _registered[name] = solver()
    return _registered[name]


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of its package
        return False
