"""The handwritten digits that come with the package; see ``digits.txt`` beside this file.

E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, 1998, doi:10.24432/C50P49, licence CC BY 4.0.
"""

from pathlib import Path

import numpy as np

from bnnkit.datasets.data import Split
from bnnkit.datasets.files import Found

FILE = Path(__file__).with_name("digits.npz")


class Digits:
    """1,442 + 355 images of 8x8 grey levels, written by ``scripts/make_digits.py``."""

    name = "digits"
    classes = tuple("0123456789")
    folders = ()

    def find(self, place):
        """Return the package's file, whatever the place."""
        return Found(FILE.parent, (FILE,), (FILE,))

    def read(self, found):
        """Read the file into (train, test)."""
        with np.load(FILE, allow_pickle=False) as file:
            return tuple(
                Split(file[f"{split}_images"], file[f"{split}_labels"].astype(np.int64))
                for split in ("train", "test")
            )


DIGITS = Digits()
