"""A network as lists of planes to add, for `bnnkit.network.sliced`.

Every layer is brought to one form, outputs [sum of weights * inputs >= threshold], its inputs get
places in one array of planes, and every neuron becomes lists of places. See
`bnnkit.kernels.sliced` for what is done with them. Places are words, 8 of which are a plane.
"""

from typing import NamedTuple

import numpy as np

from bnnkit.kernels.sliced import Layer
from bnnkit.kernels.windows import output_size
from bnnkit.network.layers import Pool2d

PLANE = 8  # words
_LONG = 64  # inputs from which on binary neurons gain from counting in fours, as measured


class Plan(NamedTuple):
    """The layers of a network, and how its planes are arranged.

    Attributes
    ----------
    layers : list of Layer
        Bits of the hidden layers, counts of the head.
    bits : tuple
        How a level becomes bits: `added`, `shift` and `complement` of `slice_levels`.
    pixel : ndarray of uint64, shape (C * H * W,)
        Place of each pixel of the input.
    room : uint64
        Words of a count.
    ones : list of tuple of int
        First and last places of planes that are all ones before the first image.
    n_words : int
        Words of all planes.
    excess : ndarray of int64, shape (classes,)
        What a count of the head exceeds the sum by.
    """

    layers: list
    bits: tuple
    pixel: np.ndarray
    room: np.uint64
    ones: list
    n_words: int
    excess: np.ndarray


def plan(network):
    """The `Plan` of a BinaryNetwork."""
    *bits, values = _bits_of_levels(network.quantiser.n_levels)
    sums, maps, lists = [], [], []
    for layer, shape in zip((*network.layers, network.head), network.shapes, strict=True):
        sums.append(_as_sum(layer, shape[0]))
        maps.append(_Map(shape, sums[-1].padding, len(values)))
        lists.append(_as_lists(sums[-1], maps[-1], values))
        values = (0,)  # of a bit, whose only plane counts 1
    room = PLANE * (2 + max(part.n_digits.max() for part in lists))
    carries = PLANE * (2 + max(part.longest for part in lists) // 8)
    end = 18 * room + carries  # see `evaluate_layer`
    for i, part in enumerate(lists):
        maps[i] = maps[i]._replace(start=end, complement=part.negative * maps[i].size)
        end += maps[i].size + maps[i].complement
    layers = [
        _layer(*parts, room) for parts in zip(sums, maps, [*maps[1:], end], lists, strict=True)
    ]
    return Plan(
        layers=layers,
        bits=(*bits, np.uint64(maps[0].complement)),
        pixel=maps[0].pixels().astype(np.uint64),
        room=np.uint64(room),
        ones=[(m.start + m.size, m.start + m.size + m.complement) for m in maps],
        n_words=end + PLANE * network.n_classes * int(lists[-1].n_digits[-1]),
        excess=lists[-1].excess,
    )


def _bits_of_levels(n_levels):
    """How a level becomes bits: (added, shift) of `slice_levels`, and the digits they count in.

    Up to three levels are a thermometer, [x >= 1] and [x >= 2], which is one list of planes
    that count 1 each; more levels are binary digits, as these are fewer.
    """
    if n_levels == 3:  # bit 1 of x + 1 and of x
        return np.uint8([1, 0]), np.uint8([1, 1]), (0, 0)
    digits = np.arange((n_levels - 1).bit_length(), dtype=np.uint8)
    return np.zeros_like(digits), digits, tuple(digits.tolist())


class _Map(NamedTuple):
    """Where the planes of an image's values are: row by row, padded."""

    shape: tuple  # (C, H, W)
    padding: int
    depth: int  # planes of a value
    start: int = 0
    complement: int = 0  # words from a plane to its complement, 0 if there is none

    @property
    def step(self):
        """From pixel to pixel."""
        return self.shape[0] * self.depth * PLANE

    @property
    def row(self):
        """From row to row."""
        return (self.shape[2] + 2 * self.padding) * self.step

    @property
    def size(self):
        return (self.shape[1] + 2 * self.padding) * self.row

    def windows(self, rows, columns, stride=1, margin=0):
        """Places of the first pixels of windows."""
        y, x = (stride * np.arange(n) + margin for n in (rows, columns))
        return (self.start + y[:, None] * self.row + x * self.step).ravel()

    def taps(self, height, width):
        """Places of the values of a window, relative to its first pixel."""
        y, x, c = np.ogrid[:height, :width, : self.shape[0]]
        return (y * self.row + x * self.step + c * self.depth * PLANE).ravel()

    def pixels(self):
        """Places of all values, in (C, H, W) order."""
        inside = self.windows(*self.shape[1:], margin=self.padding)
        return (inside + self.taps(1, 1)[:, None]).ravel()


class _Sum(NamedTuple):
    """Outputs [sum of weights * inputs >= threshold]."""

    weights: np.ndarray  # int8 (O, C, KH, KW)
    threshold: np.ndarray  # (1 or positions or 0, O)
    stride: int
    padding: int


def _as_sum(layer, channels):
    """A layer in the form for all: z <= t is -z >= -t, and a pool is the sum of its window."""
    if isinstance(layer, Pool2d):
        same = np.eye(channels, dtype=np.int8)[:, :, None, None]
        weights = np.broadcast_to(same, (channels, channels, layer.size, layer.size))
        threshold = np.full((1, channels), 1 if layer.kind == "or" else layer.size**2)
        return _Sum(weights, threshold, layer.stride, 0)
    if not hasattr(layer, "sense"):
        return _Sum(layer.weights, np.empty((0, len(layer.bias)), np.int64), 1, 0)
    weights = layer.weights * layer.sense[:, None, None, None]
    threshold = layer.threshold.reshape(len(weights), -1).T * layer.sense.astype(np.int64)
    return _Sum(weights, threshold, layer.stride, layer.padding)


class _Lists(NamedTuple):
    """What a layer adds up; see `Layer`."""

    start: np.ndarray
    offset: np.ndarray
    n_digits: np.ndarray
    excess: np.ndarray  # count - sum, for each output
    longest: int  # list
    negative: bool  # whether complements are added
    in_fours: bool


def _as_lists(part, source, values):
    """The lists of a `_Sum` of a map whose planes count 2**value each."""
    w = part.weights.transpose(0, 2, 3, 1).reshape(len(part.weights), -1)
    largest = sum(2**value for value in values)
    in_fours = w.shape[1] >= _LONG and bool(w.all())
    rows = _patterns(w) if in_fours else w
    used = np.count_nonzero(rows, axis=1)
    if in_fours:
        n_digits = _digits_in_fours(used * largest)
        excess = np.full(len(w), 2 ** (n_digits[-1] - 1) - 1)
    else:
        n_digits = _n_digits(used * largest)
        excess = np.count_nonzero(w < 0, axis=1) * largest
        if not len(part.threshold):  # the head's counts are read together
            n_digits[:] = n_digits.max()
    start, offset = _entries(rows, source, part.weights.shape[2:], values)
    longest = int((start[:, 1:] - start[:, :-1]).max())
    carries = PLANE * np.arange(longest // 8 + 1)
    start, offset = start + len(carries), np.concatenate([carries, offset])
    return _Lists(start, offset, n_digits, excess, longest, bool((rows < 0).any()), in_fours)


def _entries(rows, source, window, values):
    """Lists of the places of a window that have weights 1 or, complemented, -1 in rows (R, K).

    Returns the starts (R, lists + 1) and the places. A row has its places once for each plane.
    """
    row, column = np.nonzero(rows)
    places = source.taps(*window)[column] + source.size * (rows[row, column] < 0)
    used = np.bincount(row, minlength=len(rows))
    n_planes, n_lists = len(values), values[-1] + 1
    first = np.arange(len(row)) + ((n_planes - 1) * (used.cumsum() - used))[row]
    offset = np.empty(n_planes * len(row), np.int64)
    for i in range(n_planes):
        offset[first + i * used[row]] = places + i * PLANE
    lengths = used[:, None] * [values.count(value) for value in range(n_lists)]
    ends = np.concatenate([[0], lengths.ravel().cumsum()])
    return ends[n_lists * np.arange(len(rows))[:, None] + np.arange(n_lists + 1)], offset


def _patterns(w):
    """Rows of 0 and 1: which inputs have which pattern of +1 in four neurons, and all inputs."""
    positive = np.concatenate([w > 0, np.zeros((-len(w) % 4, w.shape[1]), bool)])
    pattern = np.packbits(positive.reshape(-1, 4, w.shape[1]), axis=1, bitorder="little")
    rows = (pattern == np.arange(1, 16)[:, None]).reshape(-1, w.shape[1])
    return np.concatenate([rows, np.ones((1, w.shape[1]), bool)]).view(np.int8)


def _digits_in_fours(counts):
    """Digits of patterns and, last, of the window: room for a window's complement, and the sum."""
    window = _n_digits(counts[-1:])[0]
    n_digits = np.full(len(counts), _n_digits(counts[:-1]).max())
    n_digits[14::15] = window  # of the patterns 15
    n_digits[-1] = window + 1
    return n_digits


def _n_digits(counts):
    """Binary digits of integers, at least one."""
    return np.array([max(1, count.bit_length()) for count in counts.tolist()])


def _layer(part, source, target, lists, room):
    """The compiled form; `target` is the next map, or the place of the head's counts."""
    rows, columns = (
        output_size(side, kernel, part.stride, part.padding)
        for side, kernel in zip(source.shape[1:], part.weights.shape[2:], strict=True)
    )
    outputs, complement = [target], 0
    if isinstance(target, _Map):
        outputs = target.windows(rows, columns, margin=target.padding)
        complement = target.complement
    n_digits = lists.n_digits[-1] if lists.in_fours else lists.n_digits
    bound = np.clip(part.threshold + lists.excess, 0, 2**n_digits)
    fours = [k for neuron in range(4) for k in range(15) if k + 1 >> neuron & 1]
    return Layer(
        source=source.windows(rows, columns, part.stride).astype(np.uint64),
        target=np.asarray(outputs, np.uint64),
        complement=np.uint64(complement),
        start=lists.start.astype(np.uint64),
        offset=lists.offset.astype(np.uint32),
        n_digits=lists.n_digits.astype(np.uint64),
        patterns=np.array([(3 + k) * room for k in fours if lists.in_fours], np.uint32),
        bound=np.ascontiguousarray(bound, np.uint64),
    )
