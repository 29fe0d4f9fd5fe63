"""Image data sets: the embedded digits, MNIST, Fashion-MNIST and CIFAR-10.

>>> from bnnkit import datasets
>>> datasets.names()
('digits', 'mnist', 'fashion-mnist', 'cifar10')
>>> datasets.load("digits", limit=100)
Dataset('digits', 10 classes, train: 100 images of 1x8x8, test: 100 images of 1x8x8)
"""

from bnnkit.datasets.catalog import Status, download, load, names, status
from bnnkit.datasets.data import Dataset, Split

__all__ = ["Dataset", "Split", "Status", "download", "load", "names", "status"]
