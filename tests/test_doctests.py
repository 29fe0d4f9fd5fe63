import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import bnnkit
from bnnkit import plots
from bnnkit.solvers import registry


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch):
    """No figure of an example stays open, and no solver registered."""
    import matplotlib

    matplotlib.use("Agg")
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    yield
    plots.plt.close("all")


def examples():
    """Every docstring of the package that has examples."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in pkgutil.walk_packages(bnnkit.__path__, "bnnkit."):
        if not module.name.endswith("__main__"):
            found = finder.find(importlib.import_module(module.name), extraglobs={"np": np})
            yield from (test for test in found if test.examples)


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: example.name)
def test_examples_in_docstrings(example):
    assert doctest.DocTestRunner().run(example).failed == 0
