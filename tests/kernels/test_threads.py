import itertools
import multiprocessing
import os
import threading

import numpy as np
import pytest
from helpers import random_network

import bnnkit
from bnnkit.kernels import get_threads, map_ranges, set_threads


@pytest.fixture(autouse=True)
def restore():
    yield
    set_threads(None)


def thread_names(_start, _stop):
    return threading.current_thread().name


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(("n", "size"), [(0, 3), (1, 3), (3, 3), (10, 3), (7, 1)])
def test_ranges_cover_everything_in_order(threads, n, size):
    set_threads(threads)
    parts = map_ranges(lambda start, stop: list(range(start, stop)), n, size)
    assert list(itertools.chain(*parts)) == list(range(n))
    assert all(len(part) <= size for part in parts)


def test_work_is_spread_over_the_threads():
    set_threads(3)
    together = threading.Barrier(3, timeout=20)  # passed only by three threads at once
    assert sorted(map_ranges(lambda start, _: together.wait(), 3, 1)) == [0, 1, 2]


def test_one_thread_or_one_range_stays_where_it_is():
    here = threading.current_thread().name
    assert map_ranges(thread_names, 5, 5) == [here]
    set_threads(1)
    assert map_ranges(thread_names, 5, 1) == [here] * 5


def test_work_inside_work_is_not_spread():
    set_threads(2)
    for outer, inner in map_ranges(
        lambda i, j: (thread_names(i, j), map_ranges(thread_names, 4, 1)), 4, 1
    ):
        assert inner == [outer] * 4


def test_an_error_reaches_the_caller():
    set_threads(2)
    with pytest.raises(ZeroDivisionError):
        map_ranges(lambda start, stop: 1 // start, 4, 1)


@pytest.mark.parametrize("n", [0, -1, 1.5, "2", True])
def test_numbers_of_threads_that_make_no_sense(n):
    with pytest.raises(ValueError, match="number of threads"):
        set_threads(n)


def test_the_default_is_the_usable_cores():
    set_threads(5)
    assert bnnkit.get_threads() == 5
    bnnkit.set_threads(None)
    assert 1 <= get_threads() <= os.cpu_count()


def problem():
    network = random_network(np.random.default_rng(4), (2, 9, 8), ("conv", "pool", "dense"))
    return network, np.random.default_rng(0).random((1100, 2, 9, 8))


def test_scores_do_not_depend_on_the_threads():
    network, images = problem()
    set_threads(1)
    expected = network.scores(images)
    set_threads(3)
    assert (network.scores(images) == expected).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    network, images = problem()
    set_threads(2)
    expected = network.scores(images)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert (pool.apply(network.scores, (images,)) == expected).all()


def test_the_number_may_change_while_others_compute():
    stop, errors = threading.Event(), []

    def compute():
        while not stop.is_set():
            try:
                assert map_ranges(lambda start, _: start, 6, 1) == list(range(6))
            except Exception as error:
                errors.append(error)

    workers = [threading.Thread(target=compute) for _ in range(2)]
    for worker in workers:
        worker.start()
    for i in range(60):
        set_threads(2 + i % 2)
    stop.set()
    for worker in workers:
        worker.join()
    assert not errors


def test_the_number_may_change_inside_of_work():
    set_threads(2)
    assert map_ranges(lambda start, _: set_threads(3), 2, 1) == [None, None]
    assert get_threads() == 3
