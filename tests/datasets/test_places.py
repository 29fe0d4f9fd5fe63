from pathlib import Path

import pytest

from bnnkit._files import user_cache
from bnnkit.datasets.places import places, refuse_inner_folder

HOME = Path.home()


def test_a_given_folder_is_the_only_place(monkeypatch):
    monkeypatch.setenv("BNNKIT_DATA", "/elsewhere")
    assert places("/mine") == [Path("/mine")]
    assert places(Path("~/data")) == [HOME / "data"]


def test_without_one_the_variable_comes_before_the_cache(monkeypatch):
    monkeypatch.setenv("BNNKIT_DATA", "~/sets")
    first, last = places()
    assert first == HOME / "sets"
    monkeypatch.setenv("BNNKIT_DATA", "")
    assert places() == [last]
    monkeypatch.delenv("BNNKIT_DATA")
    assert places() == [last]


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, HOME / ".cache" / "bnnkit"),
        ("linux", {"XDG_CACHE_HOME": "/fast"}, Path("/fast/bnnkit")),
        ("linux", {"XDG_CACHE_HOME": ""}, HOME / ".cache" / "bnnkit"),
        ("darwin", {"XDG_CACHE_HOME": "/fast"}, HOME / "Library" / "Caches" / "bnnkit"),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/bnnkit")),
        ("win32", {}, HOME / "AppData" / "Local" / "bnnkit"),
    ],
)
def test_the_cache_follows_the_platform(platform, environ, expected):
    assert user_cache(platform, environ) == expected


@pytest.mark.parametrize("inner", ["MNIST", "MNIST/raw"])
def test_an_inner_folder_is_told_to_be_one(inner):
    with pytest.raises(ValueError, match=r"must be the folder that holds MNIST/raw, got .*; pass"):
        refuse_inner_folder(Path("/data") / inner, ("MNIST/raw",))


@pytest.mark.parametrize("fine", ["/data", "/data/raw", "/MNIST/data", "/"])
def test_other_folders_pass(fine):
    refuse_inner_folder(Path(fine), ("MNIST/raw",))
