"""`BinaryNetwork`: a quantiser, layers on integers and bits, integer scores."""

from functools import cached_property

import numpy as np

from bnnkit._checks import as_images
from bnnkit.kernels.threads import map_ranges
from bnnkit.network.layers import Conv2d, Head, TernaryMap
from bnnkit.network.saved import SavedNetwork

# Images at a time: enough to be worth a thread, and not too many for the memory of their windows.
_MOST_IMAGES = 512
_MOST_TERMS = 2**31  # weights times positions times images


class BinaryNetwork(SavedNetwork):
    """The exact network that is run, saved and verified.

    Parameters
    ----------
    quantiser : Quantiser
        From pixels to the integer levels that the first layer reads.
    layers : sequence of Conv2d, Pool2d
        Hidden layers; the first one is a Conv2d unless there are just two levels. May be empty.
    head : Head
    input_shape : tuple of int
        (C, H, W).

    Examples
    --------
    Two pixels, one neuron that fires when both are bright, two classes:

    >>> from bnnkit import BinaryNetwork
    >>> from bnnkit.network import Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> both = Conv2d(np.ones((1, 1, 1, 2)), threshold=[2], sense=[1])
    >>> head = Head(np.array([-1, 1]).reshape(2, 1, 1, 1), scale=1, bias=[0, 0])
    >>> network = BinaryNetwork(Quantiser(1.0), [both], head, (1, 1, 2))
    >>> network.predict(np.array([[[[1.0, 0.2]]], [[[0.9, 0.8]]]]))
    array([0, 1])
    """

    def __init__(self, quantiser, layers, head, input_shape):
        self.quantiser = quantiser
        self.layers = tuple(layers)
        self.head = head
        self.input_shape = tuple(int(size) for size in input_shape)
        if len(self.input_shape) != 3 or min(self.input_shape) < 1:
            raise ValueError(f"input_shape must be (C, H, W), got {input_shape}")
        if self.layers and not isinstance(self.layers[0], Conv2d) and quantiser.n_levels > 2:
            raise ValueError(
                "the first layer must be a Conv2d: pooling takes bits, "
                f"not {quantiser.n_levels} levels"
            )
        if not isinstance(head, Head):
            raise TypeError(f"head must be a Head, got {type(head).__name__}")
        shape = self.shapes[-1]
        if head.kernel_shape[1:] != shape:
            raise ValueError(
                f"the head's weights {head.kernel_shape} do not match its input {shape}"
            )
        if not self.layers:
            head.check_scores(quantiser.n_levels - 1)

    @property
    def n_classes(self):
        """Number of classes."""
        return self.head.kernel_shape[0]

    @property
    def shapes(self):
        """Shapes (C, H, W) of the input and of each hidden layer's output."""
        shapes = [self.input_shape]
        for layer in self.layers:
            shapes.append(layer.output_shape(shapes[-1]))
        return shapes

    def predict(self, images):
        """Classes of images.

        Parameters
        ----------
        images : array_like
            uint8 in 0..255 or floats in [0, 1]; (N, C, H, W), (N, H, W) or (N, features).

        Returns
        -------
        ndarray of int64, shape (N,)
        """
        return self.scores(images).argmax(axis=1)

    def scores(self, images):
        """Integer scores of images (see `predict`): int64 (N, classes)."""
        images = as_images(images, self.input_shape)
        return self._scores(self.quantiser.levels(images))

    def scores_of_levels(self, levels):
        """Integer scores of quantised images.

        Parameters
        ----------
        levels : ndarray of uint8, shape (N, C, H, W)

        Returns
        -------
        ndarray of int64, shape (N, classes)

        Raises
        ------
        ValueError
            Another shape, or a level that the quantiser does not have.
        """
        levels, most = np.asarray(levels), self.quantiser.n_levels - 1
        if levels.shape[1:] != self.input_shape:
            raise ValueError(
                f"levels must have shape (N, {', '.join(map(str, self.input_shape))}), "
                f"got {levels.shape}"
            )
        if not 0 <= levels.min(initial=0) <= levels.max(initial=0) <= most:
            raise ValueError(
                f"levels must be from 0 to {most}, got {levels.min()} to {levels.max()}"
            )
        return self._scores(levels.astype(np.uint8, copy=False))

    def _scores(self, levels):
        if len(levels) == 0:
            return np.zeros((0, self.n_classes), np.int64)
        from bnnkit.network.sliced import sliced_scores, worthwhile

        if worthwhile(self, len(levels)):
            return sliced_scores(self, levels)
        return self._scores_by_words(levels)

    def _scores_by_words(self, levels):
        size = max(1, min(_MOST_IMAGES, _MOST_TERMS // self._n_terms))
        parts = map_ranges(lambda i, j: self._forward(levels[i:j]), len(levels), size)
        return np.concatenate(parts)

    @cached_property
    def _n_terms(self):
        """Weights times positions: how many terms are summed for an image."""
        outputs = zip((*self.layers, self.head), [*self.shapes[1:], (1, 1, 1)], strict=True)
        weighted = [pair for pair in outputs if isinstance(pair[0], TernaryMap)]
        return sum(layer.n_weights * shape[1] * shape[2] for layer, shape in weighted)

    def _forward(self, levels):
        levels = np.ascontiguousarray(levels.transpose(0, 2, 3, 1))  # (N, H, W, C)
        if not self.layers:
            return self.head.level_scores(levels)
        octets = self.layers[0].level_bits(levels)
        for layer in self.layers[1:]:
            octets = layer.bits(octets)
        return self.head.scores(octets)

    def summary(self):
        """A table of the layers: outputs, weights, share of zeros, packed bytes.

        Returns
        -------
        str
        """
        from bnnkit.network.summary import summary

        return summary(self)

    def __repr__(self):
        shapes = "-".join("x".join(map(str, shape)) for shape in self.shapes)
        return f"BinaryNetwork({shapes}-{self.n_classes}, step={self.quantiser.step})"
