"""Questions, and odd solvers for them."""

import odd_solvers
import pytest
from campaigns import make_questions

from bnnkit import solvers


@pytest.fixture(scope="session")
def questions():
    return make_questions()


@pytest.fixture
def odd(monkeypatch):
    """Registers a class of `odd_solvers` under the name "odd"."""
    monkeypatch.setattr(solvers.registry, "_registered", dict(solvers.registry._registered))

    def register(name):
        solvers.register("odd", getattr(odd_solvers, name))
        return "odd"

    return register
