"""The data sets by name: load, look what is there, download."""

import numbers
from dataclasses import dataclass
from pathlib import Path

from bnnkit._names import unknown
from bnnkit.datasets.cifar import CIFAR10
from bnnkit.datasets.data import Dataset
from bnnkit.datasets.digits import DIGITS
from bnnkit.datasets.mnist import FASHION_MNIST, MNIST
from bnnkit.datasets.places import VARIABLE, places, refuse_inner_folder

_SOURCES = {source.name: source for source in (DIGITS, MNIST, FASHION_MNIST, CIFAR10)}


@dataclass(frozen=True)
class Status:
    """What is known of one data set on this machine.

    Attributes
    ----------
    name : str
    where : Path or None
        The folder of its files; None where they were not found.
    train, test : int
        Number of images; 0 where there are none to be read.
    problem : str
        What is wrong with files that were found; empty if nothing is.

    Examples
    --------
    >>> from bnnkit.datasets import Status
    >>> Status("mnist")  # not here
    Status(name='mnist', where=None, train=0, test=0, problem='')
    """

    name: str
    where: Path | None = None
    train: int = 0
    test: int = 0
    problem: str = ""


def names():
    """Return the names of the data sets, as `load` takes them.

    Examples
    --------
    >>> from bnnkit import datasets
    >>> datasets.names()
    ('digits', 'mnist', 'fashion-mnist', 'cifar10')
    """
    return tuple(_SOURCES)


def load(name, data_home=None, limit=None):
    """Load a data set; what is not on this machine is downloaded.

    Parameters
    ----------
    name : {"digits", "mnist", "fashion-mnist", "cifar10"}
        ``digits`` comes with the package: E. Alpaydin, C. Kaynak: Optical Recognition of
        Handwritten Digits, UCI Machine Learning Repository, 1998, doi:10.24432/C50P49,
        licence CC BY 4.0. Its counts 0..16 are brought to 0..255; of each class, every
        fifth image is a test image (see ``digits.txt`` in this package).
    data_home : str or path-like, optional
        Folder that holds ``MNIST/raw``, ``FashionMNIST/raw``, ``cifar-10-batches-bin`` or
        ``cifar-10-batches-py``. Where given, it is the only place searched, and
        downloads go there. Otherwise ``$BNNKIT_DATA`` (where set) and then the user's
        cache are searched, and downloads go to the first of them. CIFAR-10 may have any
        number of training batches of any length, so that a sample of it is accepted too;
        its Python version is read as published (pickle protocol 2, labels in a list), and
        files that were saved anew may be refused.
    limit : int, optional
        At most that many images of each split: the first in the files' order. All by
        default.

    Returns
    -------
    Dataset
        ``.train`` and ``.test`` with ``.images``, uint8 (N, C, H, W), and ``.labels``,
        int64 (N,); ``.classes``, the names of the classes.

    Raises
    ------
    TypeError
        `limit` is not an integer.
    ValueError
        Unknown name, `limit` below 1, `data_home` names an inner folder, or a data file is
        truncated, damaged or not what its name says (the message names the file).
    FileNotFoundError
        Not on this machine and not to be downloaded; the message says what to put where.

    Examples
    --------
    >>> from bnnkit.datasets import load
    >>> digits = load("digits")
    >>> digits.train.images.shape, digits.test.images.shape
    ((1442, 1, 8, 8), (355, 1, 8, 8))
    >>> digits.train.labels[:5]
    array([0, 1, 2, 3, 4])
    """
    source = _source(name)
    limit = _checked_limit(limit)
    train, test = source.read(locate(source, data_home))
    return Dataset(source.name, source.classes, train.first(limit), test.first(limit))


def download(name, data_home=None):
    """Make sure that a data set is on this machine, and return the folder of its files.

    Parameters
    ----------
    name, data_home
        As in `load`; so are the errors, save those of reading: files that were there
        before are not opened.

    Returns
    -------
    Path

    Examples
    --------
    >>> from bnnkit import datasets
    >>> folder = datasets.download("digits")  # which came with the package
    >>> (folder / "digits.npz").exists()
    True
    """
    return locate(_source(name), data_home).where


def status(data_home=None):
    """Look for all data sets, without the network, and read those that are there.

    Parameters
    ----------
    data_home : str or path-like, optional
        As in `load`.

    Returns
    -------
    list of Status
        One for each name, in the order of `names`. Reading takes about a second for
        each data set.

    Examples
    --------
    What is here without any files beside the package's own:

    >>> import tempfile
    >>> from bnnkit import datasets
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [(each.name, each.train) for each in datasets.status(folder)][0]
    ('digits', 1442)
    """
    return [_status(source, data_home) for source in _SOURCES.values()]


def locate(source, data_home=None):
    """Return the files of `source` (an entry of the table above), downloaded if need be."""
    searched = places(data_home)
    for place in searched:
        if found := source.find(place):
            return found
    if data_home is not None:
        refuse_inner_folder(searched[0], source.folders)
    try:
        source.fetch(searched[0])
    except OSError as error:
        raise FileNotFoundError(
            f"{source.name} is not in {' or '.join(map(str, searched))}, "
            f"and downloading it failed: {error}. Without a network, "
            f"{source.instructions(searched[0])}; "
            f"data_home= or ${VARIABLE} names another folder than {searched[0]}"
        ) from error
    return source.find(searched[0])


def _source(name):
    if name in _SOURCES:
        return _SOURCES[name]
    raise ValueError(unknown("data set", name, _SOURCES))


def _checked_limit(limit):
    if limit is None:
        return None
    if not isinstance(limit, numbers.Integral) or isinstance(limit, bool):
        raise TypeError(f"limit must be an integer or None, got {limit!r}")
    number = int(limit)
    if number < 1:
        raise ValueError(f"limit must be at least 1, got {number}; None loads all images")
    return number


def _status(source, data_home):
    found = next(filter(None, map(source.find, places(data_home))), None)
    if found is None:
        return Status(source.name)
    try:
        train, test = source.read(found)
    except (ValueError, OSError) as error:
        return Status(source.name, found.where, problem=str(error))
    return Status(source.name, found.where, len(train), len(test))
