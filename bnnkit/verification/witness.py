"""From adversarial levels back to an image, and the checks that make it a witness."""

import functools
from fractions import Fraction

import numpy as np

from bnnkit._checks import unit_floats
from bnnkit.solvers import WrongAnswer

# A pixel may need a float32 that lies beyond the real end of its ball by rounding alone.
FLOAT32_ROUNDING = 6e-8  # 2**-24, the step of float32 below 1, is 5.96e-8


def of_levels(network, image, levels, label, eps, as_uint8):
    """The checked witness that some misclassified levels stand for.

    Parameters
    ----------
    levels : ndarray of integers, shape (n_inputs,)
        In (row, column, channel) order; the other parameters are those of the question.

    Returns
    -------
    adversarial : ndarray
        As `to_image` returns it.
    predicted : int
        As `check` returns it.
    """
    c, h, w = network.input_shape
    levels = levels.reshape(h, w, c).transpose(2, 0, 1)
    adversarial = to_image(network.quantiser, image, levels, as_uint8)
    return adversarial, check(network, image, adversarial, label, eps)


def to_image(quantiser, image, levels, as_uint8=False):
    """The image nearest to `image` that has the given levels.

    Parameters
    ----------
    quantiser : Quantiser
    image : ndarray of uint8 or float64
    levels : ndarray of integers, the shape of `image`
    as_uint8 : bool
        Grey values instead of floats; `image` must be uint8.

    Returns
    -------
    ndarray of float32 (in [0, 1]) or uint8, the shape of `image`
    """
    nearest = image.copy() if as_uint8 else unit_floats(image)
    wrong = np.argwhere(quantiser.levels(_widen(nearest)) != levels)
    nearest_with_level = _nearest_grey if as_uint8 else _nearest_float
    for place in map(tuple, wrong):
        nearest[place] = nearest_with_level(quantiser, image[place], int(levels[place]))
    return nearest


@functools.lru_cache(maxsize=2**16)
def _nearest_grey(quantiser, value, level):
    """The grey value with `level` that is nearest to the pixel `value`."""
    candidates = np.flatnonzero(quantiser.levels(np.arange(256, dtype=np.uint8)) == level)
    return candidates[np.abs(candidates - int(value)).argmin()]


@functools.lru_cache(maxsize=2**16, typed=True)  # the grey value 1 is not the float 1.0
def _nearest_float(quantiser, value, level):
    """The float32 with `level` that is nearest to the pixel `value`."""
    low, high, closed = quantiser.cell(level)
    pixel = Fraction(int(value), 255) if isinstance(value, np.uint8) else Fraction(float(value))
    end, inwards = (low, np.float32(2)) if 2 * pixel < low + high else (high, np.float32(-1))
    nearest = np.float32(float(end))
    sign = 1 if inwards > 0 else -1
    while sign * (Fraction(float(nearest)) - end) < 0 or (not closed and float(nearest) == end):
        nearest = np.nextafter(nearest, inwards)
    return nearest


def check(network, image, adversarial, label, eps):
    """Raise WrongAnswer unless `adversarial` is misclassified, in the ball and in [0, 1].

    Inference here is the network's own, on the image alone: nothing of the formula or of
    the solver is believed.
    """
    predicted = predict_one(network, adversarial)
    check_class_and_place(predicted, image, adversarial, label, eps)
    return predicted


def predict_one(network, adversarial):
    """The class of an image that is float32 or uint8, by integer inference."""
    return int(network.predict(_widen(adversarial)[None])[0])


def check_class_and_place(predicted, image, adversarial, label, eps):
    """Raise WrongAnswer if the class is the label, or the image leaves the ball or [0, 1]."""
    values = _unit_doubles(adversarial)
    distance = np.abs(values - _unit_doubles(image)).max()
    if (
        predicted == label
        or distance > float(eps) + FLOAT32_ROUNDING
        or not (values.min() >= 0 and values.max() <= 1)
    ):
        raise WrongAnswer(
            f"a witness failed its check: class {predicted}, label {label}, distance {distance}, "
            f"eps {float(eps)}; this is an error in bnnkit or in the solver, please report it"
        )


def _widen(image):
    return image if image.dtype == np.uint8 else image.astype(np.float64)


def _unit_doubles(image):
    return image / 255 if image.dtype == np.uint8 else image.astype(np.float64)
