"""Write bnnkit/datasets/digits.npz from scikit-learn's copy of the UCI digits.

Needs scikit-learn. Run from the repository's root: python scripts/make_digits.py
What it does to the data is told in bnnkit/datasets/digits.txt.
"""

from pathlib import Path

import numpy as np

TARGET = Path(__file__).parents[1] / "bnnkit" / "datasets" / "digits.npz"


def make():
    """Return the four arrays of the file by name."""
    from sklearn.datasets import load_digits

    source = load_digits()
    images = ((255 * source.images.astype(int) + 8) // 16).astype(np.uint8)[:, np.newaxis]
    labels = source.target.astype(np.uint8)
    in_test = rank_in_class(labels) % 5 == 4
    return {
        "train_images": images[~in_test],
        "train_labels": labels[~in_test],
        "test_images": images[in_test],
        "test_labels": labels[in_test],
    }


def rank_in_class(labels):
    """Return, for each label, how many of its class come before it."""
    ranks = np.empty(len(labels), int)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        ranks[members] = np.arange(len(members))
    return ranks


def write(path, arrays):
    """Write the arrays; NumPy dates every entry 1980, so equal arrays give equal files."""
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    write(TARGET, make())
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")
