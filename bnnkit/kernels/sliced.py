"""Layers on bit slices: 256 or 512 images at a time, one bit of each in a register.

The kernels of `bnnkit.kernels.ternary` pack the inputs of a neuron into words and count the ones
of a word. This one turns the table by a right angle: a *plane* holds one bit of one input for all
images of a block, and a neuron adds planes. A weight of 0 costs nothing, so a sparse network
costs what its other weights cost; and since nothing is counted inside a word, the only operations
are AND, OR and XOR, which every processor has for its widest registers. The price is that a block
costs the same for 1 image as for 256.

**Counting.** The counts of all images are binary numbers, in planes as well: plane 0 of a counter
holds the lowest digits, plane 1 the digits that are worth 2, and so on. A full adder takes three
planes of one worth and gives one of that worth, a ^ b ^ c, and a carry of twice that worth, their
majority: five operations for all images of a block. With the digit `ones` as one of the three,
two planes go in and a carry comes out. So eight planes become one carry that is worth 8 by four
adders on `ones`, two on `twos` and one on `fours`, all in registers. The carries are put aside;
when all planes of a list are in, the carries are a list themselves, an eighth as long, for the
next three digits. n planes cost about n adders. (This is the carry-save counter of Harley and
Seal, in Warren, Hacker's Delight, chapter 5.)

**Weights.** A weight of +1 adds the plane of its input. A weight of -1 adds the complement, 1 - x,
which is kept as a plane too, and the bound that the count is compared with is one higher for it.
So a neuron is a list of places. Inputs with several bits (levels) have planes of several worths,
and a neuron has a list for each: list i is added from digit i on.

**Binary weights.** Without zeros, a neuron would add all inputs. With P the sum of those whose
weight is +1, and S the sum of all, its sum is 2 P - S. S is the same for all neurons: it is
counted once for a window, and 2**m - 1 - S, its complement in m digits, is what all counts start
from. For P, neurons go in fours. An input has one of 16 patterns of signs in the four, and each
pattern but the one without +1 is counted once, some K * 15/16 planes instead of 4 K. Then each
neuron adds its eight patterns: digit by digit, eight planes to three digits as above, and with
each step on to the next digit the carry takes the place that gets free. (The look-up of sums of
groups is due to Arlazarov, Dinic, Kronrod and Faradzhev, 1970: the method of four Russians.)

**Thresholds.** [count >= bound] is decided digit by digit from the lowest on: where the bound has
a 1, the count must have it too and all must be well below; where it has a 0, a 1 in the count
decides. That is one AND or one OR for each digit.
"""

from typing import NamedTuple

import numpy as np

from bnnkit.kernels._compile import entry, inner
from bnnkit.kernels._planes import full_plane, load_plane, store_plane

_0, _1, _2, _3, _4, _5, _6, _7, _8 = map(np.uint64, range(9))
_14, _15, _16, _17, _18, _24 = map(np.uint64, (14, 15, 16, 17, 18, 24))


class Layer(NamedTuple):
    """A layer as lists of planes to add; places are indices of words, 8 words a plane.

    Attributes
    ----------
    source, target : ndarray of uint64, shape (positions,)
        Places of the window and of the outputs, one plane each.
    complement : uint64
        Words from an output to its complement; 0 if the next layer needs none.
    start : ndarray of uint64, shape (rows, lists + 1)
        List i of a row is ``offset[start[row, i]:start[row, i + 1]]``. There is a row for each
        output; or 15 for each four outputs, the patterns 1 to 15, of which bit r stands for
        neuron r of the four, and then one for the window.
    offset : ndarray of uint32
        Places relative to the window. The first ones are 0, 8, 16, ...: the places of carries.
    n_digits : ndarray of uint64, shape (rows,)
        Binary digits of the largest count of each row. In fours, the patterns 15 have enough
        for the sum of all patterns, and the window one more.
    patterns : ndarray of uint32, shape (0 or 32,)
        Places of the counts of the eight patterns of each neuron of a four.
    bound : ndarray of uint64, shape (1 or positions or 0, outputs)
        A neuron fires if its count is at least this. Where there are none, the target gets the
        digits of the counts themselves, as many for each output.
    """

    source: np.ndarray
    target: np.ndarray
    complement: np.uint64
    start: np.ndarray
    offset: np.ndarray
    n_digits: np.ndarray
    patterns: np.ndarray
    bound: np.ndarray


@entry
def evaluate_layer(layer, planes, room):
    """Evaluate a layer for the images of a block.

    Parameters
    ----------
    layer : Layer
    planes : ndarray of uint32 (256 images) or uint64 (512 images)
        All planes. The first `room` words are 0, as many again each are for the complement of
        a window, the count, and 15 patterns; then come the carries, and the layers' inputs.
    room : uint64
        Words of a count: 8 for each digit, and 16 to spare.
    """
    n_outputs, n_bounds = np.uint64(layer.bound.shape[1]), np.uint64(layer.bound.shape[0])
    in_fours, last = layer.patterns.size > 0, np.uint64(layer.start.shape[0]) - _1
    counter = _2 * room
    for p in range(np.uint64(layer.source.size)):
        base, target = layer.source[p], layer.target[p]
        if in_fours:
            _count(layer, planes, base, last, _0, counter, room)
            _complement(planes, counter, room, layer.n_digits[last])
        for o in range(n_outputs):
            if in_fours:
                if o % _4 == _0:
                    _count_patterns(layer, planes, base, o // _4, room)
                _add_patterns(layer, planes, o % _4, room)
                n_digits = layer.n_digits[last]
            else:
                _count(layer, planes, base, o, _0, counter, room)
                n_digits = layer.n_digits[o]
            if n_bounds == _0:
                _copy(planes, counter, target + o * _8 * n_digits, n_digits)
            else:
                bound = layer.bound[p if n_bounds > _1 else _0, o]
                fires = _at_least(planes, counter, n_digits, bound)
                store_plane(planes, target + o * _8, fires)
                if layer.complement != _0:
                    store_plane(planes, target + o * _8 + layer.complement, ~fires)


@inner
def _count_patterns(layer, planes, base, four, room):
    """Count the patterns of four neurons. All four have pattern 15, so that its count is the
    one to start from the window's complement, whose lowest digit is no part of it.
    """
    for k in range(_15):
        initial = room + _8 if k == _14 else _0
        _count(layer, planes, base, four * _15 + k, initial, (_3 + k) * room, room)


@inner
def _add_patterns(layer, planes, neuron, room):
    """Write the window's lowest digit and twice the sum of eight patterns to the counter."""
    counter, zero = _2 * room, full_plane(planes, _0)
    store_plane(planes, counter, load_plane(planes, room))
    ones, twos, fours, carry = zero, zero, zero, zero
    for digit in range(layer.n_digits[0]):
        ones, twos, fours, eights = _add_eight(
            planes, _8 * digit, layer.patterns, _8 * neuron, ones, twos, fours
        )
        counter += _8
        store_plane(planes, counter, ones)
        ones, twos, fours = twos, fours, eights
    for digit in range(layer.n_digits[0], layer.n_digits[_14]):  # of pattern 15 only
        ones, carry = _full_adder(ones, load_plane(planes, _17 * room + _8 * digit), carry)
        counter += _8
        store_plane(planes, counter, ones)
        ones, twos, fours = twos, fours, zero


@inner
def _count(layer, planes, base, row, initial, counter, room):
    """Write the digits of initial + the sum of a row's planes to the counter."""
    digits, carries = _8 * layer.n_digits[row], _18 * room
    for i in range(np.uint64(layer.start.shape[1]) - _1):
        first, last = layer.start[row, i], layer.start[row, i + _1]
        place, digit = base, _8 * i
        while digit < digits and (first < last or initial != counter):
            last = _add_planes(
                planes, place, layer.offset, first, last, initial + digit, counter + digit, carries
            )
            place, first = carries, _0  # the carries are added to the next digits
            digit += _24
        initial = counter


@inner
def _add_planes(planes, base, offset, first, last, initial, counter, carries):
    """Add the planes of a list to three digits; returns the number of carries."""
    ones = load_plane(planes, initial)
    twos = load_plane(planes, initial + _8)
    fours = load_plane(planes, initial + _16)
    carry = carries
    while first + _8 <= last:
        ones, twos, fours, eights = _add_eight(planes, base, offset, first, ones, twos, fours)
        store_plane(planes, carry, eights)
        first, carry = first + _8, carry + _8
    if first < last:
        ones, twos, fours, eights = _add_few(planes, base, offset, first, last, ones, twos, fours)
        store_plane(planes, carry, eights)
        carry += _8
    store_plane(planes, counter, ones)
    store_plane(planes, counter + _8, twos)
    store_plane(planes, counter + _16, fours)
    return (carry - carries) // _8


@inner
def _add_eight(planes, base, offset, first, ones, twos, fours):
    """Add eight planes to three digits; the carry of value 8 is the fourth result."""
    ones, a = _add_two(planes, base + offset[first], base + offset[first + _1], ones)
    ones, b = _add_two(planes, base + offset[first + _2], base + offset[first + _3], ones)
    ones, c = _add_two(planes, base + offset[first + _4], base + offset[first + _5], ones)
    ones, d = _add_two(planes, base + offset[first + _6], base + offset[first + _7], ones)
    twos, a = _full_adder(a, b, twos)
    twos, b = _full_adder(c, d, twos)
    fours, eights = _full_adder(a, b, fours)
    return ones, twos, fours, eights


@inner
def _add_few(planes, base, offset, first, last, ones, twos, fours):
    """Add one to seven planes: four, two and one at a time."""
    eights = full_plane(planes, _0)
    if last - first >= _4:
        ones, a = _add_two(planes, base + offset[first], base + offset[first + _1], ones)
        ones, b = _add_two(planes, base + offset[first + _2], base + offset[first + _3], ones)
        twos, a = _full_adder(a, b, twos)
        fours, eights = fours ^ a, fours & a
        first += _4
    if last - first >= _2:
        ones, a = _add_two(planes, base + offset[first], base + offset[first + _1], ones)
        twos, a = twos ^ a, twos & a
        fours, a = fours ^ a, fours & a
        eights, first = eights | a, first + _2
    if first < last:
        a = load_plane(planes, base + offset[first])
        ones, a = ones ^ a, ones & a
        twos, a = twos ^ a, twos & a
        fours, a = fours ^ a, fours & a
        eights = eights | a
    return ones, twos, fours, eights


@inner
def _add_two(planes, first, second, digit):
    return _full_adder(load_plane(planes, first), load_plane(planes, second), digit)


@inner
def _full_adder(a, b, c):
    """Digit and carry of a + b + c, for every image."""
    differ = a ^ b
    return differ ^ c, a ^ (differ & (a ^ c))


@inner
def _at_least(planes, counter, n_digits, bound):
    """The plane of [count >= bound]."""
    if bound >> n_digits != _0:
        return full_plane(planes, _0)
    reached = ~full_plane(planes, _0)
    for digit in range(n_digits):
        plane = load_plane(planes, counter + _8 * digit)
        reached = plane & reached if bound >> digit & _1 != _0 else plane | reached
    return reached


@inner
def _complement(planes, source, target, n_digits):
    """Write 2**m - 1 - count with m = n_digits - 1: all digits but the highest, which is 0."""
    for digit in range(n_digits - _1):
        store_plane(planes, target + _8 * digit, ~load_plane(planes, source + _8 * digit))
    store_plane(planes, target + _8 * (n_digits - _1), full_plane(planes, _0))


@inner
def _copy(planes, source, target, n_digits):
    for digit in range(n_digits):
        store_plane(planes, target + _8 * digit, load_plane(planes, source + _8 * digit))
