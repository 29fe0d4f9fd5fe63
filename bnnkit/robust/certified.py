"""Certified accuracy of held-out images, to choose the epoch of a training by."""

from dataclasses import dataclass

from bnnkit._checks import as_eps
from bnnkit._options import check_count, check_range


@dataclass(frozen=True)
class Certified:
    """Share of images that are proved robust; a `monitor` for `BNNClassifier`.

    Parameters
    ----------
    eps : float
        Radius on the [0, 1] scale.
    n_images : int
        The first ones of the held-out images are asked about.
    timeout : float
        Seconds for each image. What is open then counts as not robust, so that on a slower
        machine another epoch could be chosen; networks worth choosing take a tenth of the
        default.

    Examples
    --------
    >>> from bnnkit import BNNClassifier, zoo
    >>> from bnnkit.robust import Certified
    >>> classifier = BNNClassifier(validation=0.1, monitor=Certified(eps=0.1))

    What it will be asked after each epoch:

    >>> network, images = zoo.load("mnist-mlp-eps0.1"), np.zeros((2, 1, 28, 28), np.uint8)
    >>> Certified(eps=0.01, timeout=60)(network, images, network.predict(images))
    1.0
    """

    eps: float
    n_images: int = 1000
    timeout: float = 0.02

    def __post_init__(self):
        as_eps(self.eps)
        check_count("n_images", self.n_images)
        check_range("timeout", self.timeout, "(0, inf)", "; it is in seconds")

    def __call__(self, network, images, labels):
        """The share of the first images that `network` is robust for, in [0, 1]."""
        from bnnkit.verification import verify

        questions = list(zip(images[: self.n_images], labels[: self.n_images], strict=True))
        verdicts = [
            verify(network, image, label, self.eps, timeout=self.timeout)
            for image, label in questions
        ]
        return sum(verdict.status == "robust" for verdict in verdicts) / len(questions)
