"""Solvers by name."""

import functools
import importlib
import subprocess
import sys

import pytest

from bnnkit import solvers
from bnnkit.formula import Formula
from bnnkit.solvers import registry
from bnnkit.solvers.cpsat import CpSat
from bnnkit.solvers.pysat import CLAUSE_SOLVERS, Minicard
from bnnkit.solvers.TEMPLATE import Backtracking


@pytest.fixture
def clean_registry(monkeypatch):
    """Forget what a test registers."""
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    look_up = registry._entry_points.__wrapped__
    monkeypatch.setattr(registry, "_entry_points", functools.cache(look_up))


def test_available():
    found = solvers.available()
    assert {"minicard", "cadical", "cp-sat", "glucose4"} <= set(found)
    assert all(found.values())


def test_get():
    assert solvers.get("minicard") is Minicard
    assert solvers.get("cadical") is CLAUSE_SOLVERS["cadical"]


@pytest.mark.parametrize("name", [*CLAUSE_SOLVERS, "gluecard3", "gluecard4"])
def test_every_engine_of_pysat_works(name):
    formula = Formula(4)
    formula.add_sum([1, 2, 3], 2, output=4)
    with solvers.get(name)(formula) as solver:
        assert solver.solve([4, -1]).model.tolist() == [False, True, True, True]
        assert set(solver.solve([4, -1, -2]).core) == {4, -1, -2}


@pytest.mark.parametrize(
    "factory",
    [solvers.get("cadical:kmtotalizer"), solvers.get("cadical", encoding="kmtotalizer")],
)
def test_encodings_as_option_or_in_the_name(factory):
    with factory(Formula(1)) as solver:
        assert solver.encoding == "kmtotalizer"
        assert solver.solve().status == "sat"


def test_options():
    with solvers.get("cp-sat", workers=2, seed=5)(Formula(1)) as solver:
        assert solver.solve([1]).model.tolist() == [True]
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        solvers.get("cp-sat", workers=0)(Formula(1))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("minicart", r"no solver 'minicart'; there are .*; did you mean 'minicard'\?"),
        ("zzz", "no solver 'zzz'; there are minicard, cp-sat, native"),
        ("cadical:pairwise", "there is no encoding 'pairwise'; there are seqcounter, "),
        ("minicard:totalizer", "minicard takes no encoding, got 'totalizer'"),
        ("", "no solver ''"),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(ValueError, match=message):
        solvers.get(name)


def test_register(clean_registry):
    solvers.register("mine", Backtracking)
    assert solvers.get("mine") is Backtracking
    assert solvers.available()["mine"] == Backtracking.description


def test_register_a_function(clean_registry):
    solvers.register("late", lambda: Backtracking)
    assert solvers.get("late") is Backtracking


@pytest.mark.parametrize("name", ["", "a:b"])
def test_names_that_get_could_not_find_are_refused(clean_registry, name):
    with pytest.raises(ValueError, match="must not be empty or have a colon"):
        solvers.register(name, Backtracking)


def test_solvers_whose_engine_is_not_installed(clean_registry):
    class Absent(Backtracking):
        requires = ("no_such_package.engine",)

    class AbsentInProcess(CpSat):
        requires = ("no_such_package.engine",)

    for absent in (Absent, AbsentInProcess):
        solvers.register("absent", absent)
        assert "absent" not in solvers.available()
        with pytest.raises(ModuleNotFoundError, match="no_such_package"):
            solvers.get("absent")(Formula(1))


def test_entry_points_of_other_packages(clean_registry, tmp_path, monkeypatch):
    (tmp_path / "foreign_solver.py").write_text(
        "from bnnkit.solvers.TEMPLATE import Backtracking\n"
        "class Foreign(Backtracking):\n    name = 'foreign'\n    description = 'from elsewhere'\n"
    )
    info = tmp_path / "foreign-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[bnnkit.solvers]\nforeign = foreign_solver:Foreign\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    assert solvers.available()["foreign"] == "from elsewhere"
    with solvers.get("foreign")(Formula(2)) as solver:
        assert solver.solve([1, -2]).model.tolist() == [True, False]


def test_import_is_light():
    code = (
        "import sys, bnnkit.solvers as s; s.available(); s.get('cadical'); s.get('cp-sat')\n"
        "heavy = 'pysat.solvers', 'ortools.sat.python.cp_model', 'pandas', 'numba'\n"
        "print(*[name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
