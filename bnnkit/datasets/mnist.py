"""MNIST and the data sets that come in the same four files."""

from dataclasses import dataclass

from bnnkit.datasets import idx, transfer
from bnnkit.datasets.data import Split
from bnnkit.datasets.files import Found, check_labels, plain_or_gzipped

_SPLITS = ("train", "t10k")
_SIDE = 28


@dataclass(frozen=True)
class IdxDataset:
    """Images of 28x28 grey levels in IDX files, laid out as torchvision does.

    Attributes
    ----------
    name : str
    classes : tuple of str
    folder : str
        Where the files lie below `data_home`, such as ``MNIST/raw``.
    resources : tuple of Resource
        The four files as they are published.
    """

    name: str
    classes: tuple[str, ...]
    folder: str
    resources: tuple[transfer.Resource, ...]

    @property
    def folders(self):
        """The folders below `data_home` that may hold this data set."""
        return (self.folder,)

    def find(self, place):
        """Return the files in the folder `place`, or None where one is missing."""
        folder = place / self.folder
        train, test = (
            tuple(plain_or_gzipped(folder, name) for name in _file_names(split))
            for split in _SPLITS
        )
        return Found(folder, train, test) if all(train + test) else None

    def read(self, found):
        """Read the files into (train, test)."""
        return self._read_split(*found.train), self._read_split(*found.test)

    def fetch(self, place):
        """Download what is missing into `place`; what is there is kept."""
        folder = place / self.folder
        for resource in self.resources:
            if plain_or_gzipped(folder, resource.name.removesuffix(".gz")) is None:
                transfer.fetch(resource, folder)

    def instructions(self, place):
        """Say which files belong where."""
        names = ", ".join(name for split in _SPLITS for name in _file_names(split))
        return f"put {names} (each gzipped or not) into {place / self.folder}"

    def _read_split(self, images_path, labels_path):
        images = idx.read_images(images_path)
        labels = idx.read_labels(labels_path)
        if images.shape[2:] != (_SIDE, _SIDE):
            height, width = images.shape[2:]
            raise ValueError(f"{images_path} holds images of {height}x{width}, not 28x28 pixels")
        if len(images) != len(labels):
            raise ValueError(
                f"{images_path} holds {len(images)} images, but {labels_path} holds "
                f"{len(labels)} labels; they are not of the same set"
            )
        check_labels(labels, len(self.classes), labels_path)
        return Split(images, labels)


def _file_names(split):
    return f"{split}-images-idx3-ubyte", f"{split}-labels-idx1-ubyte"


def published(mirror, *files):
    """Return the resources for files that lie side by side at `mirror`.

    Parameters
    ----------
    mirror : str
        Address that a file's name is appended to.
    *files : tuple of (str, int, str)
        Name, number of bytes and MD5 of each.
    """
    return tuple(transfer.Resource(name, mirror + name, size, md5) for name, size, md5 in files)


MNIST = IdxDataset(
    name="mnist",
    classes=tuple("0123456789"),
    folder="MNIST/raw",
    resources=published(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ("train-images-idx3-ubyte.gz", 9912422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", 28881, "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", 1648877, "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", 4542, "ec29112dd5afa0611ce80d1b7f02629c"),
    ),
)

FASHION_MNIST = IdxDataset(
    name="fashion-mnist",
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    folder="FashionMNIST/raw",
    resources=published(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ("train-images-idx3-ubyte.gz", 26421880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", 29515, "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", 4422102, "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", 5148, "bb300cfdad3c16e7a12a480ee83cd310"),
    ),
)
