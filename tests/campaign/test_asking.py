import pytest

from bnnkit.campaign import workers
from bnnkit.campaign.answering import SLICE, Lost
from bnnkit.campaign.asking import FIRST, LARGEST, SHORT, _Feed

ARGUMENTS = {"solver": "native", "timeout": 60.0}


def feed_of(n):
    return _Feed(b"recipe", {i: ("image", i) for i in range(n)}, ARGUMENTS, 2, None)


def taking(seconds):
    """An outcome that took so long."""
    return Lost("", seconds)


def places_of(task):
    function, arguments, _ = task
    assert function is workers.answer
    *_, places, questions = arguments
    assert questions == [("image", place) for place in places]
    return places


def test_batches_grow_as_far_as_questions_are_easy_and_shrink_near_the_end():
    feed = feed_of(10_000)
    tasks, sizes, asked = iter(feed), [], []
    for task in tasks:
        places = places_of(task)
        sizes.append(len(places))
        asked += places
        feed.receive(places, [taking(0.001) for _ in places])
    assert asked == list(range(10_000))
    assert sizes[0] == FIRST
    assert max(sizes) == round(SLICE / 0.001)
    assert min(sizes[:-1]) == round(SHORT / 0.001)
    assert sizes[-50:] == sorted(sizes[-50:], reverse=True)


def test_few_questions_are_shared_out_before_it_is_known_what_one_takes():
    sizes = [len(places_of(task)) for task in feed_of(5)]
    assert sizes == [2, 1, 1, 1]


@pytest.mark.parametrize(("seconds", "size"), [(1e-7, LARGEST), (SLICE / 5.5, 5), (3.0, 1)])
def test_a_batch_is_neither_endless_nor_empty(seconds, size):
    feed = feed_of(10_000)
    tasks = iter(feed)
    feed.receive(places_of(next(tasks)), [taking(seconds)])
    assert len(places_of(next(tasks))) == size


def test_what_is_not_answered_is_asked_next():
    feed = feed_of(100)
    tasks = iter(feed)
    feed.receive(places_of(next(tasks)), [taking(SLICE / 5.5)])
    places = places_of(next(tasks))
    assert places == [1, 2, 3, 4, 5]
    answers = feed.receive(places, [taking(SLICE / 5.5)] * 2)
    assert [place for place, _ in answers] == [1, 2]
    assert places_of(next(tasks))[:3] == [3, 4, 5]


def test_the_network_goes_along_at_first_and_to_whom_it_is_new():
    feed = feed_of(100)
    tasks = iter(feed)
    sent = []
    for i in range(8):
        task = next(tasks)
        sent.append(task[1][2] is not None)
        feed.receive(places_of(task), None if i == 5 else [taking(1.0)])
    assert sent == [True] * 4 + [False] * 2 + [True, False]
