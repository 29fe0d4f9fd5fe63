"""Cached machine code: where it goes, and that it is never out of date."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import bnnkit

SOURCES = Path(bnnkit.__file__).parent / "solvers" / "native"


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    return tmp_path


def test_folder_is_named_by_the_contents_of_all_sources(own_cache, tmp_path, monkeypatch):
    from bnnkit.solvers.native import _compile

    copy = tmp_path / "copy"
    copy.mkdir()
    for source in SOURCES.glob("*.py"):
        (copy / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(_compile, "__file__", str(copy / "_compile.py"))
    before = _compile._cache_folder()
    assert before.parent == own_cache
    assert _compile._cache_folder() == before
    (copy / "sums.py").write_text("# changed")
    assert _compile._cache_folder() not in (before, None)


def test_nowhere_to_write(tmp_path, monkeypatch):
    from bnnkit.solvers.native import _compile

    file = tmp_path / "file"
    file.write_text("in the way of a folder")
    monkeypatch.setattr("numba.config.CACHE_DIR", str(file))
    monkeypatch.setattr(_compile, "__file__", str(file / "_compile.py"))
    monkeypatch.setattr(_compile, "user_cache", lambda *_: file)
    assert _compile._cache_folder() is None
    assert _compile.entry(lambda x: x + 1)(2) == 3


def test_another_process_loads_what_one_has_compiled(tmp_path):
    program = (
        "from bnnkit.solvers.native import clause_database as c, _compile\n"
        "import numpy as np\n"
        "from bnnkit.solvers.native.state import new_state\n"
        "c.learnt_clauses(new_state(), np.zeros(0, np.uint32))\n"
        "print(sum(c.learnt_clauses.stats.cache_hits.values()))\n"
    )
    for hits in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == hits
