"""Train every named architecture on MNIST and compare its float and its integer network.

    BNNKIT_DATA=../shared/data python benchmarks/first_light.py --out runs/first-light

For each architecture: accuracy of the integer network on all 10,000 test images, on how many of
them the float network (batch-norm, logits) picks another class, and the seconds of training,
folding included, and of predicting 10,000 images. Prints a Markdown table; writes each network
as it is finished.
"""

import argparse
import os
import platform
import time
from pathlib import Path

from bnnkit import BNNClassifier, datasets
from bnnkit._table import table

# epochs that reach the accuracies of the results file; everything else is the default
EPOCHS = {
    "mlp-small": 20,
    "mlp-medium": 20,
    "mlp-large": 20,
    "cnn": 10,
    "conv-small": 10,
    "conv-large": 3,
}


def measure(name, data, epochs, folder):
    """Train one architecture; return a row of the table."""
    classifier = BNNClassifier(name, epochs=epochs, random_state=0)
    started = time.perf_counter()
    classifier.fit(data.train.images, data.train.labels)
    trained = time.perf_counter()
    predicted = classifier.network_.predict(data.test.images)
    seconds = time.perf_counter() - trained
    classifier.network_.save(folder / f"{name}.npz")
    differ = int((classifier.decision_function(data.test.images).argmax(axis=1) != predicted).sum())
    accuracy = (predicted == data.test.labels).mean()
    row = (name, epochs, f"{accuracy:.2%}", differ, f"{trained - started:.0f}", f"{seconds:.2f}")
    print(*row, flush=True)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--architectures", nargs="+", default=list(EPOCHS), metavar="NAME")
    parser.add_argument("--epochs", type=int, help="instead of those in the table")
    parser.add_argument("--data-home", metavar="DIR")
    parser.add_argument("--out", type=Path, default=Path("runs/first-light"), metavar="DIR")
    args = parser.parse_args()
    data = datasets.load("mnist", data_home=args.data_home)
    rows = [
        measure(name, data, args.epochs or EPOCHS.get(name, 10), args.out)
        for name in args.architectures
    ]
    header = ("architecture", "epochs", "accuracy", "float differs", "train s", "predict s")
    print(f"\n{platform.processor() or platform.machine()}, {os.cpu_count()} cores, ", end="")
    print(f"Python {platform.python_version()}, MNIST, step 0.1, seed 0\n")
    print(table(header, rows))


if __name__ == "__main__":
    main()
