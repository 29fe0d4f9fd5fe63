import numpy as np
import pytest
from planes import bits_of_planes, planes_of_bits

from bnnkit.kernels.sliced import Layer, evaluate_layer

LENGTHS = [0, 1, 2, 3, 7, 8, 9, 15, 63, 64, 65, 255, 256, 257, 511, 512, 513, 1000]


def arrange(rng, n_images, rows, n_positions, n_digits, n_outputs=None):
    """Random planes, and a layer without bounds of rows that are lists of their numbers.

    Returns the layer, all words, the words of a count, and the bits of the inputs.
    """
    n_outputs = n_outputs or len(rows)
    n_digits = np.broadcast_to(n_digits, len(rows)).astype(np.uint64)
    most = int(n_digits.max())
    n_lists = max(map(len, rows))
    lists = [list(row) + [[]] * (n_lists - len(row)) for row in rows]
    longest = max(len(numbers) for row in lists for numbers in row)
    first = 18 * (most + 2) + longest // 8 + 2
    n_inputs = 1 + max((k for row in lists for numbers in row for k in numbers), default=0)
    n_inputs += n_positions  # the window moves by one plane
    bits = rng.integers(0, 2, (n_inputs, n_images), np.uint8)
    outputs = np.zeros((n_positions * n_outputs * max(2, most), n_images), np.uint8)
    spare = np.zeros((first, n_images), np.uint8)
    carries = np.arange(longest // 8 + 1)
    offset = np.concatenate([carries, *(numbers for row in lists for numbers in row)])
    ends = np.cumsum([len(carries)] + [len(numbers) for row in lists for numbers in row])
    positions = np.arange(n_positions, dtype=np.uint64)
    layer = Layer(
        source=8 * (first + positions),
        target=8 * (first + n_inputs + positions * np.uint64(n_outputs * max(2, most))),
        complement=np.uint64(0),
        start=np.array([ends[r * n_lists :][: n_lists + 1] for r in range(len(rows))], np.uint64),
        offset=(8 * offset).astype(np.uint32),
        n_digits=n_digits,
        patterns=np.empty(0, np.uint32),
        bound=np.empty((0, n_outputs), np.uint64),
    )
    planes = planes_of_bits(np.concatenate([spare, bits, outputs]))
    return layer, planes, np.uint64(8 * (most + 2)), bits


def counts_of(layer, planes, n_images):
    """What the layer wrote without bounds, (positions, neurons, images)."""
    n_digits, n_neurons = int(layer.n_digits[-1]), layer.bound.shape[1]
    place = int(layer.target[0])
    digits = bits_of_planes(planes, n_images)[place // 8 :].astype(np.int64)
    digits = digits.reshape(len(layer.source), -1, n_images)[:, : n_neurons * n_digits]
    digits = digits.reshape(len(layer.source), n_neurons, n_digits, n_images)
    return (digits << np.arange(n_digits)[:, None]).sum(axis=2)


def plain_counts(bits, neurons, n_positions):
    return np.array([
        [
            sum((bits[[p + k for k in ks]].sum(axis=0) << i for i, ks in enumerate(row)), start=0)
            for row in neurons
        ]
        for p in range(n_positions)
    ])  # fmt: skip


@pytest.mark.parametrize("n_images", [256, 512])
def test_counts_of_lists_of_every_length(n_images):
    rng = np.random.default_rng(0)
    neurons = [[rng.integers(0, 300, length).tolist()] for length in LENGTHS]
    layer, planes, room, bits = arrange(rng, n_images, neurons, 2, 10)
    evaluate_layer(layer, planes, room)
    expected = plain_counts(bits.astype(np.int64), neurons, 2)
    assert (counts_of(layer, planes, n_images) == expected).all()


@pytest.mark.parametrize("n_lists", [2, 3, 8])
def test_lists_of_twice_the_worth(n_lists):
    rng = np.random.default_rng(n_lists)
    neurons = [
        [rng.integers(0, 90, rng.integers(0, 40)).tolist() for _ in range(n_lists)]
        for _ in range(6)
    ]
    layer, planes, room, bits = arrange(rng, 256, neurons, 3, 14)
    evaluate_layer(layer, planes, room)
    expected = plain_counts(bits.astype(np.int64), neurons, 3)
    assert (counts_of(layer, planes, 256) == expected).all()


@pytest.mark.parametrize("n_outputs", [1, 3, 4, 5, 12])
@pytest.mark.parametrize("length", [1, 7, 8, 100, 600])
@pytest.mark.parametrize("n_lists", [1, 3])
def test_binary_neurons_in_fours(n_outputs, length, n_lists):
    rng = np.random.default_rng(length)
    signs = rng.integers(0, 2, (-(-n_outputs // 4), 4, length))
    patterns = (signs << np.arange(4)[:, None]).sum(axis=1)
    rows = [np.flatnonzero(row == k) for row in patterns for k in range(1, 16)]
    rows = [[row + i * length for i in range(n_lists)] for row in [*rows, np.arange(length)]]
    window = (length * (2**n_lists - 1)).bit_length()
    n_digits = np.full(len(rows), window)
    n_digits[-1] += 1
    layer, planes, room, bits = arrange(rng, 256, rows, 2, n_digits, n_outputs)
    members = [k for neuron in range(4) for k in range(15) if k + 1 >> neuron & 1]
    layer = layer._replace(patterns=((3 + np.array(members)) * int(room)).astype(np.uint32))
    evaluate_layer(layer, planes, room)
    signs, bits = 2 * signs.reshape(-1, length)[:n_outputs] - 1, bits.astype(np.int64)
    for position, counts in enumerate(counts_of(layer, planes, 256)):
        x = bits[position : position + n_lists * length].reshape(n_lists, length, -1)
        x = (x << np.arange(n_lists)[:, None, None]).sum(axis=0)
        assert (counts == signs @ x + 2**window - 1).all()


@pytest.mark.parametrize("n_images", [256, 512])
@pytest.mark.parametrize("by_position", [False, True])
def test_bounds_make_bits_and_complements(n_images, by_position):
    rng = np.random.default_rng(1)
    n_positions, n_digits, length = 3, 5, 20
    bounds = np.array([0, 1, 2, 7, 8, 10, 11, 16, 20, 21, 31, 32])  # never from 21 on
    neurons = [[rng.integers(0, 40, length).tolist()] for _ in bounds]
    layer, planes, room, bits = arrange(rng, n_images, neurons, n_positions, n_digits)
    bound = rng.permuted(np.tile(bounds, (n_positions if by_position else 1, 1)), axis=1)
    size = 8 * len(neurons) * n_positions
    layer = layer._replace(
        bound=bound.astype(np.uint64),
        target=layer.target[0] + np.arange(n_positions, dtype=np.uint64) * (8 * len(neurons)),
        complement=np.uint64(size),
    )
    evaluate_layer(layer, planes, room)
    counts = plain_counts(bits.astype(np.int64), neurons, n_positions)
    expected = (counts >= bound[:, :, None]).reshape(-1, n_images)
    written = bits_of_planes(planes[int(layer.target[0]) :], n_images)
    assert (written[: len(expected)] == expected).all()
    assert (written[len(expected) : 2 * len(expected)] == ~expected).all()
