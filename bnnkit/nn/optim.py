"""Parameters, the Adam optimiser and the learning-rate schedules."""

import math

import numpy as np

from bnnkit.kernels._lanes import aligned
from bnnkit.kernels.training import adam


class Parameter:
    """An array that is learned.

    Parameters
    ----------
    value : array_like
        Initial value, kept as float32.
    limit : float
        The optimiser keeps every entry in [-limit, limit].

    Attributes
    ----------
    value, gradient : ndarray of float32, of one shape
        A backward pass writes `gradient`.
    """

    def __init__(self, value, limit=math.inf):
        self.value = aligned(np.shape(value), np.float32)
        self.value[...] = value
        self.gradient = aligned(np.shape(value), np.float32)
        self.limit = np.float32(limit)

    def __reduce__(self):
        return Parameter, (self.value, self.limit)  # a copy of a plain array would not be aligned


class Adam:
    """Adam (Kingma & Ba, 2015) with the clip that latent weights need.

    Parameters
    ----------
    parameters : list of Parameter
    beta1, beta2, epsilon : float

    Attributes
    ----------
    steps : int
        Made so far.
    means, squares : list of ndarray of float32
        Running averages of each parameter's gradient and of its square, flat.
    """

    def __init__(self, parameters, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.parameters = parameters
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.steps = 0
        self.means = [_like(parameter) for parameter in parameters]
        self.squares = [_like(parameter) for parameter in parameters]

    def step(self, learning_rate):
        """Move every parameter against its gradient."""
        self.steps += 1
        correction = math.sqrt(1 - self.beta2**self.steps) / (1 - self.beta1**self.steps)
        settings = (learning_rate * correction, self.beta1, self.beta2, self.epsilon)
        settings = tuple(np.float32(setting) for setting in settings)
        moments = zip(self.means, self.squares, strict=True)
        for parameter, (mean, square) in zip(self.parameters, moments, strict=True):
            value, gradient = parameter.value.reshape(-1), parameter.gradient.reshape(-1)
            adam(value, gradient, mean, square, *settings, parameter.limit)


def _like(parameter):
    return aligned(parameter.value.size, np.float32)


def cosine_decay(learning_rate, step, total_steps):
    """The learning rate of `step`: from `learning_rate` down to almost 0 on half a cosine.

    Latent weights near 0 flip their sign at every step that is large enough; the decay
    is what lets a binarized network settle (Loshchilov & Hutter, 2017, for the shape).

    Examples
    --------
    >>> [round(cosine_decay(1.0, step, 4), 3) for step in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    """
    return learning_rate * (1 + math.cos(math.pi * step / total_steps)) / 2


def constant(learning_rate, step, total_steps):
    """`learning_rate` at every step."""
    return learning_rate


SCHEDULES = {"cosine": cosine_decay, "constant": constant}


def get_schedule(name):
    """Return the schedule called `name`, or raise ValueError with the names there are."""
    if not isinstance(name, str) or name not in SCHEDULES:
        raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}, got {name!r}")
    return SCHEDULES[name]
