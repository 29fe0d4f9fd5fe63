"""What a robust network's card says: accuracies and verdicts on all test images, and where."""

import datetime
import hashlib
import os
import platform
from pathlib import Path

import numpy as np

from bnnkit import __version__, verify_all
from bnnkit.attacks import PGD
from bnnkit.zoo import Evaluation

ATTACK = PGD(steps=100, restarts=3, random_state=0)
SOLVER = "native"
TIMEOUT = 60.0  # seconds for a question
FIRST = 1000  # images whose verdicts a card counts apart


def evaluate(classifier, test, eps, jobs, command):
    """Clean, attacked and certified accuracy of a fitted BNNClassifier on a `Split`."""
    network = classifier.network_
    attacked = ATTACK(classifier, test.images, test.labels, eps)
    verdicts = certify(network, test, eps, jobs)
    return Evaluation(
        images=len(test),
        images_digest=images_digest(test),
        correct=len(test) - verdicts.misclassified,
        withstood_pgd=int(attacked.withstood.sum()),
        **verdicts.counts,
        first=verdicts[:FIRST].counts,
        attack=repr(ATTACK),
        solver=SOLVER,
        timeout=TIMEOUT,
        verify_ms=mean_ms(verdicts),
        **origin(),
        command=command,
    )


def certify(network, test, eps, jobs):
    """Verdicts of all images of a `Split`."""
    return verify_all(network, test.images, test.labels, eps, SOLVER, TIMEOUT, n_jobs=jobs)


def mean_ms(verdicts):
    """Mean milliseconds of a question, all stages."""
    return round(1e3 * verdicts.seconds / len(verdicts), 4)


def images_digest(split):
    """SHA-256 of images and labels, shapes included."""
    content = hashlib.sha256()
    for array in (split.images, split.labels):
        content.update(f"{array.dtype.str} {array.shape} ".encode())
        content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()


def sparsities(network):
    """Share of zeros of each layer with weights, the head last; and of all weights."""
    layers = [layer for layer in (*network.layers, network.head) if hasattr(layer, "sparsity")]
    sizes = np.array([layer.n_weights for layer in layers])
    shares = np.array([layer.sparsity for layer in layers])
    return shares.round(6).tolist(), round(float(shares @ sizes / sizes.sum()), 6)


def origin():
    """Machine, date and version for a card."""
    return {
        "machine": f"{os.cpu_count()} cores, {_processor()}",
        "date": datetime.date.today().isoformat(),
        "version": __version__,
    }


def _processor():
    """The processor's name where the system tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
