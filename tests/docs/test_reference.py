"""The reference of the site has every public name, and no other, each with an example."""

import ast
import builtins
import doctest
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import bnnkit

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"

# Names without an example that the tests run, and why.
UNSHOWN = {
    "bnnkit.nn.ARCHITECTURES": "a dict, which has no docstring; the page says what it holds",
    "bnnkit.plots.COLOURS": "a dict, which has no docstring; the page says what it holds",
    "bnnkit.interop.eev.load": "needs a checkpoint that EEV wrote; its example is shown, not run",
    "bnnkit.study.run": "trains for minutes; its example is shown, not run",
}


def entries():
    """Dotted names that the pages list: (page, name)."""
    for page in sorted(REFERENCE.glob("*.rst")):
        module, listing = None, False
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.startswith(".. "):
                listing = line == ".. autosummary::"
                module = line.partition("currentmodule:: ")[2] or module
            elif listing and line.startswith("   ") and not line.strip().startswith(":"):
                yield page.name, f"{module}.{line.strip()}"


def resolve(name):
    """The object that a dotted name means."""
    parts = name.split(".")
    found = importlib.import_module(parts[0])
    for i, part in enumerate(parts[1:], start=2):
        if not hasattr(found, part):
            importlib.import_module(".".join(parts[:i]))
        found = getattr(found, part)
    return found


def public():
    """What the packages export: (name, object), modules left out."""
    names = ["bnnkit", *(m.name for m in pkgutil.walk_packages(bnnkit.__path__, "bnnkit."))]
    for name in names:
        if name.startswith("bnnkit.cli") or "._" in name or name == "bnnkit.__main__":
            continue
        module = importlib.import_module(name)
        for attribute in getattr(module, "__all__", ()):
            found = getattr(module, attribute)
            if not inspect.ismodule(found) and attribute != "__version__":
                yield f"{name}.{attribute}", found


def test_every_public_name_is_in_the_reference():
    listed = [resolve(name) for _, name in entries()]
    assert [name for name, found in public() if not any(found is each for each in listed)] == []


@pytest.mark.parametrize(("page", "name"), list(entries()))
def test_what_is_listed_has_a_docstring_of_its_own(page, name):
    found = resolve(name)
    if inspect.isroutine(found) or inspect.isclass(found):
        assert inspect.cleandoc(found.__doc__ or ""), f"{page}: {name}"
        assert not found.__doc__.startswith(f"{name.rpartition('.')[2]}("), "made by dataclass"


def shown(found):
    """Whether the docstring of an object has an example that is run and shows something."""
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(found) or "")
    return any(example.want and doctest.SKIP not in example.options for example in examples)


@pytest.mark.parametrize(("page", "name"), list(entries()))
def test_what_is_listed_has_an_example(page, name):
    assert shown(resolve(name)) == (name not in UNSHOWN), f"{page}: {name}"


def foreign_names(examples):
    """Names that examples use and neither import nor define, np and Python's own left out."""
    tree = ast.parse("".join(example.source for example in examples))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    known = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            known |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            known.add(node.name)
        elif isinstance(node, ast.arg):
            known.add(node.arg)
    return {node.id for node in names} - known - {"np", *dir(builtins)}


@pytest.mark.parametrize(("page", "name"), list(entries()))
def test_an_example_imports_what_it_uses(page, name):
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(resolve(name)) or "")
    assert foreign_names(examples) == set(), f"{page}: {name}"


def test_names_without_an_example_are_public():
    assert UNSHOWN.keys() <= {name for _, name in entries()}


def test_no_name_is_listed_twice():
    names = [name for _, name in entries()]
    assert len(names) == len(set(names))


def test_every_page_is_in_the_index():
    index = (REFERENCE / "index.md").read_text(encoding="utf-8").splitlines()
    assert [page.stem for page in REFERENCE.glob("*.rst") if page.stem not in index] == []
