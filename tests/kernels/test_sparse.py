import numpy as np
import pytest
from products import CASES, Case, from_lanes, to_lanes

from bnnkit.kernels.links import Links, links
from bnnkit.kernels.sparse import Terms, find, kinds, list_terms, lists_by_lanes

KEPT = {"none": 0, "few": 0.04, "some": 0.4, "all": 1}


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def make(name, kept, rng):
    """A case with a share `kept` of its weights, and with rows that stay empty or full."""
    case = Case(name, 2, rng)
    case.weights *= rng.random(case.weights.shape) < kept
    if 0 < kept < 1 and len(case.weights) > 2:
        case.weights[0], case.weights[1], case.weights[2] = 0, 1, -1
    return case


def found_in(weights):
    n = np.count_nonzero(weights)
    found = np.empty((4, n + 1), np.int32)
    find(weights, found)
    return found[:, :n]


def listed(weights, ways, transposed):
    output, tap, channel, sign = found_in(weights)
    outputs, _, channels = weights.shape
    row, column, rows, width = output, channel, outputs, channels
    if transposed:
        row, column, rows, width = channel, output, channels, outputs
    shapes = (len(ways.shift), len(sign)), (rows + 1,), (len(ways.shift), rows, 2)
    terms = Terms(*(np.full(shape, -(10**9), np.int32) for shape in shapes))
    list_terms(row, tap, column, sign, ways.shift, width, terms)
    return terms


def forward(case, x, dtype):
    ways = kinds(case.backward, case.taps)
    y = to_lanes(np.zeros(case.dz.shape), dtype, x.shape[3])
    y[:] = 77  # is overwritten
    lists_by_lanes(x, listed(case.weights, ways, False), ways, case.n, y)
    return from_lanes(y, case.n)


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("name", CASES)
def test_products_with_bits_are_exact(name, kept, rng):
    case = make(name, KEPT[kept], rng)
    for dtype in (np.int16, np.int32):
        z = forward(case, to_lanes(case.bits, np.int8), dtype)
        np.testing.assert_array_equal(z, case.product(case.bits))


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("name", CASES)
def test_products_with_levels_are_exact(name, kept, rng):
    case = make(name, KEPT[kept], rng)
    levels = rng.integers(0, 256, case.x.shape)
    z = forward(case, to_lanes(levels, np.int16), np.int32)
    np.testing.assert_array_equal(z, case.product(levels))
    z = forward(case, to_lanes(levels % 4, np.int16), np.int16)
    np.testing.assert_array_equal(z, case.product(levels % 4))


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("name", CASES)
def test_input_gradients_equal_the_transposed_product(name, kept, rng):
    case = make(name, KEPT[kept], rng)
    ways, dx = kinds(case.forward, case.taps), to_lanes(case.x, np.float32)
    terms = listed(case.weights, ways, True)
    lists_by_lanes(to_lanes(case.dz, np.float32), terms, ways, case.n, dx)
    expected = case.input_gradient()
    scale = 1e-6 * max(1, np.abs(expected).max())
    np.testing.assert_allclose(from_lanes(dx, case.n), expected, rtol=0, atol=scale)


@pytest.mark.parametrize("weight", [-1, 1])
@pytest.mark.parametrize("columns", [126, 127, 128, 254, 255, 1000])
def test_rows_may_sum_to_more_than_a_lane_of_the_input_holds(columns, weight):
    one, _ = links((1, 1), (1, 1), 1, 0)
    ways, weights = kinds(one, 1), np.full((1, 1, columns), weight, np.int8)
    for value, dtype in ((1, np.int8), (255, np.int16)):
        x = to_lanes(np.full((65, 1, columns), value), dtype)
        y = to_lanes(np.zeros((65, 1, 1)), np.int32, x.shape[3])
        lists_by_lanes(x, listed(weights, ways, False), ways, 65, y)
        assert (from_lanes(y, 65) == weight * value * columns).all()


def test_slabs_without_an_image_become_zeros():
    one, _ = links((1, 1), (1, 1), 1, 0)
    ways, weights = kinds(one, 1), np.ones((1, 1, 1), np.int8)
    x, y = to_lanes(np.ones((64, 1, 1)), np.float32), to_lanes(np.ones((64, 1, 1)), np.float32)
    lists_by_lanes(x, listed(weights, ways, False), ways, 17, y)
    assert (y[:2] == 1).all()
    assert not y[2:].any()


@pytest.mark.parametrize("loud", [1e8, np.inf])
def test_a_weight_of_0_lets_nothing_through(loud):
    one, _ = links((1, 1), (1, 1), 1, 0)
    ways, weights = kinds(one, 1), np.array([1, 0, -1], np.int8).reshape(3, 1, 1)
    dx = to_lanes(np.zeros((1, 1, 1)), np.float32)
    dz = to_lanes(np.array([3.0, loud, 1.0]).reshape(1, 1, 3), np.float32)
    lists_by_lanes(dz, listed(weights, ways, True), ways, 1, dx)
    assert from_lanes(dx, 1).item() == 2


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 7), (5, 4, 1), (2, 9, 16), (7, 3, 5)])
@pytest.mark.parametrize("kept", KEPT)
def test_every_weight_in_use_is_found(shape, kept, rng):
    weights = rng.choice([-1, 1], shape).astype(np.int8)
    weights *= rng.random(shape) < KEPT[kept]
    places = np.nonzero(weights)
    np.testing.assert_array_equal(found_in(weights), [*places, weights[places]])


@pytest.mark.parametrize("name", CASES)
def test_sites_of_a_kind_see_the_same(name, rng):
    case = Case(name, 2, rng)
    for ways in (case.forward, case.backward):
        found = kinds(ways, case.taps)
        assert sorted(found.site) == list(range(len(ways.start) - 1))
        kind = np.repeat(np.arange(len(found.shift)), np.diff(found.start))
        for site, origin, shift in zip(found.site, found.origin, found.shift[kind], strict=True):
            links_of_site = slice(ways.start[site], ways.start[site + 1])
            taps = ways.tap[links_of_site]
            assert set(np.nonzero(shift >= 0)[0]) == set(taps)
            np.testing.assert_array_equal(origin + shift[taps], ways.site[links_of_site])
        assert len(np.unique(found.shift, axis=0)) == len(found.shift)


def test_a_site_that_sees_nothing_has_a_kind():
    nothing = np.zeros(0, np.int32)
    found = kinds(Links(np.zeros(3, np.int32), nothing, nothing), 2)
    assert found.start.tolist() == [0, 2]
    assert found.shift.tolist() == [[-1, -1]]
