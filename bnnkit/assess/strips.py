"""`Strip`: one image, and what became of it under a growing eps or with several steps."""

from dataclasses import dataclass

import numpy as np

from bnnkit._checks import as_eps, unit_floats
from bnnkit.assess._stored import Stored, check_shapes
from bnnkit.attacks.models import exact_network
from bnnkit.verification import verify
from bnnkit.verification._question import checked_image


@dataclass(frozen=True, eq=False)
class Strip(Stored):
    """One image and K images that were made of it.

    Attributes
    ----------
    axis : "eps" or "step"
        What differs.
    values : list of str, K of them
    original : ndarray of uint8 or float64, shape (C, H, W)
    label : int
    images : ndarray of float32, shape (K, C, H, W)
        The adversarial images; the original where there is none.
    predicted : ndarray of int64, shape (K,)
        The network's class for each of them.
    status : ndarray of str, shape (K,)
    seen : ndarray of float32, shape (K, C, H, W)
        What is left of the original behind the quantiser.

    Examples
    --------
    >>> from bnnkit.assess import Strip
    >>> image = np.full((1, 1, 2), 0.5)
    >>> changed = np.array([[[[0.5, 0.5]]], [[[0.5, 0.75]]]], np.float32)
    >>> strip = Strip("eps", ["0.1", "0.3"], image, 3, changed, np.array([3, 8]),
    ...               np.array(["robust", "falsified"]), seen=changed)
    >>> for row in strip.rows()[1]:
    ...     print(row)
    ('0.1', 3, 'robust', 3, 0.0, 0.0)
    ('0.3', 3, 'falsified', 8, 0.5, 0.25)
    """

    axis: str
    values: list[str]
    original: np.ndarray
    label: int
    images: np.ndarray
    predicted: np.ndarray
    status: np.ndarray
    seen: np.ndarray

    def __post_init__(self):
        n = len(self.values)
        check_shapes(
            self,
            original=("C", "H", "W"),
            **dict.fromkeys(("images", "seen"), (n, "C", "H", "W")),
            **dict.fromkeys(("predicted", "status"), (n,)),
        )

    def rows(self):
        """Header and rows of a table with one row for each image that was made."""
        header = (self.axis, "label", "status", "predicted", "changed", "largest_change")
        moved = np.abs(self.images - unit_floats(self.original)).reshape(len(self.values), -1)
        columns = (self.status, self.predicted, (moved > 0).mean(axis=1), moved.max(axis=1))
        rows = zip(self.values, *(column.tolist() for column in columns), strict=True)
        return header, [(value, self.label, *row) for value, *row in rows]


def quantised(image, quantiser):
    """What is left of an image behind a quantiser: float32 in [0, 1], of the same shape."""
    return np.minimum(quantiser.levels(image) * float(quantiser.step), 1).astype(np.float32)


def eps_strip(model, image, label, eps, solver="native", timeout=60.0, **options):
    """Verify one image for several eps, and keep the images that are found.

    Parameters
    ----------
    model : BinaryNetwork, or a fitted model with ``network_``
    image, label, solver, timeout, **options
        As for `bnnkit.verify`.
    eps : sequence of float
        Radii on the [0, 1] scale, in the order of the strip.

    Returns
    -------
    Strip

    Examples
    --------
    A pixel that is class 0 up to 0.15:

    >>> from bnnkit.assess import eps_strip
    >>> from bnnkit.network import BinaryNetwork, Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> above = Conv2d([[[[1]]]], [2], [1])
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> network = BinaryNetwork(Quantiser(0.1), [above], head, (1, 1, 1))
    >>> strip = eps_strip(network, [[[0.0]]], 0, eps=[0.1, 0.2])
    >>> strip.status.tolist(), strip.predicted.tolist()
    (['robust', 'falsified'], [0, 1])
    """
    network = exact_network(model)
    image, label = checked_image(network, image, label)
    radii = [as_eps(each) for each in eps]
    if not radii:
        raise ValueError("eps must hold at least one radius, got none")
    verdicts = [verify(network, image, label, r, solver, timeout, **options) for r in radii]
    images = [image if v.adversarial is None else v.adversarial for v in verdicts]
    seen = quantised(image, network.quantiser)
    return Strip(
        axis="eps",
        values=[repr(float(radius)) for radius in radii],
        original=image,
        label=label,
        images=np.stack([unit_floats(each) for each in images]),
        predicted=np.array([verdict.predicted for verdict in verdicts]),
        status=np.array([verdict.status for verdict in verdicts]),
        seen=np.stack([seen] * len(radii)),
    )
