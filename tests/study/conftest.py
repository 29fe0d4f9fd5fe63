import pytest
from tiny_study import TINY

from bnnkit import study


@pytest.fixture
def written(tmp_path):
    """A function that writes a study, with some texts replaced, and returns its path."""

    def write(*replacements, text=TINY):
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "tiny.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def quickly(tmp_path_factory):
    """A function that runs a study that comes with bnnkit, --quick, once: its folder."""
    folders = {}

    def folder_of(name):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp("studies") / name
            study.run(study.load(name, quick=True), folders[name])
        return folders[name]

    return folder_of
