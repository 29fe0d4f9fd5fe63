"""The solver's own decorator; tests/test_compile.py has how machine code is cached."""

from pathlib import Path

from bnnkit._compile import _cache_folder
from bnnkit.solvers.native import _compile, search


def test_the_cache_of_the_search_depends_on_all_files_of_the_solver():
    folder = _cache_folder(Path(_compile.__file__).parent)
    assert folder.name.startswith("native-")
    assert folder in Path(search.search.stats.cache_path).parents
