"""Checks of what a user passes in: one place, so that one mistake has one message."""

import math
import numbers
from fractions import Fraction

import numpy as np

MOST_CLASSES = 10_000  # a label beyond is an identifier, not the number of a class


def as_images(images, input_shape=None):
    """Return `images` as an array (N, C, H, W) of uint8 or float64 after checking it.

    Parameters
    ----------
    images : array_like
        uint8 in 0..255 or floats in [0, 1]; shape (N, C, H, W), (N, H, W) or (N, features).
    input_shape : tuple of int, optional
        The (C, H, W) that a network expects. Any accepted shape with C*H*W values an
        image is brought to it; without it, (N, H, W) becomes (N, 1, H, W) and
        (N, features) becomes (N, 1, 1, features).

    Returns
    -------
    ndarray of uint8 or float64, shape (N, C, H, W), C-contiguous

    Raises
    ------
    TypeError, ValueError
        With a sentence that says what was expected and what came.
    """
    array = as_array("images", images)
    if array.ndim not in (2, 3, 4):
        raise ValueError(
            "images must have shape (N, C, H, W), (N, H, W) or (N, features), "
            f"got {array.shape}; a single image needs a leading axis: image[None]"
        )
    if array.size == 0:
        raise ValueError(f"images is empty: shape {array.shape}")
    if array.dtype != np.uint8:
        array = _as_unit_floats(array)
    return np.ascontiguousarray(_as_nchw(array, input_shape))


def as_array(name, values):
    """Return `values` as an array of one type, or raise; a mask is refused, not dropped."""
    if np.ma.isMaskedArray(values):
        raise TypeError(f"{name} must not be a masked array; fill it first: {name}.filled(0)")
    try:
        array = np.asarray(values)
    except ValueError:  # NumPy's own for rows of different lengths
        array = None
    if array is None or array.dtype == object:
        raise ValueError(
            f"{name} must be one array of numbers, which this {type(values).__name__} is not: "
            "it has rows of different lengths, or holds other objects"
        )
    return array


def _as_unit_floats(array):
    if not np.issubdtype(array.dtype, np.floating):
        raise TypeError(
            f"images must be uint8 in 0..255 or floats in [0, 1], got dtype {array.dtype}"
            + _conversion(array)
        )
    low, high = array.min(), array.max()
    if math.isnan(low) or math.isnan(high):
        raise ValueError("images contain NaN")
    if low < 0 or high > 1:
        raise ValueError(
            f"float images must lie in [0, 1], got values from {low:g} to {high:g}; "
            "divide grey levels by 255 or pass them as uint8"
        )
    return array.astype(np.float64)


def _conversion(array):
    """How an array that is neither uint8 nor float becomes images, as far as it can."""
    if array.dtype == bool:
        return "; convert with images.astype(float)"
    if not np.issubdtype(array.dtype, np.integer):
        return ""
    low, high = array.min(), array.max()
    if low < 0 or high > 255:
        return f" with values from {low} to {high}, which are no grey levels"
    return "; convert with images.astype('uint8')"


def _as_nchw(array, input_shape):
    n = len(array)
    if input_shape is None:
        middle = {2: (1, 1), 3: (1,), 4: ()}[array.ndim]
        return array.reshape((n, *middle, *array.shape[1:]))
    expected = tuple(int(size) for size in input_shape)
    given = array.shape[1:]
    fits = {2: (math.prod(expected),), 3: expected[1:] if expected[0] == 1 else None, 4: expected}
    if given != fits[array.ndim]:
        raise ValueError(
            f"the network takes images of shape {expected}, "
            f"got {given} (the whole array: {array.shape})"
        )
    return array.reshape((n, *expected))


def as_labels(labels, n_images, n_classes=None):
    """Return `labels` as int64 (N,) after checking length, type and range.

    Without `n_classes` they may number `MOST_CLASSES` classes.

    Raises
    ------
    TypeError, ValueError
        None, not integers, not `n_images` of them, negative, or not below the number of classes.
    """
    array = as_array("labels", labels)
    if array.ndim != 1 or len(array) != n_images:
        raise ValueError(
            f"labels must be one integer an image: {n_images} images, labels of shape {array.shape}"
        )
    if not len(array):
        raise ValueError("labels is empty: there are no images")
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"labels must be integers, got dtype {array.dtype}")
    limit = MOST_CLASSES if n_classes is None else n_classes
    if array.min() < 0 or array.max() >= limit:
        hint = "; np.unique(labels, return_inverse=True)[1] numbers the classes from 0"
        raise ValueError(
            f"labels must be integers from 0 to {limit - 1}, got values from {array.min()} "
            f"to {array.max()}{hint if n_classes is None else ''}"
        )
    return array.astype(np.int64)


def simplest_fraction(value, name="value"):
    """The simplest continued-fraction convergent that rounds to the float `value`.

    A user who writes 0.05 or 8/255 means 1/20 or 8/255, not the binary number next
    to it; ties between levels are decided by the number that was meant.

    >>> simplest_fraction(0.05), simplest_fraction(8 / 255)
    (Fraction(1, 20), Fraction(8, 255))
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, numbers.Rational) and not isinstance(value, bool):
        return Fraction(int(value.numerator), int(value.denominator))
    if not isinstance(value, (float, np.floating)) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    if isinstance(value, np.floating):
        value = float(str(value))  # a float32 0.1 means 0.1 as well
    rest = Fraction(value)
    older, old = (0, 1), (1, 0)  # numerator and denominator of the last two convergents
    while True:
        whole, part = divmod(rest.numerator, rest.denominator)
        older, old = old, (whole * old[0] + older[0], whole * old[1] + older[1])
        if part == 0 or old[0] / old[1] == value:
            return Fraction(*old)
        rest = Fraction(rest.denominator, part)


def as_eps(eps, name="eps"):
    """Return the radius `eps`, called `name`, as an exact Fraction in [0, 1].

    >>> as_eps(0.1)
    Fraction(1, 10)
    """
    fraction = simplest_fraction(eps, name)
    if not 0 <= fraction <= 1:
        grey = fraction.denominator == 1 and 1 < fraction <= 255
        hint = f"; for grey levels pass {fraction}/255" if grey else ""
        raise ValueError(f"{name} must be in [0, 1], got {eps}{hint}")
    return fraction


def unit_floats(images):
    """Images as float32 in [0, 1]: uint8 is divided by 255, floats keep their values."""
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    return images.astype(np.float32)
