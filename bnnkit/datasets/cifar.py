"""CIFAR-10: the binary version's batches, and the Python version's.

A. Krizhevsky: Learning multiple layers of features from tiny images, 2009.
"""

import re
from dataclasses import dataclass

import numpy as np

from bnnkit.datasets import cifar_pickle, transfer
from bnnkit.datasets.data import Split
from bnnkit.datasets.files import Found, check_labels, plain_or_gzipped, read_at_most

_BINARY = "cifar-10-batches-bin"
_PYTHON = "cifar-10-batches-py"
_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32
_RECORD = 1 + _PIXELS
_MOST_IMAGES = 60_000  # one file cannot hold more than the whole data set


@dataclass(frozen=True)
class Cifar10:
    """CIFAR-10 in any number of training batches and one test batch.

    Attributes
    ----------
    archive : Resource
        The binary version as it is published.
    """

    archive: transfer.Resource
    name = "cifar10"
    classes = (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )
    folders = (_BINARY, _PYTHON)

    def find(self, place):
        """Return the batches in `place`, the binary version first; None if incomplete."""
        return _find(place / _BINARY, ".bin") or _find(place / _PYTHON, "")

    def read(self, found):
        """Read the batches into (train, test)."""
        read_batch = read_pickled if found.where.name == _PYTHON else read_records
        return tuple(
            _joined([read_batch(path) for path in paths]) for paths in (found.train, found.test)
        )

    def fetch(self, place):
        """Download the binary version into `place`; all of it arrives, or nothing."""
        folder = place / _BINARY
        if folder.exists():
            raise FileExistsError(
                f"{folder} holds an incomplete CIFAR-10; add what is missing, or move it away"
            )
        names = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]
        transfer.fetch_unpacked(self.archive, [f"{_BINARY}/{name}" for name in names], folder)

    def instructions(self, place):
        """Say which files belong where."""
        return (
            f"put data_batch_1.bin ... data_batch_5.bin and test_batch.bin (each gzipped or not) "
            f"into {place / _BINARY}, or the Python version's data_batch_1 ... and test_batch "
            f"as published (pickle protocol 2) into {place / _PYTHON}"
        )


def read_records(path):
    """Read a batch of the binary version: records of a label byte and 3,072 pixel bytes.

    Returns
    -------
    images : ndarray of uint8, shape (N, 3, 32, 32)
    labels : ndarray of int64, shape (N,)

    Raises
    ------
    ValueError
        No whole number of records, none at all, too many, a label above 9, or damaged
        gzip data; names the file.
    """
    content = read_at_most(path, _MOST_IMAGES * _RECORD)
    if len(content) == 0 or len(content) % _RECORD:
        raise ValueError(
            f"{path} is cut short or no CIFAR-10 batch: its {len(content)} bytes are not "
            f"one or more records of {_RECORD}"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, _RECORD)
    labels = records[:, 0].astype(np.int64)
    check_labels(labels, len(Cifar10.classes), path)
    return records[:, 1:].reshape(-1, *_SHAPE), labels


def read_pickled(path):
    """Read a batch of the Python version; returns and raises as `read_records`.

    The pickle is decoded as data (see `cifar_pickle`): nothing that it names is called.
    What is read are the files as published, of pickle protocol 2 with the labels in a list;
    files that were saved anew in another way may be refused.
    """
    # The names of the image files come along with the pixels: some 30 bytes each.
    content = read_at_most(path, 2 * _MOST_IMAGES * _RECORD)
    try:
        images, labels = cifar_pickle.decode(content, _PIXELS)
    except ValueError as error:
        raise ValueError(
            f"{path} is no batch of CIFAR-10's Python version: {error}; files saved anew may be "
            "refused, the published ones (pickle protocol 2, labels in a list) are read"
        ) from error
    check_labels(labels, len(Cifar10.classes), path)
    return images.reshape(-1, *_SHAPE), labels


def _find(folder, suffix):
    test = plain_or_gzipped(folder, f"test_batch{suffix}")
    train = _training_batches(folder, suffix)
    return Found(folder, train, (test,)) if train and test else None


def _training_batches(folder, suffix):
    """Return the paths of data_batch_<number>, by number, each once."""
    pattern = re.compile(rf"data_batch_(\d+){re.escape(suffix)}(\.gz)?")
    matches = (pattern.fullmatch(path.name) for path in folder.glob("data_batch_*"))
    numbers = sorted({int(match[1]) for match in matches if match})
    paths = (plain_or_gzipped(folder, f"data_batch_{number}{suffix}") for number in numbers)
    return tuple(path for path in paths if path is not None)


def _joined(batches):
    images, labels = zip(*batches, strict=True)
    return Split(np.concatenate(images), np.concatenate(labels))


CIFAR10 = Cifar10(
    transfer.Resource(
        "cifar-10-binary.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        170052171,
        "c32a1d4ab5d03f1284b67883e8d87530",
    )
)
