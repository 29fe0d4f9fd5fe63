"""What adversarial images changed, and how alike those of several models are."""

from dataclasses import dataclass

import numpy as np

from bnnkit._checks import as_images, unit_floats
from bnnkit._table import table
from bnnkit.assess._stored import Stored, check_shapes
from bnnkit.assess.matrix import Matrix
from bnnkit.verification.witness import FLOAT32_ROUNDING


@dataclass(frozen=True, eq=False)
class Changes(Stored):
    """The changes from N images to their adversarial ones, on the [0, 1] scale.

    Pixels are the input values, so three for each place of a colour image.

    Attributes
    ----------
    share : ndarray of float64, shape (N,)
        Of the pixels that were changed, that is by more than the rounding of float32.
    l0, l1, l2, linf : ndarray of float64, shape (N,)
        Norms of the changes: number of changed pixels, sum, Euclidean, largest.
    levels : ndarray of float64, shape (N,)
        Share of the pixels that have another level; NaN without a quantiser.
    steps : ndarray of float64, shape (N,)
        By how many levels the pixel moved that moved the most; NaN without a quantiser.

    Examples
    --------
    >>> from bnnkit.assess import changes
    >>> found = changes([[0.0, 0.5, 0.5, 1.0]], [[0.25, 0.5, 0.5, 0.5]])
    >>> found.l0, found.l1, found.linf
    (array([2.]), array([0.75]), array([0.5]))
    >>> print(found)
    1 images   mean  least  median   most
    share       0.5    0.5     0.5    0.5
    l0            2      2       2      2
    l1         0.75   0.75    0.75   0.75
    l2        0.559  0.559   0.559  0.559
    linf        0.5    0.5     0.5    0.5
    """

    share: np.ndarray
    l0: np.ndarray
    l1: np.ndarray
    l2: np.ndarray
    linf: np.ndarray
    levels: np.ndarray
    steps: np.ndarray

    def __post_init__(self):
        check_shapes(self, **dict.fromkeys(_FIGURES, ("N",)))

    def rows(self):
        """Header and rows of a table with one row for each image."""
        columns = [getattr(self, name).tolist() for name in _FIGURES]
        numbered = zip(range(len(self.share)), *columns, strict=True)
        return ("index", *_FIGURES), list(numbered)

    def __str__(self):
        columns = {name: getattr(self, name) for name in _FIGURES}
        rows = [
            (name, *(f"{figure(values):.4g}" for figure in (np.mean, np.min, np.median, np.max)))
            for name, values in columns.items()
            if len(values) and not np.isnan(values).any()
        ]
        return table((f"{len(self.share)} images", "mean", "least", "median", "most"), rows)


_FIGURES = ("share", "l0", "l1", "l2", "linf", "levels", "steps")


def changes(originals, adversarial, quantiser=None):
    """Measure what was changed in each image.

    Parameters
    ----------
    originals, adversarial : array_like
        Images of the same shape, uint8 in 0..255 or floats in [0, 1].
    quantiser : Quantiser, optional
        Of the network, ``network.quantiser``: then levels are counted, too.

    Returns
    -------
    Changes

    Examples
    --------
    >>> from bnnkit.assess import changes
    >>> found = changes([[0.0, 0.5, 0.5, 1.0]], [[0.25, 0.5, 0.5, 0.5]])
    >>> found.share, found.linf
    (array([0.5]), array([0.5]))
    """
    originals, adversarial = _pair(originals, adversarial)
    moved = np.abs(_doubles(adversarial) - _doubles(originals)).reshape(len(originals), -1)
    moved[moved <= FLOAT32_ROUNDING] = 0
    l0 = (moved > 0).sum(axis=1).astype(np.float64)
    steps = np.full((len(moved), 1), np.nan)
    if quantiser is not None:
        levels = [quantiser.levels(images).astype(np.int64) for images in (originals, adversarial)]
        steps = np.abs(levels[1] - levels[0]).reshape(moved.shape).astype(np.float64)
    return Changes(
        share=l0 / moved.shape[1],
        l0=l0,
        l1=moved.sum(axis=1),
        l2=np.sqrt((moved**2).sum(axis=1)),
        linf=moved.max(axis=1),
        levels=np.where(np.isnan(steps), np.nan, steps > 0).mean(axis=1),
        steps=steps.max(axis=1),
    )


def differences(images, found=None):
    """Share of pixels in which the images of several models differ, for each pair of models.

    Parameters
    ----------
    images : dict of str to array_like
        Of each model (or step, or attack) the adversarial images for the same N originals.
        The originals themselves can be one of them.
    found : dict of str to array_like of bool, shape (N,), optional
        Which of these are adversarial images; all of them where a name is missing. A pair is
        compared where both are.

    Returns
    -------
    Matrix
        Symmetric. 0 for equal images; pixels within the rounding of float32 are equal.

    Examples
    --------
    >>> from bnnkit.assess import differences
    >>> matrix = differences({"a": [[0.0, 1.0]], "b": [[0.0, 0.5]]})
    >>> matrix.values.tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    names = list(images)
    if not names:
        raise ValueError("there are no images to compare")
    arrays = [_pair(images[names[0]], images[name])[1] for name in names]
    n_images = len(arrays[0])
    masks = [_mask(name, (found or {}).get(name, True), n_images) for name in names]
    values, n = np.full((len(names),) * 2, np.nan), np.zeros((len(names),) * 2, np.int64)
    for r, c in np.ndindex(values.shape):
        both = masks[r] & masks[c]
        n[r, c] = both.sum()
        if both.any():
            apart = np.abs(_doubles(arrays[r][both]) - _doubles(arrays[c][both]))
            values[r, c] = (apart > FLOAT32_ROUNDING).mean()
    none = np.full(values.shape, np.nan)  # pixels of an image are no independent sample
    title = "Share of pixels in which adversarial images differ"
    return Matrix(title, "images of", "and images of", names, list(names), values, n, none, none)


def _pair(originals, adversarial):
    originals, adversarial = as_images(originals), as_images(adversarial)
    if originals.shape != adversarial.shape:
        raise ValueError(
            f"the images must have one shape, got {originals.shape} and {adversarial.shape}"
        )
    return originals, adversarial


def _doubles(images):
    """Pixels as adversarial images have them: float32, in float64."""
    return unit_floats(images).astype(np.float64)


def _mask(name, found, n_images):
    mask = np.broadcast_to(np.asarray(found), (n_images,))
    if mask.dtype != bool:
        raise TypeError(f"found[{name!r}] must be an array of bool, got {mask.dtype}")
    return mask
