import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import bnnkit

MODULES = [
    module.name
    for module in pkgutil.walk_packages(bnnkit.__path__, "bnnkit.")
    if not module.name.endswith(("__main__", "TEMPLATE"))
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    results = doctest.testmod(module, extraglobs={"np": np})
    assert results.failed == 0
