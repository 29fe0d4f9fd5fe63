import dataclasses
import gzip
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from bnnkit import datasets
from bnnkit._files import user_cache
from bnnkit.datasets.catalog import locate
from bnnkit.datasets.cifar import CIFAR10
from bnnkit.datasets.mnist import MNIST


@pytest.fixture
def stored_mnist(tmp_path, idx_files):
    """Write the small data set as MNIST into a folder (below tmp_path); return the folder."""

    def write(place):
        folder = tmp_path / place / "MNIST" / "raw"
        folder.mkdir(parents=True)
        for file_name, content in idx_files.items():
            (folder / file_name).write_bytes(content)
        return tmp_path / place

    return write


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty user cache; nothing else is searched."""
    monkeypatch.delenv("BNNKIT_DATA", raising=False)
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    return user_cache(sys.platform, os.environ)


@pytest.mark.parametrize(
    ("wrong", "end"),
    [
        ("minst", r"; did you mean 'mnist'\?"),
        ("MNIST", r"; did you mean 'mnist'\?"),
        ("fashion", r"; did you mean 'fashion-mnist'\?"),
        ("fashion_mnist", r"; did you mean 'fashion-mnist'\?"),
        ("CIFAR-10", r"; did you mean 'cifar10'\?"),
        ("qqq", ""),
        (3, ""),
    ],
)
def test_an_unknown_name_is_answered_with_the_right_ones(wrong, end):
    with pytest.raises(ValueError, match=rf"digits, mnist, fashion-mnist, cifar10{end}$"):
        datasets.load(wrong)


@pytest.mark.parametrize("limit", [1, 20, np.int64(25), None])
def test_limit_takes_the_first_of_each_split(stored_mnist, limit):
    home = stored_mnist("data")
    part, whole = datasets.load("mnist", home, limit), datasets.load("mnist", home)
    assert (len(whole.train), len(whole.test)) == (30, 20)
    for split in ("train", "test"):
        few, all_of_them = getattr(part, split), getattr(whole, split)
        np.testing.assert_array_equal(few.images, all_of_them.images[:limit])
        np.testing.assert_array_equal(few.labels, all_of_them.labels[:limit])


@pytest.mark.parametrize("limit", [0, -5])
def test_a_limit_below_one(limit):
    with pytest.raises(ValueError, match=f"limit must be at least 1, got {limit}; None loads all"):
        datasets.load("digits", limit=limit)


@pytest.mark.parametrize("limit", [1.5, "10", True])
def test_a_limit_that_is_no_integer(limit):
    with pytest.raises(TypeError, match=f"limit must be an integer or None, got {limit!r}"):
        datasets.load("digits", limit=limit)


def test_search_order(stored_mnist, cache, monkeypatch, tmp_path):
    def where(data_home=None):
        rows = {row.name: row.where for row in datasets.status(data_home)}
        return rows["mnist"] and rows["mnist"].parents[1]

    assert where() is None
    stored_mnist(cache)
    assert where() == cache
    variable = stored_mnist("variable")
    monkeypatch.setenv("BNNKIT_DATA", str(variable))
    assert where() == variable
    monkeypatch.setenv("BNNKIT_DATA", str(tmp_path / "nothing"))
    assert where() == cache
    given = stored_mnist("given")
    assert where(given) == given
    assert where(str(given)) == given
    assert where(tmp_path / "nothing") is None  # a given folder is the only place


def test_digits_need_no_place():
    assert datasets.download("digits") == Path(datasets.__file__).parent
    assert len(datasets.load("digits", limit=7).test) == 7


def test_what_is_missing_is_downloaded_once(tmp_path, small_mnist, server):
    found = locate(small_mnist, tmp_path / "new")
    assert found.where == tmp_path / "new" / "MNIST" / "raw"
    train, test = small_mnist.read(found)
    assert (len(train), len(test)) == (30, 20)
    asked = len(server.asked)
    assert locate(small_mnist, tmp_path / "new") == found
    assert len(server.asked) == asked == 4


def test_downloads_go_to_the_cache(small_mnist, cache):
    assert locate(small_mnist).where == cache / "MNIST" / "raw"


def test_downloads_go_to_the_variables_folder_before_the_cache(tmp_path, monkeypatch, small_mnist):
    monkeypatch.setenv("BNNKIT_DATA", str(tmp_path / "variable"))
    assert locate(small_mnist).where == tmp_path / "variable" / "MNIST" / "raw"


@pytest.mark.parametrize("source", [MNIST, CIFAR10], ids=["mnist", "cifar10"])
def test_without_a_network_the_error_says_what_to_put_where(source, tmp_path, server, listing):
    gone = server.publish("gone", b"")
    server.server_close()
    field = {"resources": (gone,)} if source is MNIST else {"archive": gone}
    with pytest.raises(FileNotFoundError, match="cannot be read") as caught:
        locate(dataclasses.replace(source, **field), tmp_path / "home")
    message = str(caught.value)
    assert "$BNNKIT_DATA" in message
    assert str(tmp_path / "home") in message
    assert source.instructions(tmp_path / "home") in message
    assert listing(tmp_path) == []


@pytest.mark.parametrize("inner", ["MNIST", "MNIST/raw"])
def test_an_inner_folder_is_refused_before_any_download(stored_mnist, inner):
    home = stored_mnist("data")
    with pytest.raises(ValueError, match=rf"holds MNIST/raw, .*pass {home}$"):
        datasets.load("mnist", home / inner)


def test_a_folder_that_cannot_be_written(tmp_path, small_mnist):
    (tmp_path / "file").touch()
    with pytest.raises(FileNotFoundError, match=r"downloading it failed: .*file"):
        locate(small_mnist, tmp_path / "file")


def test_status_counts_images_and_tells_of_damage(stored_mnist):
    home = stored_mnist("data")
    digits, mnist, fashion, cifar = datasets.status(home)
    assert (digits.name, digits.train, digits.test) == ("digits", 1442, 355)
    assert (mnist.train, mnist.test, mnist.problem) == (30, 20, "")
    assert fashion == datasets.Status("fashion-mnist")
    assert cifar == datasets.Status("cifar10")

    damaged = home / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    damaged.write_bytes(gzip.compress(b"rubbish"))
    mnist = datasets.status(home)[1]
    assert mnist.where == home / "MNIST" / "raw"
    assert (mnist.train, mnist.test) == (0, 0)
    assert str(damaged) in mnist.problem


def test_real_data_through_the_variable(data_home, monkeypatch):
    monkeypatch.setenv("BNNKIT_DATA", str(data_home))
    if datasets.status()[1].where is None:
        pytest.skip(f"no MNIST in {data_home}")
    mnist = datasets.load("mnist", limit=5)
    assert mnist.train.labels.tolist() == [5, 0, 4, 1, 9]
    assert mnist.test.labels.tolist() == [7, 2, 1, 0, 4]
    assert mnist.classes == tuple("0123456789")
