"""Runs each test that takes a `solver` for each one that the option --solver names."""

import pytest

from bnnkit import solvers
from bnnkit.solvers.TEMPLATE import Backtracking

solvers.register("backtracking", Backtracking)


def pytest_generate_tests(metafunc):
    if "solver" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--solver")
        names = solvers.available() if chosen == "all" else chosen.split(",")
        metafunc.parametrize("solver", names, indirect=True)


@pytest.fixture
def solver(request):
    """A function that makes a solver for a formula; the solvers are closed after the test."""
    made = []

    def make(formula=None, **options):
        made.append(solvers.get(request.param)(formula, **options))
        return made[-1]

    make.name = request.param
    yield make
    for one in made:
        one.close()
