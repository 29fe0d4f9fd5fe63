import os
import stat

import numpy as np
import pytest

from bnnkit._files import atomic_path, read_npz, write_npz, write_text


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "note.txt"
    write_text(path, "old")

    def interrupted():
        with atomic_path(path) as temporary, open(temporary, "w") as file:
            file.write("half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["note.txt"]


def test_a_new_file_has_the_usual_permissions(tmp_path):
    write_text(tmp_path / "a", "x")
    (tmp_path / "b").write_text("x")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"}
    assert len(modes) == 1


def test_folders_are_made(tmp_path):
    write_text(tmp_path / "new" / "folder" / "note.txt", "ä")
    assert (tmp_path / "new" / "folder" / "note.txt").read_text(encoding="utf-8") == "ä"


def test_arrays_come_back(tmp_path):
    arrays = {"a": np.arange(6).reshape(2, 3), "b.c": np.zeros((0, 2), np.uint64)}
    write_npz(tmp_path / "x.npz", arrays)
    again = read_npz(tmp_path / "x.npz")
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        assert again[name].dtype == array.dtype
        assert np.array_equal(again[name], array)


def test_text_is_not_an_archive(tmp_path):
    write_text(tmp_path / "x.npz", "hello")
    with pytest.raises(ValueError, match=r"x\.npz: not a readable"):
        read_npz(tmp_path / "x.npz")
