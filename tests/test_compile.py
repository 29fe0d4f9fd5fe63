"""Cached machine code: where it goes, that it is up to date, and that it does not pile up."""

import os
import subprocess
import sys
import time

import pytest

DAY = 24 * 3600


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    monkeypatch.setattr("numba.config.CACHE_DIR", str(cache))
    return cache


@pytest.fixture
def sources(tmp_path):
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "one.py").write_text("ONE = 1\n")
    (folder / "two.py").write_text("TWO = 2\n")
    return folder


def test_folder_is_named_by_the_contents_of_all_sources(own_cache, sources):
    from bnnkit._compile import _cache_folder

    before = _cache_folder(sources)
    assert before.parent == own_cache
    assert before.name.startswith("sources-")
    assert _cache_folder(sources) == before
    (sources / "two.py").write_text("TWO = 3\n")
    assert _cache_folder(sources) not in (before, None)


def test_old_folders_of_the_same_sources_are_removed(own_cache, sources):
    from bnnkit._compile import _cache_folder

    ages = {"sources-" + "0" * 16: 8, "sources-" + "1" * 16: 6, "others-" + "0" * 16: 8}
    ages |= {"sources-notes": 8}
    for name, days in ages.items():
        (own_cache / name).mkdir(parents=True)
        (own_cache / name / "code").touch()
        os.utime(own_cache / name, (time.time() - days * DAY,) * 2)
    kept = {*ages, _cache_folder(sources).name} - {"sources-" + "0" * 16}
    assert {folder.name for folder in own_cache.iterdir()} == kept


def test_nowhere_to_write(tmp_path, sources, monkeypatch):
    from bnnkit import _compile

    file = tmp_path / "file"
    file.write_text("in the way of a folder")
    (sources / "__pycache__").write_text("in the way, too")
    monkeypatch.setattr("numba.config.CACHE_DIR", str(file))
    monkeypatch.setattr(_compile, "user_cache", lambda *_: file)
    assert _compile._cache_folder(sources) is None
    assert _compile.entries(sources)(lambda x: x + 1)(2) == 3


PROGRAM = """
from pathlib import Path
from bnnkit._compile import entries, inner, shared

@inner
def twice(x):
    return 2 * x

@shared
def thrice(x):
    return 3 * x

@entries(Path(__file__).parent)
def five_times(x):
    return twice(x) + thrice(x)

print(five_times(7), sum(five_times.stats.cache_hits.values()))
"""


def test_another_process_loads_what_one_has_compiled(tmp_path):
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    for hits in (0, 1):
        done = subprocess.run(
            [sys.executable, file],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == ["35", str(hits)]
